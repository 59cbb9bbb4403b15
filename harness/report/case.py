"""A settled case in words: what pytest, Allure and a person are told of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from harness.catalogue import Catalogue, Row
from harness.finding import Record
from harness.report.allure import RowInfo
from harness.report.text import explain, explain_all
from harness.session import Case
from harness.verdict import Verdict


def text_of(case: Case, record: Record, catalogue: Catalogue) -> str:
    """Every finding that is not a plain pass, as a good bug report; else one line."""
    reproduce = reproduce_line(case)
    told = [ruled for ruled in record.requirements if ruled.verdict > Verdict.PASS]
    if not told:
        return record.reason
    worst_first = sorted(told, key=lambda ruled: -ruled.verdict)
    return explain_all(
        [
            explain(ruled, row.requirement, f"{row.clause}  {row.link}".strip(), reproduce)
            for ruled in worst_first
            for row in [catalogue[ruled.finding.requirement]]
        ]
    )


def reproduce_line(case: Case) -> str:
    """The one command that runs only this case."""
    device, *faults = case.device.split("+")
    fault = f" FAULT={'+'.join(faults)}" if faults else ""
    folder, topic, sentence = case.purpose.name.rsplit("/", 2)
    chosen = f"{case.role}-{case.transport}"
    # DEVICE=NAME means its variants as well, and they may have the same role.
    if not faults and re.fullmatch(r"[\w.-]+", device):
        chosen = f"{device}-{chosen}"
    arguments = f"suites/{folder}/test_{topic}.py::test_{sentence} -k {chosen}"
    return f"make run DEVICE={device}{fault} ARGS='{arguments}'"


def rows_of(case: Case, catalogue: Catalogue) -> list[RowInfo]:
    """The catalogue rows of ``case``, as Allure shows them."""
    rows: Iterable[Row] = (catalogue[row] for row in case.rows or case.purpose.requirements)
    return [RowInfo(row.id, row.clause, row.level, row.requirement, case.role, row.link) for row in rows]
