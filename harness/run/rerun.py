"""The cases of a stored run that did not pass, to be run again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.model.axes import CaseId
from harness.model.outcome import SKIPPED
from harness.store.stored_run import read_run
from harness.store.verdict_lines import Header

PASSED = ("pass", "warn", *SKIPPED)


@dataclass(frozen=True)
class Again:
    """The cases of a run with a bad verdict or without one."""

    folder: Path
    header: Header
    cases: frozenset[CaseId]

    @classmethod
    def of(cls, folder: Path) -> Again:
        """The non-passes of the run in ``folder``, which may have been cut off; EvidenceError if it is no run."""
        folder = folder.resolve()  # ``latest`` leads to this run when this one has begun
        run = read_run(folder, cut_off=True)
        failed = (line.case for line in run.records if line.verdict not in PASSED)
        return cls(folder, run.header, frozenset((*failed, *run.missing)))

    @property
    def devices(self) -> list[str]:
        """The names of the devices that are needed, each once."""
        return sorted({case.device for case in self.cases})
