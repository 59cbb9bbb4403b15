"""``make chaos``: every machine fault, done to a real run; prints its verdicts, what is left behind, the exit status.

python -m tests.chaos [--only TEXT] [--write docs/reliability.md]
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.chaos.harms import privileged
from tests.chaos.outcome import Outcome, suffer
from tests.chaos.table import TABLE

BEGIN, END = "<!-- Made by `make chaos`. -->\n", "<!-- End of what is made. -->"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="the faults whose name matches this")
    parser.add_argument("--write", type=Path, help="put the table into this page, between its two marks")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        base = suffer(TABLE[0], Path(folder) / "none", None)
        outcomes = [base]
        for number, fault in enumerate(TABLE[1:]):
            if not re.search(options.only, fault.name):
                continue
            if fault.root and not privileged():
                print(f"{fault.name}: needs root", file=sys.stderr)
                continue
            outcomes.append(suffer(fault, Path(folder) / str(number), base.verdicts))
            print(table([outcomes[-1]])[-1], *outcomes[-1].wrong, sep="\n    ", file=sys.stderr)
    made = "\n".join(table(outcomes))
    print(made)
    if options.write:
        before, rest = options.write.read_text().split(BEGIN)
        after = rest.split(END)[1]
        options.write.write_text(f"{before}{BEGIN}\n{made}\n\n{END}{after}")
    return int(any(one.wrong or one.left for one in outcomes))


def table(outcomes: Iterable[Outcome]) -> list[str]:
    """The lines of a table in Markdown."""
    lines = ["| fault | verdicts | wrong | left behind | exit status | seconds |", "|---|---|---|---|---|---|"]
    for one in outcomes:
        left = len(one.left) or "nothing"
        cells = (one.fault.name, one.counts, len(one.wrong) or "none", left, one.status, f"{one.seconds:.0f}")
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
