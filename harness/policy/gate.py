"""The gate: decides from records whether a pipeline may go on.  A pure function: nothing here runs or writes.

Gates: without a name (every verdict counts), ``must`` (fails, and inconclusive verdicts on binding requirements),
``should`` (warnings as well) and ``profile:NAME`` (the requirements of that profile, all of them decided).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from harness.errors import SetupError
from harness.model.axes import CaseId
from harness.model.finding_key import FindingKey
from harness.model.outcome import ExitStatus, VerdictName
from harness.model.scope import Scope
from harness.model.windows import STANDARD
from harness.policy.profiles import RequirementProfile, named
from harness.policy.unmet import unmet
from harness.policy.waivers import NO_REQUIREMENT, Waiver
from harness.purposes.purpose import Purpose
from harness.requirements.catalogue import Catalogue
from harness.store.verdict_lines import Declared, Gated, LostLine, VerdictLine, Waived

_LISTED = 5
"""How many sentences of one kind are listed."""


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
    """The rule by which verdicts count."""

    name: str = ""
    profile: RequirementProfile | None = None
    subset: bool = True
    """Whether a run that asked only a part of the suite may open it."""

    @classmethod
    def of(cls, name: str, catalogue: Catalogue, *, subset: bool = True) -> Gate:
        """The gate of that name ("": every verdict counts); SetupError if there is none."""
        if name in ("", "must", "should"):
            return cls(name, subset=subset)
        kind, colon, profile = name.partition(":")
        if kind == "profile" and colon:
            return cls(name, named(profile, catalogue), subset)
        raise SetupError(f"no gate is called {name[:80]!r}", "--gate takes must, should or profile:NAME")

    def counts(self, line: VerdictLine, found: Found, catalogue: Catalogue) -> bool:
        """Whether the verdict about the requirement of ``found`` in ``line`` keeps the gate shut."""
        verdict, row = found.verdict, found.requirement
        if self.profile is not None:
            mine = row in self.profile.asked and line.role in self.profile.roles
            return mine and verdict in ("fail", "inconclusive", "none")
        if verdict == "warn":
            return self.name == "should" and (row not in catalogue or catalogue[row].level != "MAY")
        if verdict in ("inconclusive", "none") and self.name == "must":
            return row not in catalogue or not catalogue[row].optional_only
        return verdict in ("fail", "inconclusive", "none")


@dataclass(frozen=True)
class GateInput:
    """The facts of a run, stored or just over, that a gate decides on."""

    records: Sequence[VerdictLine]
    planned: int
    missing: tuple[CaseId, ...] = ()
    """Planned cases without a record, as far as they are known."""
    crashed: tuple[str, ...] = ()
    """The processes of the run that crashed."""
    interrupted: bool = False
    cut_off: bool = False
    """The stream has no footer although every record is there: evidence is missing."""
    devices: Mapping[str, Declared] = field(default_factory=dict)
    """What the header says of each device, by name."""
    scope: Scope | None = None
    losses: Sequence[LostLine] = ()
    """Every loss of a device: such a run does not conform, whatever passed afterwards."""


@dataclass(frozen=True)
class Blocking:
    """One finding that counts: it keeps the gate shut unless a waiver covers it."""

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
    """Other problems, a sentence each: what is missing, waivers that are expired or stale."""

    @property
    def sentence(self) -> str:
        """The answer in one line."""
        name = f"gate {self.gate}" if self.gate else "gate"
        let = f", {len(self.waived)} waived" if self.waived else ""
        if self.status is ExitStatus.CONFORMING:
            return f"{name}: open{let}"
        return f"{name}: shut (exit status {int(self.status)}), {len(self.blocking)} findings count{let}"

    def sentences(self, gated: bool) -> Iterator[str]:
        """The sentences at the end of a run; without ``gated`` only the problems."""
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
    run: GateInput,
    waivers: Sequence[Waiver],
    catalogue: Catalogue,
    purposes: Mapping[str, Purpose],
    today: date,
) -> Answer:
    """The answer of ``gate`` to ``run`` on the day ``today``.  Only a profile's gate uses ``purposes``."""
    blocking = [
        Blocking(line, found)
        for line in run.records
        for found in _findings(line)
        if gate.counts(line, found, catalogue)
    ]
    closed, waived, expired, stale = _waive(blocking, run, waivers, today)
    holes = [*_holes(run), *_limits(gate, run), *_undecided(gate, run, catalogue, purposes)]
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
    if not line.tested:
        return
    yield from (Found(row.id, row.verdict, row.reason, row.code) for row in line.requirements)
    if not line.requirements:
        yield Found(NO_REQUIREMENT, line.verdict, line.reason, "no-finding")


def _key(line: VerdictLine, found: Found) -> FindingKey:
    return FindingKey(found.requirement, line.purpose, line.role, found.code)


def _waive(
    blocking: Iterable[Blocking], run: GateInput, waivers: Iterable[Waiver], today: date
) -> tuple[list[Blocking], list[tuple[Blocking, Waiver]], list[str], list[str]]:
    """The findings that count, the waived ones, and sentences about expired and stale waivers."""
    of_run = {line.case: line for line in run.records}
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
            expired.append(
                f"expired: {waiver.title} was valid until {waiver.expires.isoformat()}; its finding counts again"
            )
        else:
            waived[id(found)] = (found, waiver)
    closed = [found for found in by_finding.values() if id(found) not in waived]
    return closed, list(waived.values()), expired, stale


def _instead(line: VerdictLine, waiver: Waiver) -> str:
    """The finding of the case today, where ``waiver`` names another one."""
    for found in _findings(line):
        if found.requirement == waiver.finding.requirement:
            same = found.verdict == waiver.verdict
            return f"the finding is {_key(line, found)} now" if same else f"the verdict is {found.verdict} now"
    verdict = line.verdict.replace("_", " ")
    return f"the case is {verdict} now and has no finding about {waiver.finding.requirement}"


def _holes(run: GateInput) -> Iterator[str]:
    """The gaps in the run itself."""
    executed = sum(line.verdict != "none" for line in run.records)
    if run.interrupted:
        yield f"interrupted: {executed} of {run.planned} test cases came to a verdict"
    elif executed != run.planned or not run.planned:
        yield f"incomplete: {executed} of {run.planned} test cases came to a verdict"
    elif run.cut_off:
        yield "incomplete: the run has no footer; it was cut off, a worker crashed, or evidence could not be stored"
    for worker in run.crashed[:_LISTED]:
        yield f"crashed: {worker}; another process took over its cases, or they are missing"
    for loss in run.losses[:_LISTED]:
        yield f"lost: {loss.sentence}"
    for case in run.missing[:_LISTED]:
        yield f"no verdict: {case}"
    if len(run.missing) > _LISTED:
        yield f"no verdict: and {len(run.missing) - _LISTED} more"
    if run.records and not any(line.tested for line in run.records):
        yield "nothing was tested: every test was skipped, so the run says nothing about the device"


def _limits(gate: Gate, run: GateInput) -> Iterator[str]:
    """Why the run is too small for the gate: a subset of the suite or, for a profile, too short a window."""
    # A profile names what it needs, case by case: of all else it may be silent.
    if run.scope and run.scope.subset and not gate.subset and gate.profile is None:
        yield f"{run.scope.cases}; a gate needs the whole suite (--allow-subset opens it for a subset)"
    shortest = min((line.window_s for line in run.records), default=STANDARD.seconds)
    if gate.profile is not None and shortest < STANDARD.seconds:
        yield f"{gate.name}: the window is {shortest:g} s; a profile needs {STANDARD} or a longer one"


def _undecided(gate: Gate, run: GateInput, catalogue: Catalogue, purposes: Mapping[str, Purpose]) -> Iterator[str]:
    """Requirements of the gate's profile that the run did not decide."""
    if gate.profile is None:
        return
    profile = gate.profile
    for name in dict.fromkeys(line.device for line in run.records):
        if name not in run.devices:
            yield f"{gate.name}: the run does not say what {name} declares"
    for name, device in run.devices.items():
        yield from (f"{gate.name}: {why}" for why in unmet(profile, name, device, run.records, catalogue, purposes))
