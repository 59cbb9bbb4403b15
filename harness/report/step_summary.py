"""The summary of a run in Markdown, as GitHub shows it beside a job."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final

from harness.model.outcome import Tally
from harness.model.printable import short
from harness.policy.gate import Answer, Blocking
from harness.report.code_scanning import line_of
from harness.report.identity import devices_of
from harness.report.reproduce import reproduce
from harness.requirements.catalogue import Catalogue
from harness.store.stored_run import StoredRun

_MOST: Final = 50
"""Findings that are listed: GitHub takes a summary of 1 MiB, and a reader takes less."""
_LONGEST: Final = 400


def step_summary(run: StoredRun, answer: Answer, catalogue: Catalogue) -> str:
    """The verdict, a row for each device, and what counts; it ends with an empty line, for it is appended to others."""
    return "\n".join(_lines(run, answer, catalogue)) + "\n\n"


def _lines(run: StoredRun, answer: Answer, catalogue: Catalogue) -> Iterator[str]:
    header = run.header
    yield f"## SIP conformance: {_md(answer.sentence)}"
    yield ""
    yield "| device | firmware | verdict | tests |"
    yield "|---|---|---|---|"
    for device in devices_of(run):
        tally = Tally.of((line.verdict for line in run.records if line.device == device.name), 0)
        counts = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in tally.counts.items())
        worst = next(iter(tally.counts), "no verdict").replace("_", " ")
        yield f"| {_md(device.name)} | {_md(device.firmware) or '-'} | **{worst}** | {counts} |"
    yield ""
    yield f"Window {header.window}, {header.scope.cases}, sipverdict {_md(header.suite)}, run `{_code(header.run)}`."
    for problem in answer.problems:
        yield f"\n> {_md(problem)}"
    if answer.blocking:
        yield "\n### What counts\n"
    for one in answer.blocking[:_MOST]:
        yield from _finding(run, one, catalogue)
    if len(answer.blocking) > _MOST:
        yield f"\nAnd {len(answer.blocking) - _MOST} more: see the run's page."
    for one, waiver in answer.waived:
        until = waiver.expires.isoformat()
        yield f"\nWaived until {until}: {_md(one.title)} ({_md(waiver.owner)}: {_md(waiver.reason)})"


def _finding(run: StoredRun, one: Blocking, catalogue: Catalogue) -> Iterator[str]:
    found, case = one.found, one.line.case
    row = catalogue.rows.get(found.requirement)
    link = f"[{found.requirement}]({row.link})" if row and row.link else _md(found.requirement)
    yield f"<details><summary><b>{found.verdict}</b> {_md(found.requirement)} {_md(case.purpose)} ({_md(case.where)})"
    yield "</summary>\n"
    if row:
        yield f"{link}, {row.level}: {_md(row.requirement)}\n"
    line = line_of(one)
    told = [("actual", found.reason)]
    if line is not None and line.outcome != "unseen":
        told = [
            *(("expected", text) for text in line.expected),
            *told,
            ("means", line.means),
            ("look at", line.look_at),
        ]
    yield from (f"- **{label}** {_md(text)}" for label, text in told if text)
    device = run.devices.get(case.device)
    if command := reproduce(case, window=run.header.window, source=device.source if device else ""):
        yield f"\n```sh\n{_code(command)}\n```"
    yield "</details>\n"


def _md(text: str) -> str:
    """``text`` of a device as plain words: nothing in it is Markdown or HTML."""
    shown = html.escape(short(text, _LONGEST), quote=False)
    return re.sub(r"([\\`*_{}\[\]#|~!@])", r"\\\1", shown)


def _code(text: str) -> str:
    return short(text.replace("`", "'"), _LONGEST * 2)
