"""What must be looked at before tomllib reads a stranger's text."""

from __future__ import annotations

from typing import Final

MOST_DOTS: Final = 200
"""In one line.  tomllib's time grows with the square of the parts of a key: a second for 8,000 (Python 3.11)."""


def costly_line(text: str) -> int:
    """The number, from 1, of a line of ``text`` on which tomllib would spend its time; 0 if there is none."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.count(".") > MOST_DOTS and not line.lstrip().startswith("#"):
            return number
    return 0
