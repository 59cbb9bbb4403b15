"""``sipverdict matrix``: writes the matrix of devices and requirements over several runs."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from harness.commands.pcap import write_files
from harness.errors import EvidenceError
from harness.report.matrix import Matrix, as_json, as_page, matrix
from harness.report.page import suite
from harness.report.words import words
from harness.store.files import write_whole
from harness.store.stored_run import StoredRun, read_run


def show(folders: Sequence[str], language: str, out: str | None, *, json: bool) -> int:
    """Write the matrix of the runs in ``folders``: a page (beside the first run, unless ``out``), or JSON."""
    texts = words(language)
    runs = [read_run(Path(folder), cut_off=True) for folder in folders]
    made = matrix(runs, suite())
    if json and out is None:
        print(as_json(made))
        return 0
    path = Path(out) if out else Path(folders[0]).resolve() / "matrix.html"
    if not json:
        _write_pcaps(runs, made)
    write_whole(path, as_json(made) + "\n" if json else as_page(made, texts, path.resolve()))
    print(path)
    return 0


def _write_pcaps(runs: Sequence[StoredRun], made: Matrix) -> None:
    """The packets that the page's cells link to, beside the flows that they are made of: RUN/pcap."""
    for run in runs:
        flows = {flow for column in made.columns if column.folder == run.folder for flow in column.decisive.values()}
        for flow in sorted(flows):
            # A run of a stranger may lack what its verdicts name: its matrix is worth having all the same.
            with contextlib.suppress(EvidenceError):
                write_files(run, [flow])
