"""A flow as a step of an Allure result: the calls, the ladder, the messages.

Many purposes judge the same flow.  So the step is made once and added to the result of each of these purposes, and its
attachments are named by their content.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator

from allure_commons import plugin_manager
from allure_commons.model2 import ATTACHMENT_PATTERN, Attachment, Status, TestStepResult
from allure_commons.types import AttachmentType
from allure_commons.utils import now

from harness.model.flow import Event, Flow
from harness.model.printable import Redact, capped, lines, printable
from harness.report.ladder import svg_ladder, text_ladder
from harness.report.steps import start_of

LARGEST = 200_000
"""Characters of one attachment; a looping device's messages can be long."""


def step_of(flow: Flow, mark: int | None, clean: Redact) -> TestStepResult:
    """The step of ``flow``.  Its attachments are written to disk.  Every text passes ``clean``."""
    # Redacted before it is drawn: a shortened label may cut a secret in two, and ``clean`` would miss the halves.
    shown = _redacted(flow, clean)
    step = line_step(clean, f"{flow.plan.title} (flow {flow.id})")
    step.steps = [line_step(clean, line) for line in _told(shown)]
    step.attachments = list(_files(shown, mark))
    return step


def _files(flow: Flow, mark: int | None) -> Iterator[Attachment]:
    yield _file("ladder", svg_ladder(flow, mark, tips=False), AttachmentType.SVG)
    messages = "\n".join(map(_message, (*flow.events, *flow.late))) or "no message"
    # The ladder as text, with every cause, stands above them: one file for all, for files are most of what this costs.
    text = f"{text_ladder(flow, mark)}\n\n{lines(messages)}"
    yield _file("messages", capped(text, LARGEST), AttachmentType.TEXT)


def _file(name: str, body: str, kind: AttachmentType) -> Attachment:
    data = body.encode("utf-8", "replace")
    source = ATTACHMENT_PATTERN.format(prefix=hashlib.sha256(data).hexdigest()[:32], ext=kind.extension)
    plugin_manager.hook.report_attached_data(body=data, file_name=source)
    return Attachment(name=name, source=source, type=kind.mime_type)


def _told(flow: Flow) -> Iterator[str]:
    """The events of the flow, one line each."""
    start = start_of(flow)
    lines = [(call.placed_at, f"the device is asked to call {call.uri}, by {call.by}") for call in flow.calls]
    lines += [
        (event.time, f"{event.seat} answers {event.status} {event.reason} ({event.label})")
        for event in flow.events
        if not event.from_device and event.status is not None and event.status >= 200
    ][:20]
    for at, line in sorted(lines):
        yield f"{at - start:+.3f} s  {line}"
    if flow.plan.watched and flow.watch.opened_at is not None:
        yield f"{flow.watch.closed_at - flow.watch.opened_at:.1f} s watched: {flow.watch.window}"
    for control in flow.controls:
        yield f"positive control: {control.seat_kind} {control.address} was reached (flow {control.flow})"
    if flow.life is not None:
        yield f"{flow.life.at - start:+.3f} s  the device was alive: {flow.life.how}"
    for trouble in flow.troubles[:20]:
        yield f"trouble ({trouble.blame}): {trouble.text}"


def line_step(clean: Redact, title: str) -> TestStepResult:
    """A step that is one line."""
    at = now()  # type: ignore[no-untyped-call]
    return TestStepResult(name=capped(printable(clean(title)), 500), status=Status.PASSED, start=at, stop=at)


def _redacted(flow: Flow, clean: Redact) -> Flow:
    return dataclasses.replace(
        flow,
        events=tuple(_event(event, clean) for event in flow.events),
        calls=tuple(dataclasses.replace(call, uri=clean(call.uri)) for call in flow.calls),
        troubles=tuple(dataclasses.replace(trouble, text=clean(trouble.text)) for trouble in flow.troubles),
        lost=tuple(_event(event, clean) for event in flow.lost),
        late=tuple(_event(event, clean) for event in flow.late),
        between=tuple(_event(event, clean) for event in flow.between),
        strays=tuple(_event(event, clean) for event in flow.strays),
        lookups=tuple(dataclasses.replace(one, name=clean(one.name)) for one in flow.lookups),
        unreadable=tuple(dataclasses.replace(one, text=clean(one.text)) for one in flow.unreadable),
    )


def _event(event: Event, clean: Redact) -> Event:
    text = clean(event.text)
    if text == event.text:
        return event  # parsed once, not for every purpose
    return dataclasses.replace(event, raw=text.encode("utf-8", "replace").decode("latin-1"))


def _message(event: Event) -> str:
    way = "from the device" if event.from_device else "to the device"
    return f"---- {event.label}, {way}, {event.transport}, {event.time:.6f}\n{event.text}"
