"""How long the whole UA suite takes, and how long its waits would take one after another."""

from __future__ import annotations

import argparse
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--window", default="quick")
    parser.add_argument("--device", default="reference")
    options = parser.parse_args()
    walls, cpus, waits = [], [], ""
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.runs):
            before, began = cpu(), time.monotonic()
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "harness.cli", "run"),
                    *(f"--device={options.device}", f"--window={options.window}", "--out", folder),
                ],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
            walls.append(time.monotonic() - began)
            cpus.append(cpu() - before)
            told = re.search(r"took .* for (.*) of waits", done.stdout)
            waits = told[1] if told else "?"
            print(f"run: {walls[-1]:.1f} s wall, {cpus[-1]:.1f} s CPU, exit status {done.returncode}", flush=True)
    print(
        f"{options.device}, {options.window}: median {statistics.median(walls):.1f} s wall of {options.runs} runs, "
        f"{statistics.median(cpus):.1f} s CPU; its waits one after another: {waits}"
    )


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
