"""The Allure result of a purpose: its place in the suite, its flows and the evidence.

Call :func:`report` inside the test, before :func:`harness.run.pytest_outcome.settle` raises its verdict; without
``--alluredir`` every call is free.  The status comes from the exception: Nonconformity is an AssertionError (failed),
Inconclusive is none (broken), a skip is skipped.  Tests are to be parametrised by string ids: objects would change
Allure's history id on every run.  :mod:`harness.report.allure_run` writes the files about the run as a whole.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import allure
import pytest
from allure_commons.model2 import Label, Link, TestResult, TestStepResult
from allure_commons.types import AttachmentType, Severity

from harness.model.flow import Flow
from harness.model.printable import Redact, capped, lines, printable, redactor
from harness.model.verdict import Verdict
from harness.report.allure_flow import LARGEST, line_step, step_of
from harness.requirements.catalogue import Row
from harness.store.verdict_lines import VerdictLine

_SEVERITIES = (
    (Severity.CRITICAL, ("MUST", "MUST NOT")),
    (Severity.NORMAL, ("DERIVED", "PROFILE")),
    (Severity.MINOR, ("SHOULD", "SHOULD NOT", "RECOMMENDED", "NOT RECOMMENDED")),
)


def report(
    item: pytest.Item,
    record: VerdictLine,
    flows: Sequence[Flow],
    rows: Sequence[Row],
    text: str,
    redact: Redact | None = None,
) -> None:
    """Give the running test ``item`` its labels, links, steps and attachments.

    ``text`` is the finding as text.  Everything passes ``redact`` (None: the default redactor).
    """
    listener: Any = item.config.pluginmanager.get_plugin("allure_listener")
    if listener is None:
        return
    result: TestResult = listener.allure_logger.get_test(None)
    clean = redact or redactor()
    if summary := (inspect.getdoc(getattr(item, "obj", None)) or "").split("\n\n")[0]:
        # The parameters are unchanged: Allure finds a test in its history by them.
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


def set_times(item: pytest.Item, began: float, ended: float) -> None:
    """Let the running test have begun with its first drive and ended with its last: seconds since the epoch.

    Allure itself would show how long pytest waited for the verdict, which is next to nothing for most tests.
    """
    listener: Any = item.config.pluginmanager.get_plugin("allure_listener")
    if listener is not None and (result := listener.allure_logger.get_test(None)) is not None:
        result.start, result.stop = round(began * 1000), round(ended * 1000)


@dataclass(frozen=True)
class _Drawn:
    """The steps of flows: drawing a flow again for every purpose that judges it would take longer than judging."""

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


def _labels(result: TestResult, nodeid: str, record: VerdictLine, flows: Iterable[Flow], rows: Sequence[Row]) -> None:
    labels = [
        ("epic", *_epics(flows)),
        ("feature", *dict.fromkeys(row.clause for row in rows)),
        ("story", record.role),
        ("severity", _severity(rows).value),
        # Allure 2 reads as_id, Allure 3 ALLURE_ID.
        ("as_id", record.purpose),
        ("ALLURE_ID", record.purpose),
        ("verdict", record.verdict),
        ("level", *dict.fromkeys(row.level for row in rows)),
        ("transport", record.transport),
        ("family", record.family),
        ("window", f"{record.window_s:g} s"),
        ("device", record.device),
        ("nodeid", nodeid),
        ("tag", *dict.fromkeys(row.id for row in rows)),
    ]
    # allure.dynamic would ask every plugin for each of them: twice the time of all the rest.
    result.labels += [Label(name=name, value=printable(value)) for name, *values in labels for value in values]
    result.links += [
        Link(type="link", url=link.link, name=printable(f"{link.clause}: {link.requirement}"))
        for link in {row.link: row for row in rows if row.link}.values()
    ]


def _epics(flows: Iterable[Flow]) -> list[str]:
    """The labels for the codes that the plans answer with.  A purpose may be about both 302 and 603."""
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


def _severity(rows: Iterable[Row]) -> Severity:
    levels = {row.level for row in rows}
    return next((severity for severity, names in _SEVERITIES if levels & set(names)), Severity.TRIVIAL)


def _mark(record: VerdictLine, flow: Flow) -> int | None:
    """The decisive message: that of the worst finding which names one.

    Only for flows of one plan (a fail and its confirmation): otherwise the finding does not identify its flow.
    """
    worst = sorted(record.requirements, key=lambda row: -row.rank)
    named = {event.label: event.number for event in flow.events}
    return next((named[r.where] for r in worst if r.rank > Verdict.PASS and r.where in named), None)


def _attach(clean: Redact, text: str, name: str) -> None:
    allure.attach(capped(lines(clean(text)), LARGEST), name, AttachmentType.TEXT)
