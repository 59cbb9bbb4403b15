"""``sipverdict matrix``: writes the matrix of devices and requirements over several runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.report.matrix import as_json, as_page, matrix
from harness.report.page import suite
from harness.report.words import words
from harness.store.files import write_whole
from harness.store.stored_run import read_run


def show(folders: Sequence[str], language: str, out: str | None, *, json: bool) -> int:
    """Write the matrix of the runs in ``folders``: a page (beside the first run, unless ``out``), or JSON."""
    texts = words(language)
    made = matrix([read_run(Path(folder), cut_off=True) for folder in folders], suite())
    if json and out is None:
        print(as_json(made))
        return 0
    path = Path(out) if out else Path(folders[0]).resolve() / "matrix.html"
    write_whole(path, as_json(made) + "\n" if json else as_page(made, texts))
    print(path)
    return 0
