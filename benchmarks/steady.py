"""Whether verdicts stay the same: many runs in a row, with two busy loops beside them.

With ``--loss`` the reference device stands behind a line that loses packets (root; see tests/chaos/link.py).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUSY = "while True: pass"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--device", default="reference")
    parser.add_argument("--fault", action="append", default=[], help="of the reference device; repeatable")
    parser.add_argument("--loss", type=float, default=0.0, help="share of the packets that a line loses")
    options = parser.parse_args()
    loops = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(2)]
    seen: dict[tuple[str, str, str], Counter[str]] = {}
    reasons: dict[tuple[str, str, str, str], str] = {}
    try:
        for number in range(options.runs):
            for record in run(options, number):
                key = (record["purpose"], record["device"], record["role"])
                seen.setdefault(key, Counter())[record["verdict"]] += 1
                reasons[(*key, record["verdict"])] = record["reason"]
            print(f"run {number + 1} of {options.runs}: {sum(len(c) > 1 for c in seen.values())} differ", flush=True)
    finally:
        for loop in loops:
            loop.kill()
    for key, counts in seen.items():
        if len(counts) > 1:
            print(" ".join(key), dict(counts))
            for verdict in counts:
                print(f"    {verdict}: {reasons[(*key, verdict)]}")
    differing = sum(len(counts) > 1 for counts in seen.values())
    print(f"{options.device}: {options.runs} runs, {len(seen)} verdicts each, {differing} not always the same")
    told = sum((counts for counts in seen.values()), Counter[str]())
    print(", ".join(f"{count} {verdict}" for verdict, count in told.most_common()))
    sys.exit(bool(differing))


def run(options: argparse.Namespace, number: int) -> list[dict[str, str]]:
    command = [sys.executable, "-m", "sipverdict", "run", *(f"--fault={fault}" for fault in options.fault), "--no-page"]
    if options.loss:
        line = [sys.executable, "-m", "tests.chaos.link", f"--loss={options.loss}", f"--seed={number}", "--"]
        command = [*line, *command, "--device={profile}"]
    else:
        command.append(f"--device={options.device}")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [*command, "--out", folder],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        stored = Path(folder) / "latest" / "verdicts.jsonl"
        if not stored.exists():
            sys.exit(done.stdout)
        lines = stored.read_text().splitlines()
    print(*done.stdout.splitlines()[-2:], sep="\n", flush=True)
    return [record for line in lines if "purpose" in (record := json.loads(line))]


if __name__ == "__main__":
    main()
