"""What is known before the first call: requirements of a profile that no case of this run can decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from harness.device.spec import DeviceSpec
from harness.policy.profiles import Demand, RequirementProfile, demands
from harness.purposes.case import Case
from harness.purposes.purpose import Purpose
from harness.requirements.catalogue import Catalogue
from harness.run.declared import declared


def undecidable(
    profiles: Iterable[RequirementProfile],
    specs: Iterable[DeviceSpec],
    purposes: Mapping[str, Purpose],
    cases_of: Callable[[Purpose], Mapping[str, Case]],
    catalogue: Catalogue,
    window_s: float,
) -> Iterator[str]:
    """What keeps the gates and certificates of ``profiles`` from this run whatever the devices do, a sentence each.

    ``window_s``: the run's window in seconds.
    """
    known = list(specs)
    for profile in profiles:
        for spec in known:
            by_reason: dict[str, list[str]] = {}
            for demand in demands(profile, declared(spec), purposes, catalogue):
                if why := _why_not(demand, _cases(demand, spec.name, purposes, cases_of), window_s):
                    by_reason.setdefault(why, []).append(demand.requirement)
            for why, rows in by_reason.items():
                yield f"{profile.name}: this run cannot decide {', '.join(dict.fromkeys(rows))} of {spec.name}: {why}"


def _cases(
    demand: Demand, device: str, purposes: Mapping[str, Purpose], cases_of: Callable[[Purpose], Mapping[str, Case]]
) -> list[Case]:
    return [
        case
        for name in demand.purposes
        for case in cases_of(purposes[name]).values()
        if (case.device, case.role) == (device, demand.role)
    ]


def _why_not(demand: Demand, cases: list[Case], window_s: float) -> str:
    """As :func:`harness.policy.gate.unmet` will say when the run is over; "" if the device can still decide it."""
    skipped = [case for case in cases if case.skip]
    if short := [case.skip for case in skipped if case.purpose.least_window > window_s]:
        return short[0]
    if demand.if_met or len(skipped) < len(cases):
        return ""
    return "; ".join(dict.fromkeys(case.skip for case in skipped))
