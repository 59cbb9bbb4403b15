"""Legal messages that SIPp cannot read, written so that it can: the one place that knows those limits.

SIPp 3.6.1 takes a folded header for the end of the line and answers with half of it, looks for ``Via:`` and not for
``Via :``, finds no message behind an empty line, and wants CR LF.  All of it is legal, or has to be accepted (RFC 3261
7.3.1, 7.5, RFC 4475 3.1.1).  The record keeps what came; only SIPp gets to read this.
"""

from __future__ import annotations

import re
from typing import Final

from harness.endpoints.sipp.scenario import HANG_UP

_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_BARE_LF: Final = re.compile(rb"(?<!\r)\n")
_FOLD: Final = re.compile(rb"[ \t]*\r\n[ \t]+")
_BLANK_BEFORE_COLON: Final = re.compile(rb"^([A-Za-z0-9\-.!%*_+`'~]+)[ \t]+:", re.MULTILINE)
_HANG_UP: Final = HANG_UP.encode()


def legible(data: bytes) -> bytes | None:
    """``data`` as SIPp can read it; None for what only the suite itself may ask of a SIPp."""
    data = data.lstrip(b"\r\n")
    if data.startswith(_HANG_UP):
        return None
    end = _HEAD_END.search(data)
    head, rest = (data[: end.start()], data[end.end() :]) if end else (data, b"")
    plain = _BARE_LF.sub(b"\r\n", head)
    plain = _BLANK_BEFORE_COLON.sub(rb"\1:", _FOLD.sub(b" ", plain))
    return plain + (b"\r\n\r\n" if end else b"") + rest
