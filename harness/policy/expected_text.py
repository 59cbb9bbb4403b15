"""The text of an ``expected.toml``: what people wrote in it by hand stays, comments included."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import tomlkit
from tomlkit.items import AoT, Comment, Table, Whitespace

from harness.model.printable import short
from harness.policy.expected_entry import LISTED, Entry, Known, entries_of

_HEAD: Final = """\
# Known non-passes of {device}, with reasons.  A run that differs, for better or worse, is red.
# Written by: sipverdict expect RUN.  Reasons, dates (until) and comments may be edited, and are kept.
"""


@dataclass
class _Written:
    """One ``[[expected]]`` as it is in the file."""

    above: str
    """The comment lines that belong to it, before its first line."""
    table: Table
    said: Entry

    def text(self) -> str:
        """It with the lines above."""
        comment = self.table.trivia.comment_ws + self.table.trivia.comment
        return f"{self.above}[[expected]]{comment}\n{self.table.as_string().rstrip()}\n"


def written(device: str, known: Iterable[Known], before: str = "") -> str:
    """``known`` as a file, from one that is valid and was ``before``; "" for a new one.

    Comments of an entry are those in it, and those directly above it; they go with it when it moves or is dropped.
    What is new joins an entry that says the same of other cases.
    """
    head, old, foot = _read(before) if before else (_HEAD.format(device=short(device, 60)), [], "")
    known = list(known)
    kept, left = _kept(old, known)
    for said in entries_of(left):
        for entry in kept:
            if both := entry.said.with_more(said):
                entry.said = both
                break
        else:
            kept.append(_Written("", tomlkit.table(), said))
    kept.sort(key=lambda entry: min(map(known.index, entry.said.known)))
    return "\n".join(filter(None, [head, *(_brought_up(entry).text() for entry in kept), foot]))


def _kept(old: Iterable[_Written], known: Sequence[Known]) -> tuple[list[_Written], list[Known]]:
    """The ``old`` entries that still hold, each for what it was about as far as that is ``known``; and the rest."""
    kept, rest, left = list[_Written](), list(old), list(known)
    # First those that are the same, so that no other takes their place: there is one for each window.
    for same_window in (True, False):
        for entry in [*rest]:
            about = {(one.variant, one.case) for one in entry.said.known}
            mine = [
                one
                for one in left
                if (one.variant, one.case) in about and (one.window == entry.said.window or not same_window)
            ]
            if mine:
                entry.said = max(entries_of(mine), key=lambda said: len(said.known))
                kept.append(entry)
                rest.remove(entry)
                left = [one for one in left if one not in entry.said.known]
    return kept, left


def _read(text: str) -> tuple[str, list[_Written], str]:
    """The head of a file, its entries, and what follows the last one."""
    document = tomlkit.parse(text)
    tables = document["expected"]
    assert isinstance(tables, AoT)
    start = "".join(item.as_string() for _, item in document.body if not isinstance(item, AoT))
    head, blank, above = start.rpartition("\n\n")
    head, above = (f"{head}\n", above) if blank else (start, "")
    entries = []
    for table in tables:
        entries.append(_Written(above, table, Entry.model_validate(table.unwrap())))
        above = _cut_tail(table)
    return head, entries, above


def _cut_tail(table: Table) -> str:
    """Take what stands behind an empty line after the keys: it belongs to what follows."""
    body = table.value.body
    end = len(body)
    while end and isinstance(body[end - 1][1], (Comment, Whitespace)):
        end -= 1
    while end < len(body) and not isinstance(body[end][1], Whitespace):
        end += 1
    tail = "".join(item.as_string() for _, item in body[end:])
    del body[end:]
    return tail.lstrip("\n")


def _brought_up(entry: _Written) -> _Written:
    """``entry`` with a table that says what it says; what is right already stays as it was written."""
    said = entry.said.model_dump(exclude_defaults=True)
    for name in said.keys() & {*LISTED}:
        said[name] = list(said[name]) if len(said[name]) > 1 else said[name][0]
    for name in [name for name in entry.table if name not in said and not _is_said(entry, name)]:
        del entry.table[name]
    for name, value in said.items():
        if name not in entry.table or not _is_said(entry, name):
            entry.table[name] = value
    return entry


def _is_said(entry: _Written, name: str) -> bool:
    written = entry.table[name]
    if name in LISTED:
        written = tuple(written) if isinstance(written, list) else (written,)
    return bool(written == getattr(entry.said, name))
