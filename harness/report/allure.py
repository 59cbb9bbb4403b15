"""What Allure shows of a purpose: where it belongs, what was driven, and the evidence.

Call :func:`report` inside the test, before :func:`harness.report.outcome.settle` raises its verdict; without
``--alluredir`` every call is free.  The status comes from the exception: Nonconformity is an AssertionError (failed),
Inconclusive is none (broken), a skip is skipped.  Tests are to be parametrised by string ids: objects would change
Allure's history id on every run.  ``environment.properties`` and the like are written once, on xdist's controller.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import allure
import pytest
from allure_commons.types import AttachmentType, Severity

from harness.finding import Record
from harness.flow import Event, Flow
from harness.report.clean import Redact, capped, lines, printable, redactor
from harness.report.files import write_whole
from harness.report.ladder import svg_ladder
from harness.report.outcome import verdict_name
from harness.report.steps import start_of
from harness.verdict import Verdict

_SEVERITIES = (
    (Severity.CRITICAL, ("MUST", "MUST NOT")),
    (Severity.NORMAL, ("DERIVED", "PROFILE")),
    (Severity.MINOR, ("SHOULD", "SHOULD NOT", "RECOMMENDED", "NOT RECOMMENDED")),
)
_LARGEST = 200_000
"""Characters of one attachment; a shared callee's scenario and a looping device's messages can be long."""


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
    clean = redact or redactor()
    _labels(item, record, flows, rows)
    if text:
        _attach(clean, text, "finding")
    if not record.applicable:
        _attach(clean, record.reason, "why it does not apply")
    for flow in flows:
        mark = _mark(record, flow) if flow.plan == flows[0].plan == flows[-1].plan else None
        with allure.step(_line(clean, f"{flow.plan.title} (flow {flow.id})")):
            _steps(flow, clean)
            # Redacted before it is drawn: a label may cut a secret in two, and then no one finds it any more.
            _attach(str, svg_ladder(_redacted(flow, clean), mark), "ladder", AttachmentType.SVG)
            _attach(clean, "\n".join(map(_message, flow.events)) or "no message", "messages")
            for seat in flow.seats:
                if seat.scenario:
                    # Nothing in it is from the device, and cleaning it would take longer than all the rest.
                    allure.attach(seat.scenario, f"scenario of {seat.name}", AttachmentType.XML)


def write_environment(folder: Path, mapping: Mapping[str, object]) -> None:
    """``environment.properties``: what the report's front page says of the run."""
    text = "".join(f"{_property(key, ' :=#!')}={_property(str(value))}\n" for key, value in mapping.items())
    write_whole(folder / "environment.properties", text)


def write_categories(folder: Path) -> None:
    """``categories.json``: "the device did wrong", "we could not tell" and "set up wrong" never look alike."""
    setup = r"(?s).*(SetupError|ProfileError|SippError|PlanError|DeviceError).*"
    categories: list[dict[str, object]] = [
        {"name": "The device does not conform", "matchedStatuses": ["failed"]},
        {"name": "Could not be told", "matchedStatuses": ["broken"], "messageRegex": r"(?s).*Inconclusive.*"},
        {"name": "Set up wrong, or the device did not start", "matchedStatuses": ["broken"], "messageRegex": setup},
        {"name": "A mistake of the suite", "matchedStatuses": ["broken"]},
        {"name": "Not applicable to this device", "matchedStatuses": ["skipped"]},
    ]
    write_whole(folder / "categories.json", json.dumps(categories, indent=2) + "\n")


def write_executor(folder: Path, run: str, version: str) -> None:
    """``executor.json``: which run this is."""
    executor = {
        "name": f"sipverdict {version}",
        "type": "sipverdict",
        "buildName": run,
        "reportName": f"sipverdict: {run}",
    }
    write_whole(folder / "executor.json", json.dumps(executor, indent=2) + "\n")


def _labels(item: pytest.Item, record: Record, flows: Iterable[Flow], rows: Sequence[RowInfo]) -> None:
    _label("epic", *_epics(flows))
    _label("feature", *dict.fromkeys(row.clause for row in rows))
    _label("story", record.role)
    _label("severity", _severity(rows).value)
    # Allure 2 reads as_id, Allure 3 ALLURE_ID.
    _label("as_id", record.purpose)
    _label("ALLURE_ID", record.purpose)
    _label("verdict", verdict_name(record))
    _label("device", record.device)
    _label("nodeid", item.nodeid)
    _label("tag", *dict.fromkeys(row.id for row in rows))
    for link in {row.link: row for row in rows if row.link}.values():
        name = printable(f"{link.clause}: {link.requirement}")
        allure.dynamic.link(link.link, name=name)  # type: ignore[no-untyped-call]


def _label(name: str, *values: str) -> None:
    allure.dynamic.label(name, *map(printable, values))  # type: ignore[no-untyped-call]


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


def _steps(flow: Flow, clean: Redact) -> None:
    start = start_of(flow)
    told = [(call.placed_at, f"the device is asked to call {call.uri}, by {call.by}") for call in flow.calls]
    told += [
        (event.time, f"{event.seat} answers {event.status} {event.reason} ({event.label})")
        for event in flow.events
        if not event.from_device and event.status is not None and event.status >= 200
    ][:20]
    for at, line in sorted(told):
        _step(clean, f"{at - start:+.3f} s  {line}")
    if flow.plan.watched and flow.watch.opened_at is not None:
        _step(clean, f"{flow.watch.closed_at - flow.watch.opened_at:.1f} s watched: {flow.watch.window}")
    for control in flow.controls:
        _step(clean, f"positive control: {control.seat_kind} {control.address} was reached (flow {control.flow})")
    if flow.life is not None:
        _step(clean, f"{flow.life.at - start:+.3f} s  the device was alive: {flow.life.how}")
    for trouble in flow.troubles[:20]:
        _step(clean, f"trouble ({trouble.blame}): {trouble.text}")


def _step(clean: Redact, title: str) -> None:
    with allure.step(_line(clean, title)):
        pass


def _mark(record: Record, flow: Flow) -> int | None:
    """The decisive message: that of the worst finding which names one.

    Only asked where all flows are of one plan (a fail and its confirmation): else it is not known which is meant.
    """
    worst = sorted(record.requirements, key=lambda ruled: -ruled.verdict)
    named = {event.label: event.number for event in flow.events}
    return next((named[r.finding.where] for r in worst if r.verdict > Verdict.PASS and r.finding.where in named), None)


def _redacted(flow: Flow, clean: Redact) -> Flow:
    return dataclasses.replace(
        flow,
        events=tuple(dataclasses.replace(event, raw=_raw(event, clean)) for event in flow.events),
        calls=tuple(dataclasses.replace(call, uri=clean(call.uri)) for call in flow.calls),
        troubles=tuple(dataclasses.replace(trouble, text=clean(trouble.text)) for trouble in flow.troubles),
        unreadable=tuple(map(clean, flow.unreadable)),
    )


def _raw(event: Event, clean: Redact) -> str:
    text = clean(event.text)
    return event.raw if text == event.text else text.encode("utf-8", "replace").decode("latin-1")


def _message(event: Event) -> str:
    way = "from the device" if event.from_device else "to the device"
    return f"---- {event.label}, {way}, {event.transport}, {event.time:.6f}\n{event.text}"


def _line(clean: Redact, text: str) -> str:
    return capped(printable(clean(text)), 500)


def _attach(clean: Redact, text: str, name: str, kind: AttachmentType = AttachmentType.TEXT) -> None:
    body = lines(clean(text))
    allure.attach(body if kind is AttachmentType.SVG else capped(body, _LARGEST), printable(name), kind)


def _property(text: str, special: str = "") -> str:
    """``text`` as a key or a value of a Java properties file, which is ASCII with UTF-16 escapes."""
    units = printable(text).encode("utf-16-be")
    codes = [units[place] << 8 | units[place + 1] for place in range(0, len(units), 2)]
    return "".join(
        f"\\u{code:04x}" if code > 126 else f"\\{chr(code)}" if chr(code) in f"\\{special}" else chr(code)
        for code in codes
    )
