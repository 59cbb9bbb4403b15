"""What verdicts amount to: the outcome of a run and its exit status."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from harness.errors import EvidenceError, Nonconformity, SetupError
from harness.model.verdict import FindingVerdict, Verdict, combine

NOT_TESTED: Final = "not_tested"
NOT_APPLICABLE: Final = "not_applicable"
Skipped = Literal["not_tested", "not_applicable"]
"""Why a case has no verdict.

``not_applicable``: the device's claims or its transport do not bind it.  ``not_tested``: the requirements bind the
device, but this run could not ask: the window was too short, the profile lacks something, or there was no occasion.
"""
SKIPPED: tuple[str, ...] = get_args(Skipped)
VerdictName = Literal[FindingVerdict, Skipped]
"""The verdict of a case as it is written in ``verdicts.jsonl``."""
NAMES: tuple[str, ...] = get_args(VerdictName)
"""All of them, worst first."""


class ExitStatus(enum.IntEnum):
    """What the command says to the shell."""

    CONFORMING = 0
    NOT_CONFORMING = 1
    INCONCLUSIVE = 2
    """No fail, but something could not be told, or is missing."""
    SETUP = 3
    EVIDENCE = 4

    @classmethod
    def of_error(cls, error: BaseException) -> ExitStatus:
        """The status for a run or command that ended with ``error``."""
        if isinstance(error, EvidenceError):
            return cls.EVIDENCE
        if isinstance(error, Nonconformity):
            return cls.NOT_CONFORMING
        return cls.SETUP if isinstance(error, SetupError) else cls.INCONCLUSIVE


@dataclass(frozen=True)
class Tally:
    """The verdicts of a run, counted."""

    planned: int
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many purposes got each verdict, by its name in ``verdicts.jsonl``."""
    lost: int = 0
    """How often a device was lost."""

    @classmethod
    def of(cls, names: Iterable[str], planned: int) -> Tally:
        """The tally of verdicts written as ``names``."""
        counted = Counter(names)
        return cls(planned, {name: counted[name] for name in NAMES if counted[name]})

    @property
    def executed(self) -> int:
        """How many purposes came to a verdict (a skipped one did, ``none`` is none)."""
        return sum(self.counts.values()) - self.counts.get(str(Verdict.NONE), 0)

    @property
    def complete(self) -> bool:
        """Whether everything planned was executed, and anything was."""
        return self.executed == self.planned > 0 and str(Verdict.NONE) not in self.counts

    @property
    def verdict(self) -> Verdict:
        """The verdict of the run: fail, then inconclusive or incomplete, then warn and pass.

        A run in which every case was skipped says nothing of the device, and one whose device was lost does not conform
        even if everything passed before and after: inconclusive.
        """
        worst = combine(Verdict.named(name) for name in self.counts if name not in SKIPPED)
        sound = self.complete and worst is not Verdict.NONE and not self.lost
        return worst if sound else max(worst, Verdict.INCONCLUSIVE)

    @property
    def exit_status(self) -> ExitStatus:
        """The exit status of the run."""
        return {Verdict.FAIL: ExitStatus.NOT_CONFORMING, Verdict.INCONCLUSIVE: ExitStatus.INCONCLUSIVE}.get(
            self.verdict, ExitStatus.CONFORMING
        )
