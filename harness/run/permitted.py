"""Which plans of a purpose can be driven with a device, by its profile and its transport; and why the others cannot."""

from __future__ import annotations

from harness.device import Profile
from harness.drive import crossing
from harness.drive.domain import is_called_by, meets_users
from harness.lab.resolver import why_not
from harness.model.axes import Axes
from harness.model.plan import Plan
from harness.net.address import Carrier, Family
from harness.purposes.purpose import NO_AUTHORITY_KEY, NO_RESOLVER, NOT_DECLARED, ONLY_OVER, Purpose
from harness.purposes.strangers import NO_WEBSOCKETS, NOT_RELAYED, redirects, redirects_strangers


def permitted(purpose: Purpose, axes: Axes, profile: Profile, device: str) -> tuple[tuple[Plan, ...], str]:
    """The plans of ``purpose`` that can be driven; and why none can, or too few to judge."""
    plans = purpose.plans_for(axes.role)
    reasons = [
        _not_over(purpose, plan, axes.carrier, profile)
        or cannot_call(plan, profile, device, axes.role)
        or cannot_reach(plan, profile, device, axes)
        or (_cannot_name(profile, device, axes.family) if plan.zone else "")
        or _cannot_show(plan, profile, device)
        or (crossing.why_not(profile, axes.carrier, device) if plan.crossing else "")
        for plan in plans
    ]
    drivable = tuple(plan for plan, reason in zip(plans, reasons, strict=True) if not reason)
    enough = drivable == plans or (drivable and purpose.judges_each_flow)
    return drivable, "" if enough else next(filter(None, reasons), "")


def _not_over(purpose: Purpose, plan: Plan, carrier: Carrier, profile: Profile) -> str:
    """Why ``plan`` cannot be driven over ``carrier``; "" if it can."""
    others = [endpoint.by for endpoint in plan.endpoints if endpoint.by and not endpoint.at]
    if lacking := [name for name in others if name not in profile.device.all_transports]:
        return NOT_DECLARED.format(" and ".join(lacking))
    if plan.over and not purpose.arises_over(carrier, plan.over):
        return ONLY_OVER.format(" and ".join(plan.over), carrier.passage)
    return ""


def _cannot_name(profile: Profile, device: str, family: Family) -> str:
    """Why ``device`` cannot be given the names of a plan; "" if it can."""
    return why_not(profile.lab.resolver, family) if profile.lab.resolver else NO_RESOLVER.format(device)


def _cannot_show(plan: Plan, profile: Profile, device: str) -> str:
    """Why the endpoints of ``plan`` cannot show ``device`` the certificates that they are to show; "" if they can."""
    given = profile.lab.tls is not None and profile.lab.tls.certificate
    ordered = any(endpoint.certificate.made_to_order for endpoint in plan.endpoints)
    return NO_AUTHORITY_KEY.format(device) if given and ordered else ""


def cannot_call(plan: Plan, profile: Profile, device: str, role: str) -> str:
    """Why the calls of ``plan`` cannot be made through ``device``; "" if they can."""
    if unnamed := [name for name in plan.numbers if name not in profile.all_numbers()]:
        return f"the profile of {device} lacks a number: lab.numbers.{' and lab.numbers.'.join(unnamed)}"
    if plan.bindings and not profile.lab.registrar and not all(call.numbers for call in plan.calls):
        return f"{device} accepts no registrations: its profile lacks lab.registrar = true"
    met_at_home = role == "proxy" and profile.lab.registrar and not profile.claims("relays_foreign")
    if met_at_home and redirects_strangers(plan):
        return NOT_RELAYED.format(device)
    return ""


def cannot_reach(plan: Plan, profile: Profile, device: str, axes: Axes) -> str:
    """Why ``device`` cannot reach the endpoints of ``plan`` over a WebSocket; "" if it can, or need not."""
    over, transport = profile.over(axes.carrier.outbound), axes.carrier.transport
    if not is_called_by(over, transport) or over.lab.exchange or not plan.endpoints:
        return ""
    at_home = meets_users(over, axes.role, transport) and not redirects_strangers(plan)
    follows = axes.role == "proxy" and over.claims("proxy_recurses_3xx") and redirects(plan)
    # Who answers by himself calls nobody: endpoints are where his Contacts lead.
    if axes.role in ("uas", "redirect") or (at_home and not follows):
        return ""
    return NO_WEBSOCKETS.format(device, transport)
