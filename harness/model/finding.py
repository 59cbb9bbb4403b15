"""What judges say: findings, and the record of a purpose that is made from them.

A judge only observes (satisfied, violated, unseen); what a violation costs is ruled by the catalogue
(:mod:`harness.requirements.ruling`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.model.fingerprint import fingerprint
from harness.model.verdict import Verdict

Outcome = Literal["satisfied", "violated", "unseen"]


@dataclass(frozen=True)
class Finding:
    """One observation about one requirement in one flow."""

    requirement: str
    """The id of the catalogue row."""
    outcome: Outcome
    expected: tuple[str, ...] = ()
    """The allowed outcomes."""
    actual: str = ""
    """What was seen; for ``unseen``: why it could not be."""
    event: int | None = None
    """The number of the decisive message in the flow."""
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

    @property
    def fingerprint(self) -> str:
        """Its short name, the same in every run: what a waiver names."""
        return fingerprint(self.requirement, self.outcome, self.expected, self.actual)


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
    role: str
    transport: str
    verdict: Verdict
    applicable: bool
    """False: skipped, with ``reason``; the verdict is then NONE and written as ``not_applicable``."""
    reason: str
    requirements: tuple[Ruled, ...]
    window_s: float
    drives: int
    """How often the plan was driven (2 when a fail was to be confirmed)."""
    evidence: tuple[str, ...]
    """Ids of the flows: ``flows/<id>.json`` in the run's folder."""
