"""Which requirements of a profile the records of a run leave undecided, and why.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from harness.model.axes import Axes, CaseId
from harness.net.address import Carrier
from harness.policy.profiles import Demand, RequirementProfile, demands
from harness.purposes.everywhere import NO_OCCASION
from harness.purposes.purpose import Purpose
from harness.requirements.catalogue import Catalogue
from harness.requirements.conditions import holds
from harness.store.verdict_lines import Declared, VerdictLine


def unmet(
    profile: RequirementProfile,
    name: str,
    device: Declared,
    records: Iterable[VerdictLine],
    catalogue: Catalogue,
    purposes: Mapping[str, Purpose],
) -> list[str]:
    """Requirements of ``profile`` that ``records`` do not decide for the device ``name``, a sentence each."""
    if not set(device.roles) & set(profile.roles):
        return [f"{name} has none of the profile's roles ({', '.join(profile.roles)}); it is {', '.join(device.roles)}"]
    if not holds(profile.needs, device.pics):
        return [f"{name} does not declare {profile.needs}, which the profile requires"]
    of_case = {line.case: line for line in records}
    found: list[str] = []
    for demand in demands(profile, device, purposes, catalogue):
        about = catalogue[demand.requirement].transports
        carried = [
            one
            for one in device.transports
            if any(purposes[name].arises_over(Carrier.of(one), about) for name in demand.purposes)
        ]
        for axes in Axes.product((demand.role,), carried, device.families):
            cases = [CaseId(one, name, axes.role, axes.transport, axes.family) for one in demand.purposes]
            lines = {case: of_case.get(case) for case in cases}
            found += _not_decided(demand, lines, purposes)
    return found


def _not_decided(
    demand: Demand, lines: Mapping[CaseId, VerdictLine | None], purposes: Mapping[str, Purpose]
) -> Iterator[str]:
    """Why the records of its purposes do not decide ``demand``.

    Every purpose needs a record.  Another purpose that decides the same requirement may replace one that this device
    cannot run (no re-INVITE, no such number, no occasion), but not one for which the window was too short.
    """
    decided, skipped = False, []
    for case, line in lines.items():
        purpose, where = case.purpose, f"({case.where})"
        if line is None:
            yield f"not executed: {demand.requirement} in {purpose} {where}"
        elif any(row.id == demand.requirement for row in line.requirements):
            decided = True
        elif purposes[purpose].least_window > line.window_s:
            decided = True  # or reported here
            yield f"not tested: {demand.requirement} in {purpose} {where}: {line.reason}"
        elif line.tested and not line.requirements:
            decided = True
            yield f"not decided: {demand.requirement} in {purpose} {where}: {line.reason or 'no finding'}"
        elif line.tested:
            skipped.append(f"{purpose}: {NO_OCCASION}")  # an invariant that speaks of other requirements
        else:
            skipped.append(f"{purpose}: {line.reason or 'it was skipped'}")
    if skipped and not decided and not demand.if_met:
        yield f"not tested: {demand.requirement} ({next(iter(lines)).where}): {'; '.join(skipped)}"
