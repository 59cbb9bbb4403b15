"""``sipverdict replay``: computes every verdict of a stored run again from its flows, with today's judges."""

from __future__ import annotations

from pathlib import Path

from harness.evidence.rejudge import rejudge, unjudged
from harness.model.outcome import ExitStatus
from harness.model.printable import printable
from harness.purposes.discovery import all_purposes
from harness.report import machine
from harness.requirements.catalogue import Catalogue
from harness.store.stored_run import read_run


def replay(folder: str, *, as_json: bool = False) -> int:
    """Judge the run in ``folder`` again and print every difference; status 4 if there is one."""
    run = read_run(Path(folder))
    found = rejudge(run, Catalogue.load(), all_purposes())
    status = ExitStatus.EVIDENCE if found.differences else run.tally.exit_status
    if as_json:
        told = [{"case": str(one.line.case), "why": one.why} for one in found.differences]
        answer = {
            "run": run.header.run,
            "repeated": len(run.header.repeated),
            "judged": found.judged,
            "differences": told,
            "status": int(status),
        }
        print(machine.text(answer))
        return int(status)
    for difference in found.differences:
        print(printable(difference.sentence))
    differing = len(found.differences)
    result = "every verdict is the same" if not differing else f"{differing} differ"
    if run.header.merger:
        print(run.header.merger)
    print(f"{found.judged} records judged again from {printable(folder)}{unjudged(run)}: {result}")
    return int(status)
