"""The lines of ``verdicts.jsonl``: a header, one line per verdict, a footer.

The names of the fields are the keys of the JSON objects, which other programs read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field

from harness.judge.observed import Observation
from harness.model.axes import CaseId, Role
from harness.model.finding import Outcome, Party, Record, Ruled
from harness.model.finding_key import CODE_FORM, FindingKey
from harness.model.outcome import SKIPPED, VerdictName
from harness.model.scope import Scope
from harness.model.verdict import FindingVerdict, Verdict
from harness.model.windows import WINDOWS, WindowName
from harness.net.address import Family, Passage
from harness.requirements.ruling import Mode

LostRuling = Literal["open", "killed", "once", "gone", "idle"]
MOST_ROUNDS = 10_000
"""How many odd responses a run may draw."""
Count = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(min_length=1)]
Code = Annotated[str, Field(pattern=f"^(?:{CODE_FORM.pattern})$")]
FlowPath = Annotated[str, Field(pattern=r"^flows/[A-Za-z0-9][A-Za-z0-9._-]{0,199}\.json$")]


@dataclass(frozen=True)
class Declared:
    """A device in a run's header: its identity, its claims and what the tester gave it."""

    name: str
    roles: tuple[Role, ...]
    transports: tuple[Passage, ...]
    families: tuple[Family, ...]
    pics: Mapping[str, bool]
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    serial: str = ""
    pixit: Mapping[str, Any] = field(default_factory=dict)
    """Without secrets."""
    faults: tuple[str, ...] = ()
    source: str = ""
    """The path of its profile as the command line named it; "" for a device that is built in."""


@dataclass(frozen=True)
class Header:
    """The first line: what is run, on which devices."""

    run: str
    suite: str
    """Version of the suite."""
    sipp: str
    """Version of SIPp."""
    device: Declared
    """The first one."""
    window: WindowName
    ruling: Mode
    planned: Count
    """How many cases are planned."""
    devices: tuple[Declared, ...]
    cases: tuple[CaseId, ...]
    """What is planned, in order."""
    strict: bool = False
    """Whether a violated SHOULD was a fail."""
    repeat: Annotated[int, Field(ge=1)] = 1
    """How many times every case was driven."""
    suite_commit: str = ""
    """The commit of the suite; empty where it is no git checkout."""
    suite_dirty: bool = True
    """Whether the suite differed from that commit; True as well if git could not tell."""
    suite_digest: str = ""
    """SHA-256 over the suite's files."""
    suite_mutants: str = ""
    """How many mutants of the reference device the suite notices, in words; empty: not measured, or not yet known."""
    again: str = ""
    """The run whose non-passes this run repeats; empty: none."""
    repeated: tuple[CaseId, ...] = ()
    """The cases whose verdicts are of the repetition; all others are those of ``again``.  Empty: nothing was merged."""
    weather: str = ""
    """What the taps did to messages on purpose; empty: nothing."""
    rounds: Annotated[int, Field(ge=0, le=MOST_ROUNDS)] = 0
    """How many odd responses were drawn; 0: as many as the suite says."""
    host: str = ""
    """The name of the machine that the suite ran on."""
    whole: Count = 0
    """How many cases the whole suite has for these devices; 0: not known.  More than planned: the run is a subset."""

    @property
    def merger(self) -> str:
        """That the run was made of two, in words; "" if it was not."""
        number = len(self.repeated)
        return f"a merged run: {number} verdicts are of a repetition, the others of {self.again}" if number else ""

    @property
    def scope(self) -> Scope:
        """What the run's verdict covers."""
        return Scope(WINDOWS[self.window].seconds, self.planned, self.whole)


@dataclass(frozen=True)
class RequirementLine:
    """What a verdict says of one requirement."""

    id: Name
    level: str
    verdict: FindingVerdict
    outcome: Outcome
    reason: str
    expected: tuple[str, ...]
    actual: str
    message: int | None
    where: str
    means: str
    look_at: str
    note: str
    unproven: str
    code: Code
    """What was wrong: see :attr:`harness.model.finding.Finding.code`."""
    flow: str = ""
    """The flow of that message, where a verdict rests on many; else empty."""

    @classmethod
    def of(cls, ruled: Ruled) -> RequirementLine:
        """The line for ``ruled``."""
        finding = ruled.finding
        return cls(
            id=finding.requirement,
            level=ruled.level,
            verdict=ruled.verdict.word,
            outcome=finding.outcome,
            reason=ruled.reason,
            expected=finding.expected,
            actual=finding.actual,
            message=finding.event,
            where=finding.where,
            means=finding.means,
            look_at=finding.look_at,
            note=finding.note,
            unproven=finding.unproven,
            code=finding.code,
            flow=finding.flow,
        )

    @property
    def rank(self) -> Verdict:
        """The verdict on its scale."""
        return Verdict.named(self.verdict)


@dataclass(frozen=True)
class VerdictLine:
    """The verdict of one case."""

    purpose: Name
    device: str
    role: Role
    transport: Passage
    family: Family
    verdict: VerdictName
    reason: str
    requirements: tuple[RequirementLine, ...]
    window_s: Annotated[float, Field(ge=0)]
    drives: Count
    evidence: tuple[FlowPath, ...]
    """The flows on which it rests."""
    doing: Party = ""
    """Whose doing it is that the verdict is inconclusive; empty if it is not."""

    @classmethod
    def of(cls, record: Record) -> VerdictLine:
        """The line for ``record``."""
        return cls(
            purpose=record.purpose,
            device=record.device,
            role=record.role,
            transport=record.transport,
            family=record.family,
            verdict=record.skipped or record.verdict.word,
            reason=record.reason,
            requirements=tuple(map(RequirementLine.of, record.requirements)),
            window_s=record.window_s,
            drives=record.drives,
            evidence=tuple(f"flows/{flow}.json" for flow in record.evidence),
            doing=record.doing,
        )

    @property
    def tested(self) -> bool:
        """Whether the device was tested: its claims bind it, and the run could ask."""
        return self.verdict not in SKIPPED

    @property
    def rank(self) -> Verdict:
        """The verdict on its scale; NONE where it was skipped."""
        return Verdict.named(self.verdict) if self.tested else Verdict.NONE

    @cached_property
    def case(self) -> CaseId:
        """The case, which identifies a line within a run."""
        return CaseId(self.purpose, self.device, self.role, self.transport, self.family)

    def key(self, row: RequirementLine) -> FindingKey:
        """The key of one of the findings in ``requirements``."""
        return FindingKey(row.id, self.purpose, self.role, row.code)

    @property
    def flows(self) -> tuple[str, ...]:
        """The ids of the flows on which it rests."""
        return tuple(path.removeprefix("flows/").removesuffix(".json") for path in self.evidence)


@dataclass(frozen=True)
class Deviation:
    """One difference between a run and what is expected of a device."""

    device: str
    purpose: str
    role: Role
    transport: Passage
    family: Family
    requirement: str
    expected: str
    """A verdict: ``pass`` for what is not mentioned."""
    got: str
    """A verdict, or why there is none."""
    kind: Literal["worse", "better", "missing"]
    """``missing``: nothing to compare, because the case came to no verdict."""
    note: str = ""

    @property
    def sentence(self) -> str:
        """It in one line."""
        where = f"{self.purpose} ({self.role})"
        note = f" ({self.note})" if self.note else ""
        return f"{self.device}  {self.requirement}  {where}: expected {self.expected}, got {self.got}{note}"


@dataclass(frozen=True)
class Compared:
    """The comparison of a run with what is expected of its devices."""

    file: str
    known: int
    """How many non-passes are as expected."""
    deviations: tuple[Deviation, ...]


@dataclass(frozen=True)
class Waived:
    """A finding that a waiver excluded from the gate."""

    owner: str
    reason: str
    expires: date
    device: str
    transport: Passage
    family: Family
    verdict: FindingVerdict
    finding: str
    """The finding's key, as :class:`harness.model.finding_key.FindingKey` writes it."""


@dataclass(frozen=True)
class Gated:
    """The answer of the gate at the end of a run."""

    name: str
    status: int
    waived: tuple[Waived, ...]


@dataclass(frozen=True)
class LostLine:
    """The device was lost while it was tested: said once for the run."""

    device: str
    at: float
    how: str
    flow: str
    """The flow in which the device had been sent something last; empty if no test was going on."""
    plan: str
    after: str
    """The last message that it had been sent there; empty if none was."""
    ruling: LostRuling
    """``killed``: the plan did so again, alone.  ``once``: it did not.  ``gone``: the device did not come back.
    ``open``: the run was stopped before that was known."""

    @property
    def sentence(self) -> str:
        """It in one line."""
        clock = datetime.fromtimestamp(self.at, UTC).strftime("%H:%M:%S.%f")[:-3]
        ruling = {
            "killed": "driven alone it happened again, so the tests of this plan fail",
            "once": "driven alone it did not happen again, so the tests of this plan are inconclusive",
            "gone": "the device did not come back, so what had not been tested is inconclusive",
            "idle": "no test was going on just then, and the run is inconclusive",
            "open": "the run was stopped before its cause was known",
        }[self.ruling]
        after = f" after {self.after}" if self.after else ""
        where = f", in flow {self.flow} ({self.plan}){after}" if self.flow else ""
        return f"{self.device} {self.how} at {clock} UTC{where}; {ruling}"


@dataclass(frozen=True)
class Footer:
    """The last line: how many verdicts there are, and how they compare."""

    executed: Count
    counts: Mapping[str, Count]
    verdict: VerdictName
    pics: tuple[Observation, ...] = ()
    """What the flows show of each claim."""
    expected: Compared | None = None
    gate: Gated | None = None
    losses: tuple[LostLine, ...] = ()
    """Every time that a device was lost."""
    conditions: tuple[str, ...] = ()
    """What was wrong with the time of this machine and with the lines to the devices, a sentence each."""
