"""A settled case in words: what pytest, Allure and a person are told of it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

from harness.model.axes import CaseId
from harness.model.finding import Record
from harness.model.verdict import Verdict
from harness.paths import DEVICES, MAKEFILE
from harness.purposes.case import Case
from harness.report.allure import RowInfo
from harness.report.text import explain, explain_all
from harness.requirements.catalogue import Catalogue, Row

_WORD = re.compile(r"[\w.:-]+")
"""What a line for a shell may be made of."""


def text_of(case: Case, record: Record, catalogue: Catalogue, source: Path | None = None) -> str:
    """Every finding that is not a plain pass, as a good bug report; else one line.

    ``source``: the device's profile, which is how one names a device that is not built in.
    """
    reproduce = reproduce_line(case, source)
    told = [ruled for ruled in record.requirements if ruled.verdict > Verdict.PASS]
    if not told:
        return record.reason
    worst_first = sorted(told, key=lambda ruled: -ruled.verdict)
    return explain_all(
        [
            explain(ruled, row.requirement, f"{row.clause}  {row.link}".strip(), record.key(ruled), reproduce)
            for ruled in worst_first
            for row in [catalogue[ruled.finding.requirement]]
        ]
    )


def reproduce_line(case: Case, source: Path | None = None) -> str:
    """The one command that runs only this case."""
    named = ""
    if source is not None and not source.is_relative_to(DEVICES):
        name = case.device.partition("+")[0]
        variant = f":{name.partition(':')[2]}" if ":" in name else ""
        named = shlex.quote(f"{source}{variant}")
    return reproduce(case.id, named=named)


def reproduce(case: CaseId, window: str = "quick", *, named: str = "") -> str:
    """The same of a stored record, whose texts may be anybody's: "" if its names are none of ours.

    ``named``: how a shell's line names a device that is not built in.
    """
    purpose, (profile, *faults) = case.purpose, case.device.split("+")
    words = (profile, *faults, window, *purpose.split("/"))
    if purpose.count("/") < 2 or not all(map(_WORD.fullmatch, words)):
        return ""
    folder, topic, sentence = purpose.rsplit("/", 2)
    chosen = case.axes.label
    # A device without its variant's name means its variants as well, and they may have the same role.
    if not faults and re.fullmatch(r"[\w.-]+", profile):
        chosen = f"{profile}-{chosen}"
    options = {"device": named or profile, "fault": "+".join(faults), "window": window if window != "quick" else ""}
    test = f"suites/{folder}/test_{topic}.py::test_{sentence} -k {chosen}"
    if MAKEFILE.exists():
        given = " ".join(f"{name.upper()}={value}" for name, value in options.items() if value)
        return f"make run {given} ARGS='{test}'"
    given = " ".join(f"--{name} {value}" for name, value in options.items() if value)
    return f"sipverdict run {given} {test}"


def rows_of(case: Case, catalogue: Catalogue) -> list[RowInfo]:
    """The catalogue rows of ``case``, as Allure shows them."""
    rows: Iterable[Row] = (catalogue[row] for row in case.rows or case.purpose.requirements)
    return [RowInfo(row.id, row.clause, row.level, row.requirement, case.role, row.link) for row in rows]
