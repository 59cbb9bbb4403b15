"""A terminal that cannot show every character is written to all the same."""

from __future__ import annotations

import codecs
import io
import sys
from typing import Final

_PLAIN: Final = {
    0xA7: "section ",
    0xB6: "par. ",
    0xB7: "-",
    0xD7: "x",
    0x2013: "-",
    0x2014: "-",
    0x2018: "'",
    0x2019: "'",
    0x201C: '"',
    0x201D: '"',
    0x2026: "...",
    0x2190: "<-",
    0x2192: "->",
    0x2500: "-",
    0x2501: "-",
    0x2502: "|",
}
"""By code point: section and paragraph sign, dots, dashes, quotes, arrows, lines."""
_HANDLER: Final = "sipverdict.plain"


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAIN)
    return text.encode("ascii", "backslashreplace").decode("ascii"), error.end


def write_plainly() -> None:
    """From now on, what standard output and error cannot encode is written in ASCII, instead of raising an error."""
    codecs.register_error(_HANDLER, _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and codecs.lookup(stream.encoding).name != "utf-8":
            stream.reconfigure(errors=_HANDLER)
