"""The 3xx and 6xx codes in a run: who sent them, and in how many flows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.report.words import Words
from harness.store.record import statuses

_LARGEST = 64 * 1024 * 1024
_GENERAL = {"3": "3xx", "6": "6xx"}
PLUS = "603+"
"""The 603 of a network that blocks by analytics: a code of its own for people."""


@dataclass(frozen=True)
class CodeSeen:
    """One code."""

    code: str
    words: str
    """The key of its explanation: ``code.302``, or ``code.3xx`` for an unknown code."""
    flows: int
    by_device: bool
    by_tester: bool


def codes_in(records: Iterable[Path], words: Words) -> list[CodeSeen]:
    """The codes in the ``records`` of flows, 302 and 603 first.  An unreadable file adds none."""
    seen: dict[str, set[str]] = {}
    count: dict[str, int] = {}
    for path in records:
        found = {(status, direction) for status, direction in statuses(_bytes(path)) if status[0] in "36"}
        for code, direction in found:
            seen.setdefault(code, set()).add(direction)
        for code in {code for code, _ in found}:
            count[code] = count.get(code, 0) + 1
    return [
        CodeSeen(code, key_of(code, words), count[code], "received" in by, "sent" in by)
        for code, by in sorted(seen.items(), key=lambda item: (item[0] not in ("302", "603"), item[0]))
    ]


def codes_of(words: Words) -> list[str]:
    """The codes that ``words`` explain."""
    known = (key.split(".") for key in words.messages if key.startswith("code.") and key.endswith(".means"))
    return [PLUS if code == "603plus" else code for _, code, _ in known]


def key_of(code: str, words: Words) -> str:
    """The key of what ``words`` say of ``code`` (``302``, ``6xx``, :data:`PLUS`)."""
    if code == PLUS:
        return "code.603plus"
    return f"code.{code}" if f"code.{code}.means" in words else f"code.{_GENERAL[code[0]]}"


def _bytes(path: Path) -> bytes:
    try:
        return b"" if path.is_symlink() or path.stat().st_size > _LARGEST else path.read_bytes()
    except OSError:
        return b""
