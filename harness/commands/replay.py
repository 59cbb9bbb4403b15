"""``sipverdict replay``: computes every verdict of a stored run again from its flows, with today's judges."""

from __future__ import annotations

from pathlib import Path

from harness.evidence.rejudge import rejudge, unjudged
from harness.model.outcome import ExitStatus
from harness.model.printable import printable
from harness.purposes.discovery import all_purposes
from harness.requirements.catalogue import Catalogue
from harness.store.stored_run import read_run


def replay(folder: str) -> int:
    """Judge the run in ``folder`` again and print every difference; status 4 if there is one."""
    run = read_run(Path(folder))
    found = rejudge(run, Catalogue.load(), all_purposes())
    for difference in found.differences:
        print(printable(difference.sentence))
    differing = len(found.differences)
    result = "every verdict is the same" if not differing else f"{differing} differ"
    print(f"{found.judged} records judged again from {printable(folder)}{unjudged(run)}: {result}")
    return int(ExitStatus.EVIDENCE if differing else run.tally.exit_status)
