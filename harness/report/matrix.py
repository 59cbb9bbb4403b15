"""The matrix: devices against requirements, over one run or several, and differences between versions of a device."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.model.device_name import split
from harness.model.outcome import NOT_APPLICABLE, NOT_TESTED, Tally
from harness.paths import TEMPLATES
from harness.report.coverage import NOT_CHOSEN, STATUSES, Covered, Suite, Why, coverage
from harness.report.html import render, source_hash
from harness.report.identity import Identity, devices_of
from harness.report.words import Words, words
from harness.store.provenance import version
from harness.store.stored_run import StoredRun

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


@dataclass(frozen=True)
class Change:
    """A requirement with different verdicts in two columns."""

    requirement: str
    text: str
    before: Covered
    after: Covered
    kind: str
    """``worse``, ``better``, or ``other`` if only one of them is decided."""


@dataclass(frozen=True)
class Comparison:
    """Two columns that are versions of one device, the older run first."""

    before: Column
    after: Column
    changes: tuple[Change, ...]


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


def as_page(made: Matrix, texts: Words) -> str:
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
            yield Comparison(before, after, tuple(_changes(before, after)))


def _product(device: Identity) -> tuple[str, ...]:
    """The identity shared by all versions of a device: vendor, model and variant, or else the name."""
    name, variant = split(re.sub(r"\+.*", "", device.name))
    return (device.product, variant) if device.product else ("", name, variant)


def _changes(before: Column, after: Column) -> Iterable[Change]:
    for one, other in zip(before.covered, after.covered, strict=True):
        if one.status != other.status:
            ranks = _WORSE.get(one.status), _WORSE.get(other.status)
            kind = "other" if None in ranks else "worse" if ranks[0] < ranks[1] else "better"  # type: ignore[operator]
            yield Change(one.row.id, one.row.requirement, one, other, kind)
