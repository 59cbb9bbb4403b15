"""Whether verdicts stay the same: many runs in a row, with two busy loops beside them."""

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
    options = parser.parse_args()
    loops = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(2)]
    seen: dict[tuple[str, str, str], Counter[str]] = {}
    reasons: dict[tuple[str, str, str, str], str] = {}
    try:
        for number in range(options.runs):
            for record in run(options.device):
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
    sys.exit(bool(differing))


def run(device: str) -> list[dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "sipverdict", "run", f"--device={device}", "--out", folder],
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        lines = (Path(folder) / "latest" / "verdicts.jsonl").read_text().splitlines()
    return [record for line in lines if "purpose" in (record := json.loads(line))]


if __name__ == "__main__":
    main()
