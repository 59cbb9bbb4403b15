"""What of a stored run did not pass and is to be run once more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import EvidenceError
from harness.model.axes import CaseId
from harness.model.windows import WINDOWS
from harness.store.stored_run import read_run

PASSED = ("pass", "warn", "not_applicable")


@dataclass(frozen=True)
class Again:
    """The cases of a run that came to no good verdict, or to none."""

    folder: Path
    header: Mapping[str, Any]
    cases: frozenset[CaseId]

    @classmethod
    def of(cls, folder: Path) -> Again:
        """What is left of the run in ``folder``, which may have been cut off; EvidenceError if it is none."""
        run = read_run(folder, cut_off=True)
        if run.header["window"] not in tuple(WINDOWS):
            raise EvidenceError(f"{folder}: expected a run in one of the windows {', '.join(WINDOWS)}")
        failed = (CaseId.of(line) for line in run.records if line["verdict"] not in PASSED)
        return cls(folder, run.header, frozenset((*failed, *run.missing)))

    @property
    def devices(self) -> list[str]:
        """The names of the devices that are needed, each once."""
        return sorted({case.device for case in self.cases})
