"""Checks records that say "not applicable" or "not tested", as far as a stored run allows.

Not applicable is what the device's claims or its transport do not bind.  The reason follows from what the device
declares and from the run's window, so it is computed again.  Three reasons follow from the device's profile, which no
run keeps: for these, the purpose must at least have such a need.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, combinations

from harness.model.crossing import CANNOT_CROSS, NO_OTHER_TESTER
from harness.model.outcome import NOT_APPLICABLE, NOT_TESTED
from harness.model.windows import Window
from harness.model.zone import CANNOT_LISTEN
from harness.net.address import FAMILY_NAMES, WEB, Carrier
from harness.purposes.everywhere import NO_OCCASION
from harness.purposes.purpose import (
    KEEPS_REINVITES,
    NO_RESOLVER,
    NOT_DECLARED,
    ONLY_OVER,
    Purpose,
    applicable_rows,
)
from harness.purposes.strangers import NO_WEBSOCKETS, NOT_RELAYED, redirects_strangers
from harness.requirements.catalogue import Catalogue
from harness.store.verdict_lines import Declared, VerdictLine


def contradiction(
    line: VerdictLine, purpose: Purpose, device: Declared | None, catalogue: Catalogue, window: Window
) -> str:
    """Why ``line`` is wrong to say that ``purpose`` was not asked; "" if it may be right.

    ``device`` is the device's entry in the run's header; None if there is none.
    """
    if there := [key for key in ("evidence", "requirements", "drives") if getattr(line, key)]:
        return f"stored {_kind(line)}, but it has {' and '.join(there)}"
    if device is None:
        return ""
    for key, has, declared in (
        ("roles", line.role, device.roles),
        ("transports", line.transport, device.transports),
        ("families", line.family, device.families),
    ):
        if has not in declared:
            return f"the run's header does not say that the device has {has!r:.80} among its {key}"
    rows, why = applicable_rows(purpose, catalogue, line.case.axes, device.pics)
    if rows and purpose.least_window > window.seconds:
        why = f"needs a window of {purpose.least_window:g} s; this run's is {window.seconds:g} s ({window.name})"
    reason, why = line.reason, _plain(why)
    verdict = NOT_TESTED if rows else NOT_APPLICABLE
    plans = purpose.plans_for(line.role)
    unheard = reason.startswith(CANNOT_LISTEN) and any(plan.zone for plan in plans)
    unheard = unheard or (reason.startswith(CANNOT_CROSS) and any(plan.crossing for plan in plans))
    if reason == why if why else unheard or reason in _by_profile(purpose, line, device.name):
        return (
            "" if line.verdict == verdict else f"stored {_kind(line)}, now {verdict.replace('_', ' ')}: {reason!s:.160}"
        )
    if why:
        return f"stored {reason!r:.160}, now {why!r:.160}"
    return f"stored {_kind(line)} ({reason!s:.120}), but {', '.join(rows)} applies to what the device declares"


def _kind(line: VerdictLine) -> str:
    return line.verdict.replace("_", " ")


def _plain(reason: str) -> str:
    """``reason`` as a run writes it into a record."""
    return " ".join(reason.split())


def _by_profile(purpose: Purpose, line: VerdictLine, device: str) -> set[str]:
    """Every reason why ``purpose`` cannot be run on ``device`` that any profile could give."""
    return set(map(_plain, _needs(purpose, line.role, line.case.axes.carrier, device)))


def _needs(purpose: Purpose, role: str, carrier: Carrier, device: str) -> Iterator[str]:
    transport = carrier.transport
    if purpose.everywhere:
        yield NO_OCCASION  # where there are flows, the invariant is judged over them instead
    for missing in _some_of(sorted(purpose.acts)) if role == "uac" else ():
        yield f"the profile of {device} has no stimulus to {' or to '.join(missing)}"
    if role == "b2bua" and "reinvite" in purpose.acts:
        yield KEEPS_REINVITES.format(device)
    for plan in purpose.plans_for(role):
        if plan.over and not purpose.arises_over(carrier, plan.over):
            yield ONLY_OVER.format(" and ".join(plan.over), carrier.passage)
        for missing in _some_of([one.by for one in plan.endpoints if one.by and not one.at]):
            yield NOT_DECLARED.format(" and ".join(missing))
        for missing in _some_of(plan.numbers):
            yield f"the profile of {device} lacks a number: lab.numbers.{' and lab.numbers.'.join(missing)}"
        if plan.bindings and not all(call.numbers for call in plan.calls):
            yield f"{device} accepts no registrations: its profile lacks lab.registrar = true"
        if plan.zone:
            yield NO_RESOLVER.format(device)
        if plan.crossing:
            yield NO_OTHER_TESTER.format(device, FAMILY_NAMES[carrier.across.family], carrier.across.label)
        if role == "proxy" and redirects_strangers(plan):
            yield NOT_RELAYED.format(device)
        if transport in WEB and plan.endpoints and role not in ("uas", "redirect"):
            yield NO_WEBSOCKETS.format(device, transport)


def _some_of(needed: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every choice of at least one of ``needed``, in order."""
    return chain.from_iterable(combinations(needed, count) for count in range(1, len(needed) + 1))
