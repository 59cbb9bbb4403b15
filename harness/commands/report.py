"""``sipverdict report``: the pages of a stored run, made again."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.report.allure_page import Missing, write_allure
from harness.report.page import write_page


def report(folder: str, language: str, out: str | None, *, allure: bool) -> int:
    """Write the page of the run in ``folder``, and Allure's as well if that is wanted and can be."""
    run = Path(folder)
    print(write_page(run, language, Path(out) if out else None))
    if allure:
        try:
            print(write_allure(run.resolve()))
        except Missing as missing:
            # Allure is one more view of the same run: its absence is no error.
            print(f"sipverdict: {missing.cause}; {missing.hint}", file=sys.stderr)
    return 0
