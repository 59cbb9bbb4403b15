"""How long a whole run takes, how long its waits would take one after another, and what its time went to."""

from __future__ import annotations

import argparse
import itertools
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from harness.store.stored_run import read_run

ROOT = Path(__file__).resolve().parent.parent
SAMPLE_S = 0.05


class BusyCores(threading.Thread):
    """Samples how many cores of this machine are busy: (seconds since the epoch, cores)."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.samples: list[tuple[float, float]] = []
        self._over = threading.Event()

    def run(self) -> None:
        tick = os.sysconf("SC_CLK_TCK")
        before, busy = time.time(), _busy_ticks()
        while not self._over.wait(SAMPLE_S):
            now, ticks = time.time(), _busy_ticks()
            self.samples.append((now, (ticks - busy) / tick / (now - before)))
            before, busy = now, ticks

    def stop(self) -> list[tuple[float, float]]:
        self._over.set()
        self.join()
        return self.samples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--window", default="quick")
    parser.add_argument("--device", action="append")
    options = parser.parse_args()
    devices = options.device or ["reference"]
    walls, cpus, unexplained, waits = [], [], [], ""
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.runs):
            sampler, before, began = BusyCores(), cpu(), time.time()
            sampler.start()
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "sipverdict", "run", *(f"--device={device}" for device in devices)),
                    *(f"--window={options.window}", "--out", folder),
                ],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
            walls.append(time.time() - began)
            cpus.append(cpu() - before)
            unexplained.append(idle_outside(sampler.stop(), spans(Path(folder) / "latest")) / walls[-1])
            told = re.search(r"took .* for (.*) of waits", done.stdout)
            waits = told[1] if told else "?"
            print(
                f"run: {walls[-1]:.1f} s wall, {cpus[-1]:.1f} s CPU, exit status {done.returncode}, "
                f"{unexplained[-1]:.1%} of the time unexplained",
                flush=True,
            )
    print(
        f"{', '.join(devices)}, {options.window}: median {statistics.median(walls):.1f} s wall of {options.runs} runs, "
        f"{statistics.median(cpus):.1f} s CPU; its waits one after another: {waits}; neither call, window nor CPU: "
        f"{statistics.median(unexplained):.1%}"
    )


def spans(run: Path) -> list[tuple[float, float]]:
    """When a device was being called or watched: from the first message of each flow to the end of its window."""
    stored = read_run(run)
    flows = map(stored.flow, stored.evidence)
    return [(flow.events[0].time, flow.watch.closed_at) for flow in flows if flow.events]


def idle_outside(samples: list[tuple[float, float]], covered: list[tuple[float, float]]) -> float:
    """Seconds in which no device was called or watched, and not even one core was busy."""
    return sum(
        (now - before) * max(0.0, 1 - cores)
        for (before, _), (now, cores) in itertools.pairwise(samples)
        if not any(began <= now <= ended for began, ended in covered)
    )


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _busy_ticks() -> int:
    ticks = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4]


if __name__ == "__main__":
    main()
