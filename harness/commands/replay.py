"""``sipverdict replay``: every verdict of a stored run computed again from its flows, by today's judges."""

from __future__ import annotations

from pathlib import Path

from harness.catalogue import Catalogue
from harness.discovery import all_purposes
from harness.evidence.rejudge import rejudge, unjudged
from harness.report.clean import printable
from harness.report.outcome import ExitStatus
from harness.report.stored import read_run


def replay(folder: str) -> int:
    """Judge the run in ``folder`` again and say where a verdict differs; status 4 if one does."""
    run = read_run(Path(folder))
    found = rejudge(run, Catalogue.load(), all_purposes())
    for difference in found.differences:
        print(printable(difference.sentence))
    differing = len(found.differences)
    told = "every verdict is the same" if not differing else f"{differing} differ"
    print(f"{found.judged} records judged again from {printable(folder)}{unjudged(run)}: {told}")
    return int(ExitStatus.EVIDENCE if differing else run.tally.exit_status)
