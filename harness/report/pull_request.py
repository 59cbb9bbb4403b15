"""The files about a run that a pull request shows: SARIF, code quality, a summary in Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.policy.gate import Answer
from harness.report.code_scanning import code_quality, sarif
from harness.report.step_summary import step_summary
from harness.requirements.catalogue import Catalogue
from harness.store.files import cannot_write, write_whole
from harness.store.provenance import version
from harness.store.stored_run import StoredRun


@dataclass(frozen=True)
class PullRequestFiles:
    """Where each of them is written; None: it is not."""

    sarif: Path | None = None
    code_quality: Path | None = None
    summary: Path | None = None
    """Appended: GitHub's file already has what earlier steps wrote."""

    def write(self, run: StoredRun, answer: Answer) -> None:
        """Write those that are wanted; SetupError if the disk refuses."""
        catalogue = Catalogue.load()
        if self.sarif:
            write_whole(self.sarif, sarif(answer, run.devices, catalogue, version()))
        if self.code_quality:
            write_whole(self.code_quality, code_quality(answer, run.devices))
        if self.summary:
            try:
                with self.summary.open("a", encoding="utf-8", errors="backslashreplace") as file:
                    file.write(step_summary(run, answer, catalogue))
            except OSError as error:
                raise cannot_write(self.summary, error) from error
