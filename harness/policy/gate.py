"""The gate: what a pipeline asks of a run, and the answer.  A pure function of records; nothing here runs or writes.

Gates: without a name (every verdict counts), ``must`` (a fail, and what could not be told of a requirement that
binds), ``should`` (a warning, too) and ``profile:NAME`` (what that profile demands, all of it decided).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from harness.errors import SetupError
from harness.model.axes import Axes, CaseId
from harness.model.finding_key import FindingKey
from harness.model.outcome import ExitStatus, VerdictName
from harness.policy.profiles import Demand, RequirementProfile, demands, named
from harness.policy.waivers import NO_REQUIREMENT, Waiver
from harness.purposes.purpose import Purpose
from harness.requirements.catalogue import Catalogue
from harness.requirements.conditions import holds
from harness.store.verdict_lines import Declared, Gated, LostLine, VerdictLine, Waived

_TOLD = 5
"""So many of a kind are told one by one."""


@dataclass(frozen=True)
class Found:
    """What a verdict says of one requirement."""

    requirement: str
    """NO_REQUIREMENT where the case came to no finding."""
    verdict: VerdictName
    reason: str
    code: str


@dataclass(frozen=True)
class Gate:
    """What is asked of a run."""

    name: str = ""
    profile: RequirementProfile | None = None

    @classmethod
    def of(cls, name: str, catalogue: Catalogue) -> Gate:
        """The gate of that name ("": every verdict counts); SetupError if there is none."""
        if name in ("", "must", "should"):
            return cls(name)
        kind, colon, profile = name.partition(":")
        if kind == "profile" and colon:
            return cls(name, named(profile, catalogue))
        raise SetupError(f"no gate is called {name[:80]!r}", "--gate takes must, should or profile:NAME")

    def counts(self, line: VerdictLine, found: Found, catalogue: Catalogue) -> bool:
        """Whether the verdict about the requirement of ``found`` in ``line`` keeps the gate shut."""
        verdict, row = found.verdict, found.requirement
        if self.profile is not None:
            mine = row in self.profile.requirements and line.role in self.profile.roles
            return mine and verdict in ("fail", "inconclusive", "none")
        if verdict == "warn":
            return self.name == "should" and (row not in catalogue or catalogue[row].level != "MAY")
        if verdict in ("inconclusive", "none") and self.name == "must":
            return row not in catalogue or not catalogue[row].optional_only
        return verdict in ("fail", "inconclusive", "none")


@dataclass(frozen=True)
class Asked:
    """What the gate is told of a run, stored or just over."""

    records: Sequence[VerdictLine]
    planned: int
    missing: tuple[CaseId, ...] = ()
    """Cases that were planned and have no record, where they are known."""
    crashed: tuple[str, ...] = ()
    """The processes of the run that ended by themselves."""
    interrupted: bool = False
    cut_off: bool = False
    """The stream has no footer, though nothing is missing from it: evidence is."""
    devices: Mapping[str, Declared] = field(default_factory=dict)
    """What the header says of each device, by name."""
    losses: Sequence[LostLine] = ()
    """Every time that a device was lost: such a run does not conform, whatever it passed afterwards."""


@dataclass(frozen=True)
class Blocking:
    """One finding that keeps the gate shut, or would but for a waiver."""

    line: VerdictLine
    found: Found

    @property
    def title(self) -> str:
        """How sentences name it."""
        case, found = self.line.case, self.found
        return f"{found.verdict}: {found.requirement} in {case.purpose} ({case.where}), finding {self.key}"

    @property
    def key(self) -> FindingKey:
        """What a waiver names."""
        return _key(self.line, self.found)


@dataclass(frozen=True)
class Answer:
    """The gate's answer."""

    gate: str
    status: ExitStatus
    blocking: tuple[Blocking, ...]
    waived: tuple[tuple[Blocking, Waiver], ...]
    problems: tuple[str, ...]
    """What is wrong besides, a sentence each: what is missing, waivers that are expired or stale."""

    @property
    def sentence(self) -> str:
        """The answer in one line."""
        name = f"gate {self.gate}" if self.gate else "gate"
        let = f", {len(self.waived)} waived" if self.waived else ""
        if self.status is ExitStatus.CONFORMING:
            return f"{name}: open{let}"
        return f"{name}: shut (exit status {int(self.status)}), {len(self.blocking)} findings count{let}"

    def told(self, gated: bool) -> Iterator[str]:
        """What a person reads at the end of a run; of one that no gate was asked of, only what is wrong."""
        yield from self.problems
        yield from (f"waived until {w.expires.isoformat()}: {b.title} ({w.owner}: {w.reason})" for b, w in self.waived)
        if gated:
            yield from (f"counts: {one.title}" for one in self.blocking)
            yield self.sentence

    @property
    def footer(self) -> Gated:
        """What the footer of a run says of it."""
        waived = tuple(
            Waived(w.owner, w.reason, w.expires, w.device, w.transport, w.family, w.verdict, str(w.finding))
            for _, w in self.waived
        )
        return Gated(self.gate, int(self.status), waived)


def answer(
    gate: Gate,
    asked: Asked,
    waivers: Sequence[Waiver],
    catalogue: Catalogue,
    purposes: Mapping[str, Purpose],
    today: date,
) -> Answer:
    """What ``gate`` says of ``asked`` on the day ``today``.  ``purposes`` are only looked at by a profile's gate."""
    blocking = [
        Blocking(line, found)
        for line in asked.records
        for found in _findings(line)
        if gate.counts(line, found, catalogue)
    ]
    closed, waived, expired, stale = _waive(blocking, asked, waivers, today)
    holes = [*_holes(asked), *_undecided(gate, asked, catalogue, purposes)]
    verdicts = {one.found.verdict for one in closed}
    if verdicts & {"fail", "warn"}:
        status = ExitStatus.NOT_CONFORMING
    elif stale:
        status = ExitStatus.SETUP
    elif verdicts or holes:
        status = ExitStatus.INCONCLUSIVE
    else:
        status = ExitStatus.CONFORMING
    return Answer(gate.name, status, tuple(closed), tuple(waived), (*holes, *expired, *stale))


def _findings(line: VerdictLine) -> Iterator[Found]:
    """What ``line`` says of each requirement; of a case that came to no finding, its reason."""
    if not line.applicable:
        return
    yield from (Found(row.id, row.verdict, row.reason, row.code) for row in line.requirements)
    if not line.requirements:
        yield Found(NO_REQUIREMENT, line.verdict, line.reason, "no-finding")


def _key(line: VerdictLine, found: Found) -> FindingKey:
    return FindingKey(found.requirement, line.purpose, line.role, found.code)


def _waive(
    blocking: Iterable[Blocking], asked: Asked, waivers: Iterable[Waiver], today: date
) -> tuple[list[Blocking], list[tuple[Blocking, Waiver]], list[str], list[str]]:
    """The findings that count, those that are let through, and sentences: expired waivers, stale ones."""
    of_run = {line.case: line for line in asked.records}
    by_finding: dict[tuple[CaseId, str, FindingKey], Blocking] = {
        (b.line.case, b.found.verdict, b.key): b for b in blocking
    }
    waived: dict[int, tuple[Blocking, Waiver]] = {}
    expired, stale = [], []
    for waiver in waivers:
        line = of_run.get(waiver.case)
        if line is None:
            continue  # this run did not ask: another device, or a choice by -k
        found = by_finding.get((waiver.case, waiver.verdict, waiver.finding))
        if found is None:
            stale.append(f"stale: {waiver.title} no longer matches: {_instead(line, waiver)}; remove or renew it")
        elif waiver.over(today):
            expired.append(f"expired: {waiver.title} held until {waiver.expires.isoformat()}; its finding counts again")
        else:
            waived[id(found)] = (found, waiver)
    closed = [found for found in by_finding.values() if id(found) not in waived]
    return closed, list(waived.values()), expired, stale


def _instead(line: VerdictLine, waiver: Waiver) -> str:
    """What a case says now instead of what ``waiver`` names."""
    for found in _findings(line):
        if found.requirement == waiver.finding.requirement:
            same = found.verdict == waiver.verdict
            return f"the finding is {_key(line, found)} now" if same else f"the verdict is {found.verdict} now"
    verdict = line.verdict.replace("_", " ")
    return f"the case is {verdict} now and has no finding about {waiver.finding.requirement}"


def _holes(asked: Asked) -> Iterator[str]:
    """What is missing from the run itself."""
    executed = sum(line.verdict != "none" for line in asked.records)
    if asked.interrupted:
        yield f"interrupted: {executed} of {asked.planned} purposes came to a verdict"
    elif executed != asked.planned or not asked.planned:
        yield f"incomplete: {executed} of {asked.planned} purposes came to a verdict"
    elif asked.cut_off:
        yield "incomplete: the run has no footer: evidence could not be kept, a worker crashed, or it was cut off"
    for worker in asked.crashed[:_TOLD]:
        yield f"crashed: {worker} ended by itself; what it left another one did, or it is missing"
    for loss in asked.losses[:_TOLD]:
        yield f"lost: {loss.sentence}"
    for case in asked.missing[:_TOLD]:
        yield f"no verdict: {case}"
    if len(asked.missing) > _TOLD:
        yield f"no verdict: and {len(asked.missing) - _TOLD} more"
    if asked.records and not any(line.applicable for line in asked.records):
        yield "nothing applied: every purpose was skipped, so the run says nothing of the device"


def _undecided(gate: Gate, asked: Asked, catalogue: Catalogue, purposes: Mapping[str, Purpose]) -> Iterator[str]:
    """What the gate's profile demands and the run did not decide."""
    if gate.profile is None:
        return
    profile = gate.profile
    for name in dict.fromkeys(line.device for line in asked.records):
        if name not in asked.devices:
            yield f"{gate.name}: the run does not say what {name} declares"
    for name, device in asked.devices.items():
        yield from (f"{gate.name}: {why}" for why in unmet(profile, name, device, asked.records, catalogue, purposes))


def unmet(
    profile: RequirementProfile,
    name: str,
    device: Declared,
    records: Iterable[VerdictLine],
    catalogue: Catalogue,
    purposes: Mapping[str, Purpose],
) -> list[str]:
    """What ``profile`` demands of the device ``name`` and ``records`` do not decide, a sentence each."""
    if not set(device.roles) & set(profile.roles):
        return [f"{name} has none of its roles ({', '.join(profile.roles)}); it is {', '.join(device.roles)}"]
    if not holds(profile.needs, device.pics):
        return [f"{name} does not declare {profile.needs}, without which the profile says nothing"]
    of_case = {line.case: line for line in records}
    found: list[str] = []
    for demand in demands(profile, device, purposes, catalogue):
        carried = [one for one in device.transports if one in catalogue[demand.requirement].transports]
        for axes in Axes.product((demand.role,), carried, device.families):
            cases = [CaseId(one, name, axes.role, axes.transport, axes.family) for one in demand.purposes]
            lines = {case: of_case.get(case) for case in cases}
            found += _not_decided(demand, lines, purposes)
    return found


def _not_decided(
    demand: Demand, lines: Mapping[CaseId, VerdictLine | None], purposes: Mapping[str, Purpose]
) -> Iterator[str]:
    """Why what the records of its purposes say is no decision of ``demand``.

    Every purpose has to have a record.  One that cannot be asked of this device (it has no re-INVITE, no such number)
    is made up for by another one that decides the same requirement; one that the window is too short for is not.
    """
    decided, skipped = False, []
    for case, line in lines.items():
        purpose, where = case.purpose, f"({case.where})"
        if line is None:
            yield f"not executed: {demand.requirement} in {purpose} {where}"
        elif any(row.id == demand.requirement for row in line.requirements):
            decided = True
        elif line.applicable or purposes[purpose].least_window > line.window_s:
            decided = True  # or told here
            yield f"not decided: {demand.requirement} in {purpose} {where}: {line.reason or 'no finding'}"
        else:
            skipped.append(f"{purpose}: {line.reason or 'it was skipped'}")
    if skipped and not decided:
        yield f"not decided: {demand.requirement} ({next(iter(lines)).where}): {'; '.join(skipped)}"
