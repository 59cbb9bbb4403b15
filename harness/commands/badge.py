"""``sipverdict badge``: the verdict of a run as a small, self-contained SVG."""

from __future__ import annotations

from pathlib import Path

from harness.commands.gate import ask
from harness.model.outcome import ExitStatus
from harness.model.printable import xml
from harness.store.files import write_whole
from harness.store.stored_run import StoredRun, read_run

_LEFT = "SIP 302/603"
_LOOKS = {
    ExitStatus.CONFORMING: ("conforming", "#2e7d32"),
    ExitStatus.NOT_CONFORMING: ("not conforming", "#b3261e"),
    ExitStatus.INCONCLUSIVE: ("inconclusive", "#7b5ea7"),
}
_LETTER = 6.6
"""Width of a letter in DejaVu Sans and Verdana at 11 px; textLength enforces it in other fonts."""
_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{left}: {right}">
<title>{left}: {right}</title>
<rect width="{width}" height="20" rx="3" fill="#454f5b"/>
<path d="M{split} 0h{rest}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{rest}z" fill="{colour}"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="{at_left}" y="14" textLength="{left_length}">{left}</text>
<text x="{at_right}" y="14" textLength="{right_length}">{right}</text>
</g>
</svg>
"""


def badge(folder: str, output: Path) -> int:
    """Draw the badge of the run in ``folder``.  The status is 0 whatever the verdict."""
    write_whole(output, draw(read_run(Path(folder), cut_off=True)))
    print(output)
    return int(ExitStatus.CONFORMING)


def draw(run: StoredRun) -> str:
    """The badge of ``run``.  It shows the verdicts, and the number of waivers, which change no verdict."""
    word, colour = _LOOKS.get(ask(run, "").status, _LOOKS[ExitStatus.INCONCLUSIVE])
    counts = run.tally.counts
    number = {"not conforming": counts.get("fail", 0), "conforming": counts.get("pass", 0) + counts.get("warn", 0)}
    unit = {"not conforming": "failed", "conforming": "passed"}
    scope = run.header.scope
    said = f"conforming in {scope.window_s:g} s" if word == "conforming" else word
    right = f"{said}, {number[word]} {unit[word]}" if word in number else said
    waived = len(run.footer.gate.waived) if run.footer and run.footer.gate else 0
    right += f", {waived} waived" if waived else ""
    right += f", a subset ({scope.planned} of {scope.whole} tests)" if scope.subset else ""
    left_length, right_length = round(len(_LEFT) * _LETTER), round(len(right) * _LETTER)
    split = left_length + 12
    return _SVG.format(
        width=split + right_length + 14,
        split=split,
        rest=right_length + 11,
        left=xml(_LEFT),
        right=xml(right),
        colour=colour,
        at_left=split / 2,
        at_right=split + right_length / 2 + 7,
        left_length=left_length,
        right_length=right_length,
    )
