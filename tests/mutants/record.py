"""Writes down the score of a sample: for the suite, whose certificates say it, and for the table of figures."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from harness.paths import ROOT
from harness.store import mutation
from harness.store.mutation import Sample
from harness.store.provenance import provenance
from tests.mutants.report import Score
from tests.mutants.trial import Result

FIGURES: Final = ROOT / "docs" / "figures.md"
_ROW: Final = re.compile(r"^\| mutation score.*$", re.MULTILINE)
_WANTED: Final = "95 %"


def record(
    results: Sequence[Result], *, of: int, seed: int, windows: Sequence[str], path: Path = mutation.PATH
) -> Sample:
    """Write ``results`` into ``path``, and the row of the figures; return what was written."""
    score = Score.of(results)
    sample = Sample(
        *(score.caught, score.lawful, score.counted, len(results), of, seed),
        windows=tuple(windows),
        commit=provenance().commit,
        date=datetime.now(UTC).date().isoformat(),
    )
    path.write_text(json.dumps(mutation.as_stored(sample), indent=1) + "\n", "utf-8")
    return sample


def row(sample: Sample) -> str:
    """The row of the table of figures that says it."""
    return f"| mutation score (`suites/mutation.json`) | {sample} | {_WANTED} |"


def with_row(text: str, sample: Sample) -> str:
    """The page of figures with its row of ``sample``; ValueError if it has no such row."""
    changed, found = _ROW.subn(lambda _: row(sample), text)
    if found != 1:
        raise ValueError(f"{FIGURES.name}: expected one row that begins with '| mutation score', found {found}")
    return changed
