"""What did not pass, as a page tells it: one case after the other, worst first, each a good bug report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.model.axes import CaseId
from harness.model.finding_key import FindingKey
from harness.model.verdict import Verdict
from harness.report.case import reproduce
from harness.report.evidence_view import Evidence, EvidenceRoom
from harness.report.text import unseen_entries
from harness.requirements.catalogue import Catalogue
from harness.store.stored_run import StoredRun

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
    """What is told, each with the key of its label below ``finding.``."""
    weak: bool
    """Whether the clause itself leaves a choice."""


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
    reason: str
    findings: tuple[FindingView, ...]
    reproduce: str
    evidence: tuple[Evidence, ...]
    further: tuple[str, ...]


@dataclass(frozen=True)
class Unused:
    """Purposes that could not be run, for one reason: one piece of news, not one for each."""

    device: str
    reason: str
    purposes: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """All of one verdict."""

    name: str
    cases: tuple[CaseView, ...]
    unused: tuple[Unused, ...]

    @property
    def size(self) -> int:
        """How many purposes it tells of."""
        return len(self.cases) + sum(len(unused.purposes) for unused in self.unused)


def sections(run: StoredRun, catalogue: Catalogue, summaries: Mapping[str, str]) -> list[Section]:
    """What failed, what could not be told and what is to be warned of; those without cases are left out."""
    room = EvidenceRoom(run)
    window = run.header["window"] if isinstance(run.header["window"], str) else "quick"
    anchors: set[str] = set()
    made = []
    for name in SECTIONS:
        # No verdict at all is a hole in the run: it stands with what could not be told.
        names = {name, "none"} if name == "inconclusive" else {name}
        records = [record for record in run.records if record["verdict"] in names]
        records.sort(key=lambda record: (str(record.get("device", "")), record["purpose"], record["role"]))
        section = Section(
            name,
            tuple(_case(record, catalogue, summaries, room, anchors, window) for record in records if record["drives"]),
            _unused(record for record in records if not record["drives"]),
        )
        if section.size:
            made.append(section)
    return made


def _unused(records: Iterable[Mapping[str, Any]]) -> tuple[Unused, ...]:
    grouped: dict[tuple[str, str], list[str]] = {}
    for record in records:
        grouped.setdefault((str(record.get("device", "")), str(record.get("reason", ""))), []).append(record["purpose"])
    return tuple(Unused(device, reason, tuple(purposes)) for (device, reason), purposes in grouped.items())


def _case(
    record: Mapping[str, Any],
    catalogue: Catalogue,
    summaries: Mapping[str, str],
    room: EvidenceRoom,
    anchors: set[str],
    window: str,
) -> CaseView:
    case = CaseId.of(record)
    worst = sorted(
        (told for told in record["requirements"] if Verdict.named(told["verdict"]) > Verdict.PASS),
        key=lambda told: -Verdict.named(told["verdict"]),
    )
    evidence, further = room.of(record, worst)
    return CaseView(
        anchor=_anchor(f"{case.device}-{case.role}-{case.purpose}", anchors),
        purpose=record["purpose"],
        summary=summaries.get(record["purpose"], ""),
        device=case.device,
        role=case.role,
        transport=case.transport,
        verdict=record["verdict"],
        drives=record["drives"],
        reason=str(record.get("reason", "")),
        findings=tuple(_finding(told, record, catalogue) for told in worst),
        reproduce=reproduce(case, window),
        evidence=tuple(evidence),
        further=tuple(further),
    )


def _finding(told: Mapping[str, Any], record: Mapping[str, Any], catalogue: Catalogue) -> FindingView:
    row = catalogue.rows.get(told["id"])
    key = FindingKey(told["id"], record["purpose"], record["role"], told["code"])
    return FindingView(
        requirement=told["id"],
        level=told["level"],
        verdict=told["verdict"],
        text=row.requirement if row else "",
        clause=row.clause if row else "",
        link=row.link if row else "",
        entries=tuple((label, text) for label, text in (*_entries(told), ("finding", str(key))) if text),
        weak=bool(row and row.optional_only),
    )


def _entries(told: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for number, text in enumerate(_texts(told.get("expected"))):
        yield ("or" if number else "expected"), text
    actual = str(told.get("actual") or told["reason"])
    if told.get("outcome") == "unseen":
        for label, text in unseen_entries(actual, told["code"]):
            yield label.replace(" ", "_"), text
        yield "unseen_means", "-"
    else:
        yield "actual", f"{actual} ({told['where']})" if told.get("where") else actual
    for label in ("means", "look_at", "note"):
        yield label, str(told.get(label) or "")


def _texts(value: object) -> Sequence[str]:
    return [str(text) for text in value] if isinstance(value, list) else [str(value)] if value else []


def _anchor(text: str, taken: set[str]) -> str:
    base = re.sub(r"[^a-zA-Z0-9_.-]+", "-", text)[:150]
    anchor = base
    number = 2
    while anchor in taken:
        anchor, number = f"{base}-{number}", number + 1
    taken.add(anchor)
    return anchor
