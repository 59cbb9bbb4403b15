"""Inconclusive cases of one cause, for the summaries: in a terminal and in a page they are one entry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.model.verdict import Verdict
from harness.store.verdict_lines import VerdictLine

SEVERAL: Final = 3
"""From so many on, cases of one cause share an entry."""
WHOSE: Final = {"harness": "the harness or its window", "profile": "the profile", "device": "the device"}
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)*")


@dataclass(frozen=True)
class Cause:
    """What several inconclusive cases of one device have in common."""

    device: str
    doing: str
    code: str
    """The code of the worst finding; empty where nothing was driven."""
    text: str
    """The reason without numbers; empty where the code says all, as with a proof that is missing."""


def cause_of(record: VerdictLine) -> Cause | None:
    """Why ``record`` is inconclusive, in a form that others can equal; None for any other verdict."""
    if record.verdict != "inconclusive":
        return None
    worst = max(record.requirements, key=lambda row: row.rank, default=None)
    if worst is None or worst.rank is not Verdict.INCONCLUSIVE:
        return Cause(record.device, record.doing, "", _plain(record.reason))
    # Which guard the proof is missing for makes no other cause.
    return Cause(record.device, record.doing, worst.code, "" if worst.unproven else _plain(record.reason))


def by_cause(records: Sequence[VerdictLine]) -> list[tuple[VerdictLine, ...]]:
    """``records`` in their order; those of one cause together in the place of the first, if there are several."""
    shared: dict[Cause, list[VerdictLine]] = {}
    for record in records:
        if cause := cause_of(record):
            shared.setdefault(cause, []).append(record)
    groups: list[tuple[VerdictLine, ...]] = []
    for record in records:
        cause = cause_of(record)
        alike = shared[cause] if cause else []
        if len(alike) < SEVERAL:
            groups.append((record,))
        elif alike[0] is record:
            groups.append(tuple(alike))
    return groups


def _plain(reason: str) -> str:
    return _NUMBER.sub("#", reason)
