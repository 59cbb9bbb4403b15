"""The text of an ``expected.toml``: what people wrote in it by hand stays, comments included."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import tomlkit
from tomlkit.items import AoT, Comment, Table, Whitespace

from harness.model.printable import short
from harness.policy.expected_file import Known

_HEAD: Final = """\
# Known non-passes of {device}, with reasons.  A run that differs, for better or worse, is red.
# Written by: sipverdict expect RUN.  Reasons, dates (until) and comments may be edited, and are kept.
"""


@dataclass
class _Entry:
    """One ``[[expected]]`` as it is in the file."""

    above: str
    """The comment lines that belong to it, before its first line."""
    table: Table
    known: Known

    def text(self) -> str:
        """It with the lines above."""
        comment = self.table.trivia.comment_ws + self.table.trivia.comment
        return f"{self.above}[[expected]]{comment}\n{self.table.as_string().rstrip()}\n"


def written(device: str, known: Iterable[Known], before: str = "") -> str:
    """``known`` as a file, from one that is valid and was ``before``; "" for a new one.

    Comments of an entry are those in it, and those directly above it; they go with it when it moves or is dropped.
    """
    head, old, foot = _read(before) if before else (_HEAD.format(device=short(device, 60)), [], "")
    known = list(known)
    taken: dict[int, _Entry] = {}
    # First those that are the same, so that no other takes their place: there is one for each window.
    for same_window in (True, False):
        for number, one in enumerate(known):
            if number not in taken and (entry := _found(old, one, same_window=same_window)):
                old.remove(entry)
                taken[number] = entry
    entries = [_with(taken.get(number) or _Entry("", tomlkit.table(), one), one) for number, one in enumerate(known)]
    return "\n".join(filter(None, [head, *(entry.text() for entry in entries), foot]))


def _read(text: str) -> tuple[str, list[_Entry], str]:
    """The head of a file, its entries, and what follows the last one."""
    document = tomlkit.parse(text)
    tables = document["expected"]
    assert isinstance(tables, AoT)
    start = "".join(item.as_string() for _, item in document.body if not isinstance(item, AoT))
    head, blank, above = start.rpartition("\n\n")
    head, above = (f"{head}\n", above) if blank else (start, "")
    entries = []
    for table in tables:
        known = Known.model_validate(table.unwrap())
        entries.append(_Entry(above, table, known))
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


def _found(entries: Sequence[_Entry], one: Known, *, same_window: bool) -> _Entry | None:
    for entry in entries:
        old = entry.known
        if (old.variant, old.case) == (one.variant, one.case) and (old.window == one.window or not same_window):
            return entry
    return None


def _with(entry: _Entry, one: Known) -> _Entry:
    """``entry`` with the content of ``one``; what is right already stays as it was written."""
    said = one.model_dump(exclude_defaults=True)
    for name in [name for name in entry.table if name not in said and entry.table[name] != getattr(one, name)]:
        del entry.table[name]
    for name, value in said.items():
        if name not in entry.table or entry.table[name] != value:
            entry.table[name] = value
    return entry
