"""The 3xx and 6xx codes in a run: who sent them, and in how many flows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.report.words import Words

# Reading hundreds of flows whole would take longer than all the rest of a page.  A stored message's fields stand in the
# order of the class (harness.model.flow.Event).
_STATUS = re.compile(
    rb'"raw":"SIP/2\.0 ([36]\d\d)[ \\"](?:[^"\\]|\\.)*+",'
    rb'"number":\d+,"time":[^",]+,"seat":"[^"]*","direction":"(sent|received)"'
)
_LARGEST = 64 * 1024 * 1024
_GENERAL = {"3": "3xx", "6": "6xx"}


@dataclass(frozen=True)
class CodeSeen:
    """One code."""

    code: str
    words: str
    """The key of its explanation: ``code.302``; ``code.3xx`` where it is none of the known ones."""
    flows: int
    by_device: bool
    by_tester: bool


def codes_in(flows: Iterable[Path], words: Words) -> list[CodeSeen]:
    """The codes in the stored ``flows``, 302 and 603 first; a file that cannot be read shows none."""
    seen: dict[str, set[str]] = {}
    count: dict[str, int] = {}
    for path in flows:
        found = set(_STATUS.findall(_bytes(path)))
        for code, direction in found:
            seen.setdefault(code.decode(), set()).add(direction.decode())
        for code in {code for code, _ in found}:
            count[code.decode()] = count.get(code.decode(), 0) + 1
    return [
        CodeSeen(code, _key(code, words), count[code], "received" in by, "sent" in by)
        for code, by in sorted(seen.items(), key=lambda item: (item[0] not in ("302", "603"), item[0]))
    ]


def _key(code: str, words: Words) -> str:
    return f"code.{code}" if f"code.{code}.means" in words else f"code.{_GENERAL[code[0]]}"


def _bytes(path: Path) -> bytes:
    try:
        return b"" if path.is_symlink() or path.stat().st_size > _LARGEST else path.read_bytes()
    except OSError:
        return b""
