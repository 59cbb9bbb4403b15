"""A settled case in words: what pytest, Allure and a person are told of it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

from harness.model.verdict import Verdict
from harness.paths import DEVICES
from harness.purposes.case import Case
from harness.report.allure import RowInfo
from harness.report.text import explain, explain_all
from harness.requirements.catalogue import Catalogue, Row
from harness.store.verdict_lines import VerdictLine

_WORD = re.compile(r"[\w.:-]+")
"""What a line for a shell may be made of."""


def text_of(case: Case, record: VerdictLine, catalogue: Catalogue, source: Path | None = None) -> str:
    """Every finding that is not a plain pass, as a good bug report; else one line.

    ``source``: the device's profile, which is how one names a device that is not built in.
    """
    reproduce = reproduce_line(case, source)
    told = [row for row in record.requirements if row.rank > Verdict.PASS]
    if not told:
        return record.reason
    worst_first = sorted(told, key=lambda row: -row.rank)
    return explain_all(
        [
            explain(found, row.requirement, f"{row.clause}  {row.link}".strip(), reproduce)
            for found in worst_first
            for row in [catalogue[found.id]]
        ]
    )


def reproduce_line(case: Case, source: Path | None = None) -> str:
    """The one command that runs only this case."""
    line = reproduce(case.purpose.name, case.device, case.role, case.transport)
    if source is None or source.is_relative_to(DEVICES):
        return line
    name = case.device.partition("+")[0]
    variant = f":{name.partition(':')[2]}" if ":" in name else ""
    return line.replace(f"DEVICE={name}", f"DEVICE={shlex.quote(f'{source}{variant}')}", 1)


def reproduce(purpose: str, device: str, role: str, transport: str, window: str = "quick") -> str:
    """The same of a stored record, whose texts may be anybody's: "" if its names are none of ours."""
    profile, *faults = device.split("+")
    if purpose.count("/") < 2 or not all(
        _WORD.fullmatch(part) for part in (*device.split("+"), role, transport, window, *purpose.split("/"))
    ):
        return ""
    fault = f" FAULT={'+'.join(faults)}" if faults else ""
    longer = f" WINDOW={window}" if window != "quick" else ""
    folder, topic, sentence = purpose.rsplit("/", 2)
    chosen = f"{role}-{transport}"
    # DEVICE=NAME means its variants as well, and they may have the same role.
    if not faults and re.fullmatch(r"[\w.-]+", profile):
        chosen = f"{profile}-{chosen}"
    arguments = f"suites/{folder}/test_{topic}.py::test_{sentence} -k {chosen}"
    return f"make run DEVICE={profile}{fault}{longer} ARGS='{arguments}'"


def rows_of(case: Case, catalogue: Catalogue) -> list[RowInfo]:
    """The catalogue rows of ``case``, as Allure shows them."""
    rows: Iterable[Row] = (catalogue[row] for row in case.rows or case.purpose.requirements)
    return [RowInfo(row.id, row.clause, row.level, row.requirement, case.role, row.link) for row in rows]
