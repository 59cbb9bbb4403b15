"""A run to which harm was done, compared with one to which none was: what may not have happened did not."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.harms import start
from tests.chaos.table import Fault
from tests.run.suite import Finished, left_behind

Verdicts = Mapping[tuple[str, str, str], str]


@dataclass(frozen=True)
class Outcome:
    """What a fault did to a run."""

    fault: Fault
    status: int
    verdicts: Verdicts
    wrong: tuple[str, ...]
    """What must never be; empty if all is well."""
    left: tuple[str, ...]
    seconds: float

    @property
    def counts(self) -> str:
        return (
            ", ".join(f"{number} {name}" for name, number in sorted(Counter(self.verdicts.values()).items())) or "none"
        )


def suffer(fault: Fault, folder: Path, undisturbed: Verdicts | None) -> Outcome:
    """Do the harm of ``fault`` to a run, and compare it with the ``undisturbed`` verdicts (None: this is them)."""
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    with fault.room(folder) as room:
        run = start(room, fault.words, fault.before, **fault.environment)
        output = ""
        try:
            fault.harm(run)
            if run.process.stdout and not run.process.stdout.closed:
                output = run.process.communicate(timeout=600)[0]
            run.process.wait(600)
        finally:
            if run.process.poll() is None:
                run.process.terminate()
                run.process.wait(60)
        finished = Finished(run.process.returncode, output, room)
        records = finished.records if (room / "latest" / "verdicts.jsonl").is_file() else []
        verdicts = {(line["purpose"], line["device"], line["role"]): str(line["verdict"]) for line in records}
        reasons = {(line["purpose"], line["device"], line["role"]): str(line["reason"]) for line in records}
        left = tuple(_left(room))
        wrong = tuple(_wrong(fault, finished, verdicts, reasons, undisturbed))
    return Outcome(fault, finished.status, verdicts, wrong, left, time.monotonic() - began)


def _wrong(
    fault: Fault,
    run: Finished,
    verdicts: Verdicts,
    reasons: Mapping[tuple[str, str, str], str],
    before: Verdicts | None,
) -> Iterator[str]:
    if run.status not in fault.status:
        yield f"status {run.status}, expected {sorted(fault.status)}"
    if fault.says and not re.search(fault.says, run.output):
        yield f"the output does not say {fault.says!r}"
    for word in ("Traceback", "INTERNALERROR", "bug in sipverdict"):
        if word in run.output:
            yield f"the output says {word}"
    for case, expected in (before or {}).items():
        got = verdicts.get(case)
        if got == expected or (got is None and fault.cut_off):
            continue
        name = f"{case[0].rpartition('/')[2]} ({case[2]})"
        if got != "inconclusive":
            yield f"{name}: {got}, undisturbed {expected}"
        elif not fault.unclear or not re.search(fault.unclear, reasons[case]):
            yield f"{name}: inconclusive without its cause: {reasons[case][:200]}"


def _left(room: Path) -> Iterator[str]:
    deadline = time.monotonic() + 5
    while (processes := left_behind(room)) and time.monotonic() < deadline:
        time.sleep(0.1)
    yield from processes
    yield from (str(path.relative_to(room)) for path in room.glob("2*/work"))
    yield from (str(path.relative_to(room)) for path in room.glob("2*/**/.*") if path.is_file() and path.stat().st_size)
