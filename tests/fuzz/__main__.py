"""``make fuzz SECONDS=60``: each reader for so long under a coverage-guided fuzzer, one after the other.

A finding is kept in ``tests/fuzz/corpus/READER`` (where tests/fuzz/test_corpus.py reads it from then on), and the exit
status is 1.  How many inputs each reader has met so far is counted in ``reports/out/fuzz/report.json``.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.fuzz.readers import READERS

CORPUS = Path(__file__).parent / "corpus"
OUT = Path("reports") / "out" / "fuzz"
LIMITS = ("-timeout=60", "-rss_limit_mb=1024", "-malloc_limit_mb=512", "-print_final_stats=1", "-close_fd_mask=1")
"""An input that takes 60 s is a finding (of the clock, on a busy machine), and so is one that takes 1 GB of memory."""
LONGEST = {"record": 4096, "flow": 16384, "run": 16384, "dossier": 16384}


@dataclass
class Count:
    inputs: int = 0
    covered: int = 0
    """Edges of harness that the corpus reaches."""
    findings: int = 0


def fuzz(reader: str, seconds: int, inputs: int) -> tuple[Count, str]:
    """Fuzz one reader; the count of this time, and what was found in words ("" for nothing)."""
    work, seeds = OUT / reader, CORPUS / reader
    work.mkdir(parents=True, exist_ok=True)
    seeds.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.fuzz.one", reader, *LIMITS, f"-max_total_time={seconds}", f"-runs={inputs}"]
    command += [f"-max_len={LONGEST.get(reader, 2048)}", f"-artifact_prefix={work}-", str(work), str(seeds)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    executed = re.findall(r"number_of_executed_units:\s*(\d+)", done.stderr) or re.findall(
        r"^#(\d+)", done.stderr, re.M
    )
    covered = re.findall(r"cov: (\d+)", done.stderr)
    count = Count(int(executed[-1]) if executed else 0, int(covered[-1]) if covered else 0)
    if done.returncode == 0:
        return count, ""
    count.findings = 1
    written = re.findall(r"Test unit written to (\S+)", done.stderr)
    for path in map(Path, written):
        path.replace(seeds / path.name.removeprefix(f"{reader}-"))
    last = [
        line
        for line in done.stderr.splitlines()
        if re.match(r"\s*(?:\w+\.)*\w*(?:Error|Exception)\b|==\d+== ERROR", line)
    ]
    return count, f"{last[0].strip() if last else done.stderr[-400:]} ({', '.join(written) or 'nothing was kept'})"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each reader")
    parser.add_argument("--inputs", type=int, default=-1, help="at most so many for each reader; -1: no limit")
    parser.add_argument("reader", nargs="*", help=f"of {', '.join(READERS)}; none: all")
    given = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    known, found = OUT / "report.json", []
    totals = {name: Count(**one) for name, one in (json.loads(known.read_text()) if known.exists() else {}).items()}
    for reader in given.reader or READERS:
        count, finding = fuzz(reader, given.seconds, given.inputs)
        total = totals.setdefault(reader, Count())
        total.inputs += count.inputs
        total.covered = max(total.covered, count.covered)
        total.findings += count.findings
        known.write_text(json.dumps({name: asdict(one) for name, one in totals.items()}, indent=1) + "\n")
        print(f"{reader:9} {count.inputs:>9,} inputs ({total.inputs:,} so far), {count.covered} edges", flush=True)
        if finding:
            found.append(reader)
            print(f"{reader:9} FOUND {finding}", flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
