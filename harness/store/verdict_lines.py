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
from harness.model.finding import Outcome, Record, Ruled
from harness.model.finding_key import CODE_FORM, FindingKey
from harness.model.outcome import NOT_APPLICABLE, VerdictName
from harness.model.verdict import FindingVerdict, Verdict
from harness.model.windows import WindowName
from harness.net.address import Family, Transport
from harness.requirements.ruling import Mode

LostRuling = Literal["open", "killed", "once", "gone", "idle"]
Count = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(min_length=1)]
Code = Annotated[str, Field(pattern=f"^(?:{CODE_FORM.pattern})$")]
FlowPath = Annotated[str, Field(pattern=r"^flows/[A-Za-z0-9][A-Za-z0-9._-]{0,199}\.json$")]


@dataclass(frozen=True)
class Declared:
    """What a run's header says of a device: who it is, what it claims and what the tester gave it."""

    name: str
    roles: tuple[Role, ...]
    transports: tuple[Transport, ...]
    families: tuple[Family, ...]
    pics: Mapping[str, bool]
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    serial: str = ""
    pixit: Mapping[str, Any] = field(default_factory=dict)
    """Without secrets."""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Header:
    """What a run is, said before its first verdict."""

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
    """How many cases are to come to a verdict."""
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
    """Whether the suite differed from that commit; True as well where git could not tell."""
    suite_digest: str = ""
    """SHA-256 over the suite's files."""
    again: str = ""
    """The run of which this one repeats what did not pass."""
    weather: str = ""
    """What the taps did to messages on purpose; empty: nothing."""


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
        """The line that is written of ``ruled``."""
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
    transport: Transport
    family: Family
    verdict: VerdictName
    reason: str
    requirements: tuple[RequirementLine, ...]
    window_s: Annotated[float, Field(ge=0)]
    drives: Count
    evidence: tuple[FlowPath, ...]
    """The flows that it rests on."""

    @classmethod
    def of(cls, record: Record) -> VerdictLine:
        """The line that is written of ``record``."""
        return cls(
            purpose=record.purpose,
            device=record.device,
            role=record.role,
            transport=record.transport,
            family=record.family,
            verdict=record.verdict.word if record.applicable else NOT_APPLICABLE,
            reason=record.reason,
            requirements=tuple(map(RequirementLine.of, record.requirements)),
            window_s=record.window_s,
            drives=record.drives,
            evidence=tuple(f"flows/{flow}.json" for flow in record.evidence),
        )

    @property
    def applicable(self) -> bool:
        """Whether the device was tested: it has the role and claims the feature."""
        return self.verdict != NOT_APPLICABLE

    @property
    def rank(self) -> Verdict:
        """The verdict on its scale; NONE where it does not apply."""
        return Verdict.named(self.verdict) if self.applicable else Verdict.NONE

    @cached_property
    def case(self) -> CaseId:
        """The case that it is about: no other line of the run has it."""
        return CaseId(self.purpose, self.device, self.role, self.transport, self.family)

    def key(self, row: RequirementLine) -> FindingKey:
        """The key of one of the findings in ``requirements``."""
        return FindingKey(row.id, self.purpose, self.role, row.code)

    @property
    def flows(self) -> tuple[str, ...]:
        """The ids of the flows that it rests on."""
        return tuple(path.removeprefix("flows/").removesuffix(".json") for path in self.evidence)


@dataclass(frozen=True)
class Deviation:
    """One difference between a run and what is expected of a device."""

    device: str
    purpose: str
    role: Role
    transport: Transport
    family: Family
    requirement: str
    expected: str
    """A verdict: ``pass`` for what is not mentioned."""
    got: str
    """A verdict, or ``not_applicable``."""
    kind: Literal["worse", "better", "missing"]
    """``missing``: what was expected could not be compared, for it came to no verdict."""
    note: str = ""

    @property
    def sentence(self) -> str:
        """It in one line."""
        where = f"{self.purpose} ({self.role})"
        note = f" ({self.note})" if self.note else ""
        return f"{self.device}  {self.requirement}  {where}: expected {self.expected}, got {self.got}{note}"


@dataclass(frozen=True)
class Compared:
    """A run against what is expected of its devices."""

    file: str
    known: int
    """How many non-passes are as expected."""
    deviations: tuple[Deviation, ...]


@dataclass(frozen=True)
class Waived:
    """A finding that a gate let through."""

    owner: str
    reason: str
    expires: date
    device: str
    transport: Transport
    family: Family
    verdict: FindingVerdict
    finding: str
    """The finding's key, as :class:`harness.model.finding_key.FindingKey` writes it."""


@dataclass(frozen=True)
class Gated:
    """The answer of the gate that was asked at the end of a run."""

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
    """The end of a run: how many verdicts there are, and what was compared."""

    executed: Count
    counts: Mapping[str, Count]
    verdict: VerdictName
    pics: tuple[Observation, ...] = ()
    """What was seen of each claim."""
    expected: Compared | None = None
    gate: Gated | None = None
    losses: tuple[LostLine, ...] = ()
    """Every time that a device was lost."""
