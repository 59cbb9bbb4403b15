"""What judges say: findings, and the record of a purpose that is made from them.

A judge only observes (satisfied, violated, unseen); what a violation costs is ruled by the catalogue
(:mod:`harness.requirements.ruling`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from harness.model.axes import Role
from harness.model.outcome import Skipped
from harness.model.verdict import Verdict
from harness.net.address import Family, Passage

Outcome = Literal["satisfied", "violated", "unseen"]
Party = Literal["", "harness", "profile", "device"]
"""Whose doing something is: :mod:`harness.purposes.doing`."""
SATISFIED: Final = "as-required"
"""The code of a finding that the device did as required."""
NOT_SEEN: Final = "not-seen"
"""The code of a finding that nothing was seen, where there is only one reason for that."""


@dataclass(frozen=True)
class Finding:
    """One observation about one requirement in one flow."""

    requirement: str
    """The id of the catalogue row."""
    outcome: Outcome
    code: str
    """What was wrong, or why nothing was seen: a stable name (:data:`~harness.model.finding_key.CODE_FORM`).

    One code of a requirement and purpose means one defect.  The sentences beside it may be reworded at any time."""
    expected: tuple[str, ...] = ()
    """The allowed outcomes."""
    actual: str = ""
    """What was seen; for ``unseen``: why it could not be."""
    event: int | None = None
    """The number of the decisive message in the flow."""
    flow: str = ""
    """The id of that flow, where a verdict rests on many."""
    where: str = ""
    """That message in words: ``message 4 of 9, at callee``."""
    means: str = ""
    """What a user of the device notices."""
    look_at: str = ""
    """What to look at next."""
    at_most: Verdict = Verdict.FAIL
    """The worst verdict this very violation may get, where the row's ruling distinguishes cases."""
    at_least: Verdict = Verdict.NONE
    """The least verdict it gets, where the ruling's note makes one case worse than the rest of its row."""
    note: str = ""
    """An observation that changes no verdict (the catalogue's "info")."""
    unproven: str = ""
    """Where silence was seen but not proven: the condition that was missing.  ``code`` names its kind."""


@dataclass(frozen=True)
class Ruled:
    """A finding with the verdict that the catalogue, the device's PICS and the run's ruling give it."""

    finding: Finding
    level: str
    verdict: Verdict
    reason: str
    """One line: why this verdict."""


@dataclass(frozen=True)
class Record:
    """The verdict of one purpose on one device; ``verdicts.jsonl`` keeps it as a line (harness.store.verdict_lines)."""

    purpose: str
    """``uac/decline/decline_is_final``: folder, topic and sentence."""
    device: str
    role: Role
    transport: Passage
    family: Family
    verdict: Verdict
    skipped: Skipped | None
    """Why the case was not asked, if it was not; the verdict is then NONE and written as this word."""
    reason: str
    requirements: tuple[Ruled, ...]
    window_s: float
    drives: int
    """How often the plan was driven (2 when a fail was to be confirmed)."""
    evidence: tuple[str, ...]
    """Ids of the flows: ``flows/<id>.json`` in the run's folder."""
    doing: Party = ""
    """Whose doing it is that the case is inconclusive; "" if it is not."""
