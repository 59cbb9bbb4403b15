"""``sipverdict report``: makes the pages of a stored run again."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.report.allure_page import Missing, write_allure
from harness.report.page import write_page


def report(folder: str, language: str, out: str | None, *, allure: bool) -> int:
    """Write the page of the run in ``folder``, and Allure's as well if it is wanted and possible."""
    run = Path(folder)
    print(write_page(run, language, Path(out) if out else None))
    if allure:
        try:
            print(write_allure(run.resolve()))
        except Missing as missing:
            # Allure is an optional second view of the run, so its absence is no error.
            print(f"sipverdict: {missing.cause}; {missing.hint}", file=sys.stderr)
    return 0
