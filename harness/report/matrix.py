"""The matrix: devices against requirements, over one run or several, and differences between versions of a device."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from harness.model.device_name import split
from harness.model.outcome import NOT_APPLICABLE, NOT_TESTED, Tally
from harness.paths import TEMPLATES
from harness.report.coverage import NOT_CHOSEN, STATUSES, Covered, Suite, Why, coverage
from harness.report.html import render, source_hash
from harness.report.identity import Identity, devices_of
from harness.report.words import Words, words
from harness.store.folder import FLOW_ID
from harness.store.provenance import version
from harness.store.stored_run import StoredRun
from harness.store.verdict_lines import VerdictLine

_WORSE = {"pass": 1, "warn": 2, "inconclusive": 3, "fail": 4}


@dataclass(frozen=True)
class Column:
    """One device in one run."""

    name: str
    """``A``, ``B`` …: its name in the matrix."""
    run: str
    window: str
    device: Identity
    tally: Tally
    covered: tuple[Covered, ...]
    """Every statement of the catalogue, in its order."""
    decisive: Mapping[str, str]
    """The flow that shows the worst verdict on a requirement, for those that rest on one."""
    folder: Path
    """Of the run."""
    anchors: frozenset[str]
    """Of the ladders in the page of the run."""


@dataclass(frozen=True)
class Change:
    """A requirement with different verdicts in two columns."""

    requirement: str
    text: str
    before: Covered
    after: Covered
    kind: str
    """``worse`` or ``better``; ``open`` where one of them is inconclusive, which says nothing about the device."""


@dataclass(frozen=True)
class Comparison:
    """Two columns that are versions of one device, the older run first."""

    before: Column
    after: Column
    changes: tuple[Change, ...]
    in_one: int
    """How many requirements only one of the two runs has decided: they are not compared."""


@dataclass(frozen=True)
class Matrix:
    """The whole matrix."""

    columns: tuple[Column, ...]
    comparisons: tuple[Comparison, ...]

    @property
    def rows(self) -> list[tuple[Covered, ...]]:
        """The cells of each requirement that applies to at least one column."""
        cells = zip(*(column.covered for column in self.columns), strict=True)
        silent = {NOT_APPLICABLE, NOT_TESTED, NOT_CHOSEN}
        return [row for row in cells if {cell.status for cell in row} - silent]


def matrix(runs: Iterable[StoredRun], suite: Suite) -> Matrix:
    """The matrix of ``runs``, one column for each device in each of them."""
    columns: list[Column] = []
    for run in runs:
        anchors = _anchors(run.folder / "index.html")
        for device in devices_of(run):
            records = [record for record in run.records if record.device == device.name]
            columns.append(
                Column(
                    _letters(len(columns)),
                    run.header.run,
                    run.header.window,
                    device,
                    Tally.of((record.verdict for record in records), len(records)),
                    coverage(suite, records, [device]),
                    _decisive(records),
                    run.folder,
                    anchors,
                )
            )
    return Matrix(tuple(columns), tuple(_compare(columns)))


def as_json(made: Matrix) -> str:
    """The matrix as JSON."""
    texts = words("en")
    return json.dumps(
        {
            "columns": [_column(column) for column in made.columns],
            "requirements": [
                {
                    "id": row[0].row.id,
                    "level": row[0].row.level,
                    "clause": row[0].row.clause,
                    "text": row[0].row.requirement,
                    "verdicts": {column.name: cell.status for column, cell in zip(made.columns, row, strict=True)},
                    "reasons": {
                        column.name: [in_words(why, texts) for why in cell.why]
                        for column, cell in zip(made.columns, row, strict=True)
                        if cell.why
                    },
                }
                for row in made.rows
            ],
            "differences": [
                {
                    "before": one.before.name,
                    "after": one.after.name,
                    "changes": [
                        {
                            "id": change.requirement,
                            "before": change.before.status,
                            "after": change.after.status,
                            "kind": change.kind,
                        }
                        for change in one.changes
                    ],
                }
                for one in made.comparisons
            ],
        },
        indent=1,
        ensure_ascii=True,
    )


def as_page(made: Matrix, texts: Words, page: Path) -> str:
    """The matrix as a self-contained page.  Its one script filters; without it everything is shown."""
    script = (TEMPLATES / "matrix.js").read_text(encoding="utf-8")
    return render(
        "matrix.html.j2",
        texts,
        {
            "made": made,
            "rows": made.rows,
            "statuses": [s for s in STATUSES if any(c.status == s for row in made.rows for c in row)],
            "in_words": lambda why: in_words(why, texts),
            "links": lambda column, row: links(column, row, page),
            "differs": differs,
            "script": script,
            "script_hash": source_hash(script),
            "version": version(),
        },
    )


def in_words(why: Why, texts: Words) -> str:
    """A reason as text."""
    return texts(why.key, **why.values) if why.key else why.text


def _column(column: Column) -> Mapping[str, Any]:
    device = column.device
    return {
        "column": column.name,
        "run": column.run,
        "window": column.window,
        "device": device.name,
        "vendor": device.vendor,
        "model": device.model,
        "firmware": device.firmware,
        "roles": list(device.roles),
        "verdict": str(column.tally.verdict),
        "counts": dict(column.tally.counts),
    }


def _letters(number: int) -> str:
    """A … Z, AA, AB …"""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _compare(columns: Sequence[Column]) -> Iterable[Comparison]:
    """Columns of one product in one configuration, each with the next."""
    groups: dict[tuple[str, ...], list[Column]] = {}
    for column in columns:
        groups.setdefault(_product(column.device), []).append(column)
    for group in groups.values():
        group.sort(key=lambda column: column.run)
        for before, after in itertools.pairwise(group):
            decided = [(one.status in _WORSE) + (other.status in _WORSE) for one, other in _pairs(before, after)]
            yield Comparison(before, after, tuple(_changes(before, after)), decided.count(1))


def _product(device: Identity) -> tuple[str, ...]:
    """The identity shared by all versions of a device: vendor, model and variant, or else the name."""
    name, variant = split(re.sub(r"\+.*", "", device.name))
    return (device.product, variant) if device.product else ("", name, variant)


def _pairs(before: Column, after: Column) -> Iterable[tuple[Covered, Covered]]:
    return zip(before.covered, after.covered, strict=True)


def _changes(before: Column, after: Column) -> Iterable[Change]:
    """What both have decided, and not in the same way."""
    for one, other in _pairs(before, after):
        if one.status in _WORSE and other.status in _WORSE and one.status != other.status:
            known = "inconclusive" not in (one.status, other.status)
            kind = "open" if not known else "worse" if _WORSE[one.status] < _WORSE[other.status] else "better"
            yield Change(one.row.id, one.row.requirement, one, other, kind)


def _decisive(records: Iterable[VerdictLine]) -> dict[str, str]:
    """For each requirement the flow that its worst verdict points at."""
    worst: dict[str, tuple[int, str]] = {}
    for record in records:
        for row in record.requirements:
            flow = row.flow or next(iter(record.flows), "")
            if flow and FLOW_ID.fullmatch(flow) and worst.get(row.id, (0, ""))[0] < row.rank.value:
                worst[row.id] = (row.rank.value, flow)
    return {row: flow for row, (_, flow) in worst.items()}


def differs(row: Sequence[Covered]) -> bool:
    """Whether columns that have decided a requirement have decided it differently."""
    return len({cell.status for cell in row if cell.status in _WORSE}) > 1


@dataclass(frozen=True)
class Links:
    """What a cell leads to, relative to the page.  "" for what is not there."""

    ladder: str
    """In the page of its run."""
    pcap: str


def links(column: Column, requirement: str, page: Path) -> Links | None:
    """The links of a cell in ``page``; None if its verdict rests on no flow."""
    flow = column.decisive.get(requirement)
    if flow is None:
        return None
    there = quote(os.path.relpath(column.folder.resolve(), page.parent))
    # A ladder that marks a message is called after it, too.
    named = re.compile(rf"flow-{re.escape(flow)}(?:-\d+)?")
    anchor = min(filter(named.fullmatch, column.anchors), default="")
    packets = Path("pcap") / f"{flow}.pcapng"
    return Links(
        f"{there}/index.html#{quote(anchor)}" if anchor else "",
        f"{there}/{quote(str(packets))}" if (column.folder / packets).is_file() else "",
    )


def _anchors(page: Path) -> frozenset[str]:
    try:
        return frozenset(re.findall(r'id="(flow-[^"<>]+)"', page.read_text("utf-8")))
    except (OSError, UnicodeDecodeError):
        return frozenset()
