"""What judges say: findings, and the record of a purpose that is made from them.

A judge only observes (satisfied, violated, unseen); what a violation costs is ruled by the catalogue
(:mod:`harness.requirements.ruling`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from harness.model.axes import CaseId, Role
from harness.model.finding_key import FindingKey
from harness.model.verdict import Verdict
from harness.net.address import Family, Transport

Outcome = Literal["satisfied", "violated", "unseen"]
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
    """The verdict of one purpose on one device: a line of ``verdicts.jsonl``."""

    purpose: str
    """``uac/decline/decline_is_final``: folder, topic and sentence."""
    device: str
    role: Role
    transport: Transport
    family: Family
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

    @property
    def case(self) -> CaseId:
        """The case that it is about."""
        return CaseId(self.purpose, self.device, self.role, self.transport, self.family)

    def key(self, ruled: Ruled) -> FindingKey:
        """The key of one of the findings in ``requirements``."""
        return FindingKey(ruled.finding.requirement, self.purpose, self.role, ruled.finding.code)

    def dump(self) -> dict[str, Any]:
        """All of it as plain data; :meth:`load` is the way back."""
        return asdict(self) | {"verdict": str(self.verdict), "requirements": [_dump(r) for r in self.requirements]}

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> Record:
        """The record that :meth:`dump` made into ``stored`` (and JSON may have carried)."""
        return cls(
            **dict(stored)
            | {
                "verdict": Verdict.named(stored["verdict"]),
                "requirements": tuple(map(_load, stored["requirements"])),
                "evidence": tuple(stored["evidence"]),
            }
        )

    def line(self) -> Mapping[str, Any]:
        """The object of this record in ``verdicts.jsonl``."""
        return {
            "purpose": self.purpose,
            "device": self.device,
            "role": self.role,
            "transport": self.transport,
            "family": self.family,
            "verdict": str(self.verdict) if self.applicable else "not_applicable",
            "reason": self.reason,
            "requirements": [requirement_line(ruled) for ruled in self.requirements],
            "window_s": self.window_s,
            "drives": self.drives,
            "evidence": [f"flows/{flow}.json" for flow in self.evidence],
        }


def requirement_line(ruled: Ruled) -> Mapping[str, Any]:
    """The object of one requirement in a record's line."""
    finding = ruled.finding
    return {
        "id": finding.requirement,
        "level": ruled.level,
        "verdict": str(ruled.verdict),
        "outcome": finding.outcome,
        "reason": ruled.reason,
        "expected": list(finding.expected),
        "actual": finding.actual,
        "message": finding.event,
        "flow": finding.flow,
        "where": finding.where,
        "means": finding.means,
        "look_at": finding.look_at,
        "note": finding.note,
        "unproven": finding.unproven,
        "code": finding.code,
    }


def _dump(ruled: Ruled) -> dict[str, Any]:
    limits = {"at_most": str(ruled.finding.at_most), "at_least": str(ruled.finding.at_least)}
    finding = asdict(ruled.finding) | limits
    return asdict(ruled) | {"verdict": str(ruled.verdict), "finding": finding}


def _load(stored: Mapping[str, Any]) -> Ruled:
    said = stored["finding"]
    finding = Finding(
        **dict(said)
        | {
            "expected": tuple(said["expected"]),
            "at_most": Verdict.named(said["at_most"]),
            "at_least": Verdict.named(said["at_least"]),
        }
    )
    return Ruled(**dict(stored) | {"finding": finding, "verdict": Verdict.named(stored["verdict"])})
