"""The table at the end of a run: three lines if all is well, and one more per finding."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from harness.judge.observed import Observation
from harness.model.axes import Axes
from harness.model.device_name import title
from harness.model.outcome import NOT_TESTED, SKIPPED, Tally
from harness.model.printable import short
from harness.model.scope import Scope
from harness.model.verdict import Verdict
from harness.policy.expectations import Expectations
from harness.report.causes import WHOSE, by_cause
from harness.store.verdict_lines import LostLine, VerdictLine

_STYLES = {"fail": "bold red", "inconclusive": "magenta", "warn": "yellow", "none": "bold red", "pass": "green"}
_LINES = 8
"""The most lines on one subject."""
_INDENT = 14
"""Columns before the reason: it stands below the requirement."""
_WHY = 300
"""Characters of a reason where lines are not cut to a terminal's width."""


@dataclass(frozen=True)
class Run:
    """The facts that the summary shows."""

    records: Sequence[VerdictLine]
    planned: int
    scope: Scope
    window: str
    wall_s: float
    """Seconds the run took."""
    waits_s: float
    """Seconds of all windows added up: the time that they would take one after the other."""
    folder: Path | None
    """None if nothing was written."""
    expectations: Expectations | None = None
    pics: Sequence[Observation] = ()
    losses: Sequence[LostLine] = ()
    """Every time that a device was lost."""
    redress: Sequence[str] = ()
    """What the 603+ of the devices say of whom to ask, a line each (:mod:`harness.report.redress`)."""
    conditions: Sequence[str] = ()
    """What was wrong with the time of this machine and with the lines to the devices, a sentence each."""

    @property
    def tally(self) -> Tally:
        """The number of each verdict."""
        return replace(Tally.of((record.verdict for record in self.records), self.planned), lost=len(self.losses))


def print_summary(run: Run, console: Console, sentence: Callable[[VerdictLine], str] | None = None) -> None:
    """Print the summary of ``run``.  ``sentence`` gives the title of a purpose; without it, its name is shown.

    A terminal gets coloured lines, wrapped to its width; anything else gets plain, complete lines, one per finding.
    """
    devices = list(dict.fromkeys(record.device for record in run.records))
    for device in devices:
        shown = [record for record in run.records if record.device == device and _worth_telling(record)]
        shown.sort(key=lambda record: (-_rank(record), record.purpose))
        if len(devices) > 1:
            tally = Tally.of((r.verdict for r in run.records if r.device == device), 0)
            _say(console, Text(f"{short(device, 60)}: {_counts(tally)}", "bold"))
        # A device that could not be used is one problem, not one for each purpose.
        reasons = Counter(record.reason for record in shown if not record.drives)
        shown = [record for record in shown if record.drives]
        rows = _grouped(shown, sentence)
        if console.is_terminal:
            _print_rows(rows, console)
        for verdict, *cells in rows if not console.is_terminal else ():
            _say(console, Text("  ".join((f"{verdict.upper():<12}", *cells))))
        for reason, purposes in reasons.items():
            _say(console, Text(f"INCONCLUSIVE  {purposes} tests: {short(reason, _WHY)}", "magenta"))
    for loss in run.losses[:_LINES]:
        _say(console, Text(f"LOST  {short(loss.sentence, _WHY * 2)}", "bold red"))
    if len(run.losses) > _LINES:
        _say(
            console,
            Text(f"LOST  and {len(run.losses) - _LINES} more times: see the footer of verdicts.jsonl", "bold red"),
        )
    for condition in run.conditions[:_LINES]:
        _say(console, Text(f"CONDITIONS  {short(condition, _WHY)}", "yellow"))
    _print_not_tested(run.records, console)
    for line in run.redress[:_LINES]:
        _say(console, Text(f"603+  {short(line, _WHY)}", "dim"))
    _print_pics(run.pics, console)
    _print_expectations(run, console)
    _say(console, _verdict_line(run, devices))
    ratio = f", {run.waits_s / run.wall_s:.1f} times as much" if run.wall_s > 0 and run.waits_s > run.wall_s else ""
    _say(console, Text(f"window {run.window}; took {_time(run.wall_s)} for {_time(run.waits_s)} of waits{ratio}"))
    if run.folder is not None:
        _say(console, Text(f"report {run.folder}"), whole=True)


def _print_not_tested(records: Sequence[VerdictLine], console: Console) -> None:
    """What could not be asked in this run, one line per cause."""
    reasons = Counter(record.reason for record in records if record.verdict == NOT_TESTED)
    for reason, tests in reasons.most_common(_LINES):
        _say(console, Text(f"NOT TESTED  {tests} {'test' if tests == 1 else 'tests'}: {short(reason, _WHY)}", "dim"))
    if len(reasons) > _LINES:
        _say(console, Text(f"NOT TESTED  for {len(reasons) - _LINES} more reasons: see the report", "dim"))


def _print_pics(pics: Sequence[Observation], console: Console) -> None:
    """The claims of the profile that the device contradicts."""
    differing = [one for one in pics if one.differs]
    for one in differing[:_LINES]:
        _say(console, Text(f"PICS  {short(one.sentence, _WHY)}", "yellow"))
    if len(differing) > _LINES:
        _say(console, Text(f"PICS  and {len(differing) - _LINES} more: see the footer of verdicts.jsonl", "yellow"))


def _print_expectations(run: Run, console: Console) -> None:
    """The deviations from ``expected.toml``, or one line that there are none."""
    expected = run.expectations
    if expected is None or not expected.known:
        return
    deviations = expected.deviations(run.records)
    for one in deviations[:_LINES]:
        style = "bold red" if one.kind == "worse" else "yellow"
        _say(console, Text(f"{one.kind.upper():<8}  {short(one.sentence, _WHY)}", style))
    if len(deviations) > _LINES:
        _say(
            console, Text(f"and {len(deviations) - _LINES} more deviations: see the footer of verdicts.jsonl", "yellow")
        )
    known = f"{expected.non_passes_known(run.records)} known non-passes as expected"
    if not deviations:
        _say(console, Text(f"{known} ({short(expected.file, 200)})"))
        return
    _say(console, Text(f"{known}, {len(deviations)} deviations ({short(expected.file, 200)})", "yellow"))
    if all(one.kind != "worse" for one in deviations) and run.folder is not None:
        names = dict.fromkeys(expected.asked.get(one.device, one.device) for one in deviations)
        devices = shlex.join(word for name in names for word in ("--device", name))
        accept = f"sipverdict expect {shlex.quote(str(run.folder))} {devices}"
        _say(console, Text(f"to accept the improvements: {accept}"), whole=True)


def _say(console: Console, text: Text, *, whole: bool = False) -> None:
    """Print ``text``: wrapped between words on a terminal, unless it is ``whole`` for being copied."""
    console.print(text, soft_wrap=whole or not console.is_terminal, highlight=False)


def _worth_telling(record: VerdictLine) -> bool:
    return record.verdict not in ("pass", *SKIPPED)


def _rank(record: VerdictLine) -> int:
    # A missing verdict is a gap in the run: it is shown with the inconclusive ones.
    return Verdict.INCONCLUSIVE if record.rank is Verdict.NONE else record.rank


def _cells(record: VerdictLine, sentence: Callable[[VerdictLine], str] | None) -> tuple[str, str, str]:
    worst = sorted((r for r in record.requirements if r.rank > Verdict.PASS), key=lambda r: -r.rank)
    more = f" +{len(worst) - 1}" if len(worst) > 1 else ""
    requirement = f"{worst[0].id}{more}" if worst else "-"
    what = sentence(record) if sentence else record.purpose
    usual = record.case.axes == Axes(record.role)
    where = f" ({record.role})" if usual else f" ({record.case.axes.label})"
    why = record.reason or (worst[0].reason if worst else "") or "no verdict"
    # The missing proof is the news; a line has room for little else.
    if worst and worst[0].unproven:
        why = f"unproven: {worst[0].unproven}"
    return requirement, short(f"{what}{where}", 100), short(why, _WHY)


def _grouped(
    records: Sequence[VerdictLine], sentence: Callable[[VerdictLine], str] | None
) -> list[tuple[str, str, str, str]]:
    """A row for each record; one for all inconclusive records of one cause where there are several."""
    rows: list[tuple[str, str, str, str]] = []
    for alike in by_cause(records):
        record = alike[0]
        requirement, what, why = _cells(record, sentence)
        if record.doing:
            why = short(f"{why} [{WHOSE[record.doing]}]", _WHY)
        if len(alike) > 1:
            requirement, what = f"{len(alike)} tests", f"first: {what}"
        rows.append((record.verdict, requirement, what, why))
    return rows


def _print_rows(rows: Sequence[tuple[str, str, str, str]], console: Console) -> None:
    """A block for each row: who says what about which test in one line, if it fits, and why below it.

    Names are never cut: two tests of one file differ in their last words.
    """
    for verdict, requirement, what, why in rows:
        # Text, not str: rich would read a device's text as markup.
        console.print(
            Text.assemble((f"{verdict:<12}", _STYLES.get(verdict, "")), f"  {requirement}  {what}"), soft_wrap=True
        )
        console.print(Padding(Text(why), (0, 0, 0, _INDENT)))


def _verdict_line(run: Run, devices: Sequence[str]) -> Text:
    tally = run.tally
    words = {
        Verdict.FAIL: "not conforming",
        Verdict.INCONCLUSIVE: "inconclusive",
        Verdict.WARN: "conforming, with warnings",
    }
    verdict = words.get(tally.verdict, "conforming")
    if tally.verdict.value <= Verdict.WARN:
        verdict = f"{verdict} {run.scope.window}"
    if not tally.complete:
        hole = (
            f"{tally.executed} of {tally.planned} test cases came to a verdict"
            if tally.planned
            else "nothing was planned"
        )
        verdict = f"{verdict if tally.verdict is Verdict.FAIL else 'incomplete'} ({hole})"
    name = short(title(devices), 60) or "no device"
    subset = f" - {run.scope.cases}" if run.scope.subset else ""
    return Text.assemble(
        f"{name}: ", (verdict, _STYLES.get(str(tally.verdict), "")), f" - {_counts(tally) or 'no verdicts'}{subset}"
    )


def _counts(tally: Tally) -> str:
    return ", ".join(f"{count} {_word(name)}" for name, count in tally.counts.items())


def _word(name: str) -> str:
    return {"none": "without verdict"}.get(name, name.replace("_", " "))


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d} h"
