"""The non-passes of a run for its page: one case after the other, worst first, each a good bug report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.model.finding_key import FindingKey
from harness.model.verdict import Verdict
from harness.purposes.discovery import all_purposes
from harness.report.causes import by_cause
from harness.report.evidence_view import Evidence, EvidenceRoom
from harness.report.reproduce import reproduce
from harness.report.text import unseen_entries
from harness.requirements.catalogue import Catalogue
from harness.store.stored_run import StoredRun
from harness.store.verdict_lines import RequirementLine, VerdictLine

SECTIONS = ("fail", "inconclusive", "warn")


@dataclass(frozen=True)
class FindingView:
    """One requirement that did not pass."""

    requirement: str
    level: str
    verdict: str
    text: str
    clause: str
    link: str
    entries: tuple[tuple[str, str], ...]
    """The texts, each with the key of its label below ``finding.``."""
    weak: bool
    """Whether the clause itself allows alternatives."""


@dataclass(frozen=True)
class CaseView:
    """One purpose on one device that did not pass."""

    anchor: str
    purpose: str
    summary: str
    device: str
    role: str
    transport: str
    verdict: str
    drives: int
    flows: int
    """How many flows it rests on."""
    everywhere: bool
    """An invariant: it is judged in whatever was driven for others."""
    alone: bool
    """The device was lost, and lost again when the plan was driven alone: that is its second drive."""
    reason: str
    findings: tuple[FindingView, ...]
    reproduce: str
    evidence: tuple[Evidence, ...]
    further: tuple[str, ...]


@dataclass(frozen=True)
class Unused:
    """Tests that could not run for one common reason, shown as one entry."""

    device: str
    reason: str
    doing: str
    purposes: tuple[str, ...]


@dataclass(frozen=True)
class Alike:
    """Cases of one cause: one entry, which holds them all."""

    cases: tuple[CaseView, ...]
    reason: str
    """That of the first one."""
    doing: str
    """Whose doing it is; empty where that is not asked."""


@dataclass(frozen=True)
class Section:
    """The non-passes with one verdict."""

    name: str
    groups: tuple[Alike, ...]
    """In order; most hold one case."""
    unused: tuple[Unused, ...]

    @property
    def size(self) -> int:
        """The number of tests that it shows."""
        return sum(len(group.cases) for group in self.groups) + sum(len(unused.purposes) for unused in self.unused)


def sections(run: StoredRun, room: EvidenceRoom, catalogue: Catalogue, summaries: Mapping[str, str]) -> list[Section]:
    """The sections for fails, inconclusive tests and warnings; empty ones are left out."""
    sources = {name: device.source for name, device in run.devices.items()}
    anchors: set[str] = set()
    made = []
    for name in SECTIONS:
        # A missing verdict is a gap in the run: it is shown with the inconclusive ones.
        names = {name, "none"} if name == "inconclusive" else {name}
        records = [record for record in run.records if record.verdict in names]
        records.sort(key=lambda record: (record.device, record.purpose, record.role))
        groups = [
            Alike(
                tuple(
                    _case(one, catalogue, summaries, room, anchors, run.header.window, sources.get(one.device, ""))
                    for one in alike
                ),
                alike[0].reason,
                alike[0].doing,
            )
            for alike in by_cause([record for record in records if record.drives])
        ]
        section = Section(name, tuple(groups), _unused(record for record in records if not record.drives))
        if section.size:
            made.append(section)
    return made


def _unused(records: Iterable[VerdictLine]) -> tuple[Unused, ...]:
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for record in records:
        grouped.setdefault((record.device, record.reason, record.doing), []).append(record.purpose)
    return tuple(Unused(*key, tuple(purposes)) for key, purposes in grouped.items())


def _case(
    record: VerdictLine,
    catalogue: Catalogue,
    summaries: Mapping[str, str],
    room: EvidenceRoom,
    anchors: set[str],
    window: str,
    source: str,
) -> CaseView:
    worst = sorted((row for row in record.requirements if row.rank > Verdict.PASS), key=lambda row: -row.rank)
    evidence, further = room.of(record, worst)
    purpose = all_purposes().get(record.purpose)
    everywhere = purpose is not None and purpose.everywhere
    return CaseView(
        anchor=_anchor(f"{record.device}-{record.role}-{record.purpose}", anchors),
        purpose=record.purpose,
        summary=summaries.get(record.purpose, ""),
        device=record.device,
        role=record.role,
        transport=record.transport,
        verdict=record.verdict,
        drives=record.drives,
        flows=len(record.flows),
        everywhere=everywhere,
        alone=record.verdict == "fail" and record.drives == 1 and not everywhere,
        reason=record.reason,
        findings=tuple(_finding(line, record.key(line), catalogue) for line in worst),
        reproduce=reproduce(record.case, window=window, source=source),
        evidence=tuple(evidence),
        further=tuple(further),
    )


def _finding(line: RequirementLine, key: FindingKey, catalogue: Catalogue) -> FindingView:
    row = catalogue.rows.get(line.id)
    return FindingView(
        requirement=line.id,
        level=line.level,
        verdict=line.verdict,
        text=row.requirement if row else "",
        clause=row.clause if row else "",
        link=row.link if row else "",
        entries=tuple((label, text) for label, text in (*_entries(line), ("finding", str(key))) if text),
        weak=bool(row and row.optional_only),
    )


def _entries(line: RequirementLine) -> Iterable[tuple[str, str]]:
    for number, text in enumerate(line.expected):
        yield ("or" if number else "expected"), text
    actual = line.actual or line.reason
    if line.outcome == "unseen":
        for label, text in unseen_entries(actual, line.code):
            yield label.replace(" ", "_"), text
        yield "unseen_means", "-"
    else:
        yield "actual", f"{actual} ({line.where})" if line.where else actual
    yield from (("means", line.means), ("look_at", line.look_at), ("note", line.note))


def _anchor(text: str, taken: set[str]) -> str:
    base = re.sub(r"[^a-zA-Z0-9_.-]+", "-", text)[:150]
    anchor = base
    number = 2
    while anchor in taken:
        anchor, number = f"{base}-{number}", number + 1
    taken.add(anchor)
    return anchor
