"""Rewrites legal messages that SIPp cannot read, so that it can.  Only this module knows those limits.

SIPp 3.6.1 cuts a folded header and answers with half of it, does not accept ``Via :`` for ``Via:``, finds no message
behind an empty line, and requires CR LF.  All of this is legal, or must be accepted (RFC 3261 7.3.1, 7.5, RFC 4475
3.1.1).  The record keeps the original bytes; only SIPp reads the rewritten ones.
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
    """``data`` in a form that SIPp can read; None for a request that only the suite itself may send."""
    data = data.lstrip(b"\r\n")
    if data.startswith(_HANG_UP):
        return None
    end = _HEAD_END.search(data)
    head, rest = (data[: end.start()], data[end.end() :]) if end else (data, b"")
    # A start line is never folded (7.3.1): what is joined to it would make another message of it.
    start, line_end, headers = _BARE_LF.sub(b"\r\n", head).partition(b"\r\n")
    plain = start + line_end + _BLANK_BEFORE_COLON.sub(rb"\1:", _FOLD.sub(b" ", headers))
    return plain + (b"\r\n\r\n" if end else b"") + rest
