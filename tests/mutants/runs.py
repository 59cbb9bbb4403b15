"""One run of the suite on one part of a device, as a process of its own, and what it left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.device.process import dying_with_parent
from harness.model.flow import Flow
from harness.paths import ROOT
from harness.store.codec import load
from harness.store.record import RECORD, with_messages
from tests.mutants.roles import Part

LIMIT_S: Final = {"quick": 240.0, "standard": 420.0, "extended": 600.0}
"""Seconds after which a run is stopped: a device that never rests must not hold up the others."""
_GRACE_S: Final = 20.0
_WAITING: Final = 3
"""Long runs beside each short one."""
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """What a run is asked for."""

    part: Part
    profile: Path
    window: str = "quick"
    suite: Sequence[str] = ()
    """Paths of the suite; empty: all of it."""
    stop_at_fail: bool = False


@dataclass(frozen=True)
class Finished:
    """A run that is over."""

    part: Part
    window: str
    folder: Path
    records: tuple[Record, ...]
    stopped: bool = False
    """Whether it took too long and was stopped."""
    output: str = ""

    def flows(self) -> list[Flow]:
        """All flows that were stored, in the order in which they were driven."""
        stored = sorted((self.folder / "flows").glob("*.json"), key=lambda path: (path.stat().st_mtime, path.name))
        return [
            with_messages(load(Flow, path.read_bytes(), str(path)), path.with_suffix(RECORD).read_bytes(), str(path))
            for path in stored
        ]


class Turns:
    """How many runs go on at a time: short ones keep the machine busy, and long ones mostly wait."""

    def __init__(self, jobs: int) -> None:
        """``jobs``: short runs at a time."""
        self.mutants = (_WAITING + 1) * jobs
        """So many are tried side by side."""
        self._short, self._long = asyncio.Semaphore(jobs), asyncio.Semaphore(_WAITING * jobs)

    async def run(self, asked: Asked, out: Path) -> Finished:
        """Run the suite when it is its turn."""
        async with self._short if asked.window == "quick" else self._long:
            return await _run(asked, out)


async def _run(asked: Asked, out: Path) -> Finished:
    """Run the suite; cancelled, it ends the run and what belongs to it before it returns."""
    command = [
        *(sys.executable, "-m", "sipverdict", "run"),
        *(f"--device={asked.profile}:{asked.part.variant}", f"--window={asked.window}", f"--out={out}"),
        *("-k", asked.part.item, f"--transport={asked.part.transport}"),
        # Nobody reads these reports.
        *("--tb=no", "-p", "no:allure_pytest", "--no-page"),
        *(("-p", "tests.mutants.stop_at_fail") if asked.stop_at_fail else ()),
        *asked.suite,
    ]
    process = await asyncio.create_subprocess_exec(
        # Should this process be killed, the run gets an interrupt, and ends its devices and endpoints itself.
        *dying_with_parent(command, "INT"),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        process_group=0,  # an interrupt from the terminal reaches it through us, in order
    )
    stopped, output = False, b""
    try:
        output, _ = await asyncio.wait_for(process.communicate(), LIMIT_S[asked.window])
    except TimeoutError:
        stopped = True
    finally:
        await _end(process)
    return finished(asked, out, stopped=stopped, output=output.decode(errors="replace"))


def finished(asked: Asked, out: Path, *, stopped: bool = False, output: str = "") -> Finished:
    """What the latest run in ``out`` has left behind."""
    folder = (out / "latest").resolve()
    lines = folder / "verdicts.jsonl"
    written = lines.read_text("utf-8").splitlines() if lines.exists() else []
    records = tuple(record for line in written if "purpose" in (record := json.loads(line)))
    return Finished(asked.part, asked.window, folder, records, stopped, output)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Interrupt the run, as a person would; kill it if that does not help."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        ending = asyncio.ensure_future(process.communicate())
        # Shielded: a second interrupt of ours must not leave it half ended.
        done, _ = await asyncio.wait({asyncio.shield(ending)}, timeout=_GRACE_S)
        if not done:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await ending
