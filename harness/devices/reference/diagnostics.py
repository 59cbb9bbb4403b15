"""The one way in which the device talks about trouble: a line on stderr."""

from __future__ import annotations

import sys


def complain(text: str) -> None:
    """Say it on stderr, on one line whatever the text contains: part of it may come from the wire."""
    print("reference:", text.encode("unicode_escape").decode("ascii"), file=sys.stderr, flush=True)
