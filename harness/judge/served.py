"""Every transaction of a flow by what RFC 3261 17 matches it: those that the device answers, and those it begins.

:mod:`harness.judge.answers` reads what callers ask the device for, and is lenient: a wrong response still belongs to
its request.  Here everything counts that anybody asks for, in dialogs too, and only what matches.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.judge.answers import Asked
from harness.judge.once import once_per_flow
from harness.model.flow import Event, Flow

_Key = tuple[str, str, str, str]


@once_per_flow
def served(flow: Flow) -> tuple[Asked, ...]:
    """The server transactions of the device: each request that an endpoint of ours sent, its answers and its ACKs."""
    return tuple(_transactions(flow, from_device=False))


@dataclass(frozen=True)
class Begun:
    """One client transaction of the device: a request other than ACK, as it arrived."""

    request: Event
    copies: tuple[Event, ...]
    responses: tuple[Event, ...]
    """What it was answered, in order."""


@once_per_flow
def begun(flow: Flow) -> tuple[Begun, ...]:
    """The client transactions of the device, INVITE and others."""
    return tuple(Begun(one.request, one.copies, one.responses) for one in _transactions(flow, from_device=True))


@once_per_flow
def stray_tags(flow: Flow) -> frozenset[str | None]:
    """The To tags of what our endpoints sent in response to nothing, on purpose."""
    begun_by = {_key(event, event.method) for event in flow.events if event.from_device and event.method}
    return frozenset(
        event.to_tag
        for event in flow.events
        if event.status and not event.from_device and event.to_tag and _key(event, event.cseq_method) not in begun_by
    )


@once_per_flow
def strayed(flow: Flow) -> tuple[Asked, ...]:
    """Those of :func:`served` to which came what our endpoints sent in response to nothing, on purpose.

    A proxy may pass such a response on (RFC 3261 16.7), past its server transaction.
    """
    tags = stray_tags(flow)
    return tuple(one for one in served(flow) if any(response.to_tag in tags for response in one.responses))


def _transactions(flow: Flow, *, from_device: bool) -> Iterable[Asked]:
    requests: dict[_Key, list[Event]] = {}
    responses: dict[_Key, list[Event]] = {}
    acks: dict[_Key, list[Event]] = {}
    key_of = _begun_key if from_device else _key
    for event in flow.events:
        asks = event.from_device is from_device
        if event.method == "ACK" and asks:
            acks.setdefault(key_of(event, "INVITE"), []).append(event)
        elif event.method is not None and asks:
            requests.setdefault(key_of(event, event.method), []).append(event)
        elif event.status is not None and not asks and (key := key_of(event, event.cseq_method)) in requests:
            responses.setdefault(key, []).append(event)
    for key, copies in requests.items():
        yield Asked(copies[0], tuple(copies[1:]), tuple(responses.get(key, ())), tuple(acks.get(key, ())))


def _begun_key(event: Event, method: str) -> _Key:
    # A device that uses its branch again has begun another transaction all the same.
    seat, call_id, branch, method = _key(event, method)
    return seat, call_id, f"{branch} {event.cseq_number}", method


def _key(event: Event, method: str) -> _Key:
    return event.seat, event.call_id, event.branch or "", method
