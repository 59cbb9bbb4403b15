"""How a caller reaches the callee through a proxy: as a user of the proxy's own domain, where that can be.

Most proxies relay for their own users only, and refuse a URI of strangers.  Where the callee can be registered with the
proxy, it is, and the user is dialled at the proxy.  The profile says ``relays_foreign`` of a proxy that relays any URI.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from harness.device import Profile
from harness.model.plan import Plan
from harness.net.address import WEB, Transport
from harness.purposes.strangers import STRANGER, redirects_strangers

USER: Final = "sip:{token}@{device}"
BINDING: Final = f"<{STRANGER}>"


def is_called_by(profile: Profile, transport: Transport) -> bool:
    """Whether nobody is reached over ``transport`` but who has called the device: its WebSockets are others' alone."""
    return transport in WEB and not profile.lab.opens_websockets


def meets_users(profile: Profile, role: str, transport: Transport) -> bool:
    """Whether a device in ``role`` meets its callees as users that have registered with it."""
    foreign = profile.claims("relays_foreign") and not is_called_by(profile, transport)
    return role == "proxy" and profile.lab.registrar and not foreign


def as_driven(plan: Plan, role: str, profile: Profile, transport: Transport) -> Plan:
    """``plan`` as the callers of a device in ``role`` carry it out."""
    stranger = not plan.bindings and any(call.to == STRANGER for call in plan.calls)
    if not (stranger and meets_users(profile, role, transport)) or redirects_strangers(plan):
        return plan
    calls = tuple(replace(call, to=USER) if call.to == STRANGER else call for call in plan.calls)
    return replace(plan, calls=calls, bindings=(BINDING,))
