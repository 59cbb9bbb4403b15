"""``sipverdict replay``: every verdict of a stored run computed again from its flows, by today's judges."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from harness.catalogue import Catalogue
from harness.discovery import all_purposes
from harness.judge.ruling import Ruling
from harness.purpose import Purpose, applicable_rows
from harness.report.outcome import NOT_APPLICABLE, ExitStatus
from harness.report.stored import StoredRun, read_run
from harness.settle import assess, confirm


def replay(folder: str) -> int:
    """Judge the run in ``folder`` again and say where a verdict differs; status 4 if one does."""
    run = read_run(Path(folder))
    catalogue, purposes, console = Catalogue.load(), all_purposes(), Console(highlight=False, soft_wrap=True)
    ruling = Ruling(run.header["ruling"], run.header.get("strict", False))
    differing = 0
    for line in run.records:
        if line["verdict"] == NOT_APPLICABLE:
            continue
        purpose = purposes.get(line["purpose"])
        verdict = _rejudge(run, line, purpose, catalogue, ruling)
        if verdict != line["verdict"]:
            differing += 1
            console.print(
                f"{escape(line['purpose'])} ({escape(line.get('device', ''))}): stored {line['verdict']}, now {verdict}"
            )
    console.print(
        f"{len(run.records)} records judged again from {escape(str(folder))}: "
        + ("every verdict is the same" if not differing else f"{differing} differ")
    )
    return int(ExitStatus.EVIDENCE if differing else run.tally.exit_status)


def _rejudge(
    run: StoredRun, line: Mapping[str, Any], purpose: Purpose | None, catalogue: Catalogue, ruling: Ruling
) -> str:
    if purpose is None:
        return "unknown: this suite has no such purpose"
    flows = [run.flow(Path(path).stem) for path in line["evidence"]]
    plans = len(purpose.plans_for(line["role"]))
    drives = [flows[i : i + plans] for i in range(0, len(flows), plans)]
    if not drives:
        return str(line["verdict"])
    rows, _ = applicable_rows(purpose, catalogue, line["role"], flows[0].device["pics"])
    rounds = [assess(purpose, rows, drive, catalogue, ruling) for drive in drives]
    return str((confirm(rounds[0], rounds[1]) if len(rounds) > 1 else rounds[0]).verdict)
