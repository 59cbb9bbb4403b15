"""A short name for a finding that stays the same from run to run: what a waiver points at.

Two findings have one fingerprint when they say the same about the same requirement.  What changes from run to run is
left out of it: addresses, tokens, tags, times, counts and the numbers of messages.  What the words say, and which
status codes and methods they name, is what makes it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

LENGTH = 12
"""Hexadecimal digits: 48 bits are plenty within one requirement of one purpose."""

_QUOTED = re.compile(r"'(?:[^'\\]|\\.){1,2000}'|\"(?:[^\"\\]|\\.){1,2000}\"")
_PLACE = re.compile(r"\((?:message \d+[^()]{0,80}|\d+ characters)\)")
_TIME = re.compile(r"\b\d+(?:\.\d+)?\s*(?:ms|s|min|seconds?|times?)\b")
_NAMED = re.compile(r"\b(tag|branch|call-id|received|rport|token|boundary)\s*[=:]\s*[^\s;,>]+", re.I)
_URI = re.compile(r"\b(sips?|tel|https?|mailto):[^\s<>,;()]*[^\s<>,;().]", re.I)
_CODE = re.compile(r"[1-6]\d\d(?:-[1-6]\d\d)?")
_WORD = re.compile(r"[^\s,;:()<>]*\d[^\s,;:()<>]*")
_REPEATED = re.compile(r"(#)(?:[\s,;:/]+(?:and\s+)?#)+")
_SPACE = re.compile(r"\s+")


def kind(text: str) -> str:
    """``text`` without what changes from run to run: ``an ACK # after the 603`` for ``an ACK 1.2 s after the 603``."""
    text = _QUOTED.sub("#", text[:4000])
    for changing in (_PLACE, _TIME):
        text = changing.sub("#", text)
    text = _NAMED.sub(r"\1 #", text)
    text = _URI.sub(r"\1 #", text)
    text = _WORD.sub(lambda word: word[0] if _CODE.fullmatch(word[0].rstrip(".")) else "#", text)
    return _SPACE.sub(" ", _REPEATED.sub(r"\1", text)).strip().lower()


def fingerprint(requirement: str, outcome: str, expected: Iterable[str], actual: str) -> str:
    """The fingerprint of a finding: LENGTH hexadecimal digits."""
    parts = (requirement, outcome, *map(kind, expected), "", kind(actual))
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:LENGTH]
