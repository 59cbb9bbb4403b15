"""Every case of a run as a row, and every flow that no finding has drawn: a pass has evidence, too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.report.evidence_view import Evidence, EvidenceRoom
from harness.report.steps import times_of
from harness.requirements.catalogue import Catalogue
from harness.store.stored_run import StoredRun
from harness.store.verdict_lines import VerdictLine


@dataclass(frozen=True)
class CaseRow:
    """One case of the run."""

    verdict: str
    purpose: str
    summary: str
    device: str
    role: str
    transport: str
    requirements: tuple[str, ...]
    clauses: tuple[str, ...]
    reason: str
    seconds: float
    """How long its plans were driven and watched."""
    ladders: tuple[tuple[str, str], ...]
    """Flow and anchor of each ladder that the page shows of it."""
    further: int
    """How many more flows it has."""
    repeated: bool
    """Whether it is of a repetition that was merged into the run."""


SHOWN = 3
"""Ladders that a row links to; an invariant rests on a hundred flows."""


def all_cases(
    run: StoredRun,
    room: EvidenceRoom,
    catalogue: Catalogue,
    summaries: Mapping[str, str],
    rows: Mapping[str, Sequence[str]],
) -> tuple[list[CaseRow], list[Evidence]]:
    """A row for each case, in the order of the suite; and the ladders that the page does not show elsewhere.

    ``rows`` are the requirements of each purpose, for the cases that came to no finding.
    """
    more: dict[str, Evidence] = {}
    repeated = set(run.header.repeated)
    made = []
    for record in run.records:
        about = [row.id for row in record.requirements] or list(rows.get(record.purpose, ()))
        ladders = []
        for flow in record.flows[:SHOWN]:
            shown = room.shown(flow)
            if shown is None:
                shown = more[flow] = room.show(flow)
            if shown.svg is not None or shown.repeated:
                ladders.append((flow, shown.anchor))
        made.append(
            CaseRow(
                verdict=record.verdict,
                purpose=record.purpose,
                summary=summaries.get(record.purpose, ""),
                device=record.device,
                role=record.role,
                transport=record.transport,
                requirements=tuple(about),
                clauses=tuple(dict.fromkeys(catalogue[row].clause for row in about if row in catalogue)),
                reason=_reason(record),
                seconds=times_of(room.flows(record.flows))[2],
                ladders=tuple(ladders),
                further=max(len(record.flows) - SHOWN, 0),
                repeated=record.case in repeated,
            )
        )
    return made, [one for one in more.values() if one.svg is not None]


def _reason(record: VerdictLine) -> str:
    return record.reason or next((row.reason for row in record.requirements if row.reason), "")


def began_and_took(run: StoredRun, room: EvidenceRoom, flows: Iterable[str]) -> tuple[float, float]:
    """When the first drive of ``run`` began (seconds since the epoch), and seconds until the end of the last one."""
    began, ended, _ = times_of(room.flows(flows))
    return began, ended - began
