"""What Allure shows of a purpose: where it belongs, what was driven, and the evidence.

Call :func:`report` inside the test, before :func:`harness.run.pytest_outcome.settle` raises its verdict; without
``--alluredir`` every call is free.  The status comes from the exception: Nonconformity is an AssertionError (failed),
Inconclusive is none (broken), a skip is skipped.  Tests are to be parametrised by string ids: objects would change
Allure's history id on every run.  ``environment.properties`` and the like are written once, on xdist's controller.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import allure
import pytest
from allure_commons.model2 import Label, Link, TestResult, TestStepResult
from allure_commons.types import AttachmentType, Severity

from harness.model.finding import Record
from harness.model.flow import Flow
from harness.model.outcome import verdict_name
from harness.model.printable import Redact, capped, lines, printable, redactor
from harness.model.verdict import Verdict
from harness.report.allure_flow import LARGEST, line_step, step_of
from harness.store.files import write_whole

_SEVERITIES = (
    (Severity.CRITICAL, ("MUST", "MUST NOT")),
    (Severity.NORMAL, ("DERIVED", "PROFILE")),
    (Severity.MINOR, ("SHOULD", "SHOULD NOT", "RECOMMENDED", "NOT RECOMMENDED")),
)
_SETUP = r"[\s\S]*(SetupError|ProfileError|SippError|PlanError|DeviceError)[\s\S]*"
# Allure 2 reads these expressions as Java does, Allure 3 as JavaScript does.
CATEGORIES: tuple[Mapping[str, object], ...] = (
    {"name": "The device does not conform", "matchedStatuses": ["failed"]},
    {"name": "Could not be told", "matchedStatuses": ["broken"], "messageRegex": r"[\s\S]*Inconclusive[\s\S]*"},
    {"name": "Set up wrong, or the device did not start", "matchedStatuses": ["broken"], "messageRegex": _SETUP},
    {"name": "A mistake of the suite", "matchedStatuses": ["broken"]},
    {"name": "Not applicable to this device", "matchedStatuses": ["skipped"]},
)
"""Kinds of results for Allure's front page."""


@dataclass(frozen=True)
class RowInfo:
    """A catalogue row, as far as Allure shows it."""

    id: str
    clause: str
    level: str
    requirement: str
    role: str
    link: str
    """The clause at rfc-editor.org; "" if there is none."""


def report(
    item: pytest.Item,
    record: Record,
    flows: Sequence[Flow],
    rows: Sequence[RowInfo],
    text: str,
    redact: Redact | None = None,
) -> None:
    """Give the running test ``item`` its labels, links, steps and attachments.

    ``text`` is the finding as people read it.  Everything passes ``redact`` (None: the default redactor).
    """
    listener: Any = item.config.pluginmanager.get_plugin("allure_listener")
    if listener is None:
        return
    result: TestResult = listener.allure_logger.get_test(None)
    clean = redact or redactor()
    if summary := (inspect.getdoc(getattr(item, "obj", None)) or "").split("\n\n")[0]:
        # The parameters stay what they are: Allure knows a test in its history by them.
        title = f"{' '.join(summary.split())} [{record.device}, {record.role}]"
        allure.dynamic.title(printable(title))  # type: ignore[no-untyped-call]
    _labels(result, item.nodeid, record, flows, rows)
    if "\n" in text:
        _attach(clean, text, "finding")
    elif line := text or record.reason:
        result.steps.append(line_step(clean, line))
    drawn = item.config.stash.setdefault(_DRAWN, {})
    for flow in flows:
        mark = _mark(record, flow) if flow.plan == flows[0].plan == flows[-1].plan else None
        result.steps.append(_step_of(flow, mark, redact, drawn))


def write_environment(folder: Path, mapping: Mapping[str, object]) -> None:
    """``environment.properties``: what the report's front page says of the run."""
    text = "".join(f"{_property(key, ' :=#!')}={_property(str(value))}\n" for key, value in mapping.items())
    write_whole(folder / "environment.properties", text)


def write_categories(folder: Path) -> None:
    """``categories.json``: "the device did wrong", "we could not tell" and "set up wrong" never look alike."""
    write_whole(folder / "categories.json", json.dumps(CATEGORIES, indent=2) + "\n")


def write_executor(folder: Path, run: str, version: str) -> None:
    """``executor.json``: which run this is."""
    executor = {
        "name": f"sipverdict {version}",
        "type": "sipverdict",
        "buildName": run,
        "reportName": f"sipverdict: {run}",
    }
    write_whole(folder / "executor.json", json.dumps(executor, indent=2) + "\n")


@dataclass(frozen=True)
class _Drawn:
    """What was made of a flow: drawing it again for every purpose that judges it takes longer than judging."""

    flow: Flow
    redact: Redact | None
    step: TestStepResult


_DRAWN = pytest.StashKey[dict[tuple[str, int | None], _Drawn]]()


def _step_of(
    flow: Flow, mark: int | None, redact: Redact | None, known: dict[tuple[str, int | None], _Drawn]
) -> TestStepResult:
    drawn = known.get((flow.id, mark))
    if drawn is None or drawn.flow is not flow or drawn.redact is not redact:
        drawn = known[flow.id, mark] = _Drawn(flow, redact, step_of(flow, mark, redact or redactor()))
    return drawn.step


def _labels(result: TestResult, nodeid: str, record: Record, flows: Iterable[Flow], rows: Sequence[RowInfo]) -> None:
    told = [
        ("epic", *_epics(flows)),
        ("feature", *dict.fromkeys(row.clause for row in rows)),
        ("story", record.role),
        ("severity", _severity(rows).value),
        # Allure 2 reads as_id, Allure 3 ALLURE_ID.
        ("as_id", record.purpose),
        ("ALLURE_ID", record.purpose),
        ("verdict", verdict_name(record)),
        ("level", *dict.fromkeys(row.level for row in rows)),
        ("transport", record.transport),
        ("family", record.family),
        ("window", f"{record.window_s:g} s"),
        ("device", record.device),
        ("nodeid", nodeid),
        ("tag", *dict.fromkeys(row.id for row in rows)),
    ]
    # allure.dynamic would ask every plugin for each of them: twice the time of all the rest.
    result.labels += [Label(name=name, value=printable(value)) for name, *values in told for value in values]
    result.links += [
        Link(type="link", url=link.link, name=printable(f"{link.clause}: {link.requirement}"))
        for link in {row.link: row for row in rows if row.link}.values()
    ]


def _epics(flows: Iterable[Flow]) -> list[str]:
    """By the codes that the plans answer with: a purpose may be about both."""
    statuses = {
        response.status
        for flow in flows
        for endpoint in flow.plan.endpoints
        for answer in endpoint.answers
        for response in answer.responses
    }
    found = [
        name for name, first in (("302/3xx", 3), ("603/6xx", 6)) if any(status // 100 == first for status in statuses)
    ]
    return found or ["other responses"]


def _severity(rows: Iterable[RowInfo]) -> Severity:
    levels = {row.level for row in rows}
    return next((severity for severity, names in _SEVERITIES if levels & set(names)), Severity.TRIVIAL)


def _mark(record: Record, flow: Flow) -> int | None:
    """The decisive message: that of the worst finding which names one.

    Only asked where all flows are of one plan (a fail and its confirmation): else it is not known which is meant.
    """
    worst = sorted(record.requirements, key=lambda ruled: -ruled.verdict)
    named = {event.label: event.number for event in flow.events}
    return next((named[r.finding.where] for r in worst if r.verdict > Verdict.PASS and r.finding.where in named), None)


def _attach(clean: Redact, text: str, name: str) -> None:
    allure.attach(capped(lines(clean(text)), LARGEST), name, AttachmentType.TEXT)


def _property(text: str, special: str = "") -> str:
    """``text`` as a key or a value of a Java properties file, which is ASCII with UTF-16 escapes."""
    units = printable(text).encode("utf-16-be")
    codes = [units[place] << 8 | units[place + 1] for place in range(0, len(units), 2)]
    return "".join(
        f"\\u{code:04x}" if code > 126 else f"\\{chr(code)}" if chr(code) in f"\\{special}" else chr(code)
        for code in codes
    )
