"""The one place where a device's text is made fit to be shown: escaped, shortened, redacted."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable

Redact = Callable[[str], str]
"""Takes a text that is about to leave the run (a report, an attachment) and returns it without secrets."""

MASK = "[redacted]"
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_COMBINING = frozenset({"Mn", "Me"})
_MARKS = 3
"""Combining marks on one letter; more of them are meant to paint over the lines around."""
_NOT_PLAIN = re.compile(r"[^ -~]+")
_NOT_PLAIN_LINES = re.compile(r"[^ -~\n\t]+")
LINES = "\n\t"
"""What a text of several lines keeps."""
_CREDENTIALS = re.compile(r"^((?:proxy-)?authorization[ \t]*:[ \t]*)[^\r\n]*(?:\r?\n[ \t]+[^\r\n]*)*", re.I | re.M)
_PASSWORD = re.compile(r"(\bsips?:[^\s@:<>]{1,256}:)[^\s@<>]{1,256}@", re.I)


def printable(text: str, keep: str = "") -> str:
    r"""``text`` with what cannot be seen written as ``\x1b`` or ``\u202e``: control, bidi, unassigned characters.

    So no terminal is steered, no line is turned round, and the result is legal in XML.  ``keep`` names exceptions.
    """
    if text.isascii() and text.isprintable():
        return text
    # Nearly all of any text is plain: only the runs that are not are looked at letter by letter.
    plain = _NOT_PLAIN_LINES if keep == LINES else _NOT_PLAIN
    return plain.sub(lambda run: _shown(run[0], keep), text)


def _shown(run: str, keep: str) -> str:
    shown, marks = [], 0
    for char in run:
        category = unicodedata.category(char)
        marks = marks + 1 if category in _COMBINING else 0
        harmless = category not in _UNSEEN and marks <= _MARKS
        shown.append(char if harmless or char in keep else _named(ord(char)))
    return "".join(shown)


def lines(text: str) -> str:
    """A message of several lines, printable: line ends as ``\\n``, tabs kept."""
    return printable(text.replace("\r\n", "\n"), keep=LINES)


def short(text: str, columns: int) -> str:
    """``text`` in one printable line of at most ``columns`` columns; a longer one ends in an ellipsis.

    The end of a URI tells where a message went, so the middle is what is left out.
    """
    text = printable(text[: 4 * columns] + text[-4 * columns :] if len(text) > 8 * columns else text)
    if _width(text) <= columns:
        return text
    head = _fitting(text, columns * 2 // 3)
    tail = _fitting(text[::-1], columns - _width(head) - 1)[::-1]
    return f"{head}…{tail}"


def capped(text: str, limit: int) -> str:
    """``text``, or its first ``limit`` characters and how many there were."""
    return text if len(text) <= limit else f"{text[:limit]}\n… ({len(text) - limit} more characters)"


def xml(text: str) -> str:
    """``text`` as XML character data or an attribute's value; always well-formed."""
    return html.escape(printable(text, keep=LINES), quote=True)


def redactor(secrets: Iterable[str] = ()) -> Redact:
    """A hook that masks ``secrets``, the credentials of digest headers and passwords in SIP URIs."""
    known = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
    words = re.compile("|".join(map(re.escape, known))) if known else None

    def redact(text: str) -> str:
        if "uthorization" in text.lower():
            text = _CREDENTIALS.sub(rf"\g<1>{MASK}", text)
        text = _PASSWORD.sub(rf"\g<1>{MASK}@", text)
        return words.sub(MASK, text) if words else text

    return redact


def _named(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _width(text: str) -> int:
    return len(text) if text.isascii() else sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _fitting(text: str, columns: int) -> str:
    used = 0
    for place, char in enumerate(text):
        used += _columns(char)
        if used > columns:
            return text[:place]
    return text
