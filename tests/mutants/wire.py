"""The wire of a device without what differs from one call to the next, so that two devices can be compared.

Addresses become the names of their endpoints.  Tags, branches and Call-IDs become numbers in the order in which an
endpoint meets them, so that "the branch of the INVITE" stays visible and its letters do not.  The order of messages is
kept at each endpoint, not between endpoints.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from harness.model.flow import Event, Flow
from harness.net.address import Address, family_of

_IDENTIFIERS: Final = (
    ("branch", re.compile(r"(?<=;branch=)[^;,\s>]+")),
    ("tag", re.compile(r"(?<=;tag=)[^;,\s>]+")),
    ("call", re.compile(r"(?<=^Call-ID: )[^\r\n]+", re.MULTILINE | re.IGNORECASE)),
)
_ENDS: Final = re.compile(r"^(?:Call-ID|From|To):.*$", re.MULTILINE | re.IGNORECASE)
_COOKIE: Final = "z9hG4bK"
_PHRASE: Final = re.compile(r"^(SIP/2\.0 (?!60[378])\d{3}) [^\r\n]*")
"""The words of a status line are for people (7.2), but where a 603+ or a 607 is known by them."""
_NOTE: Final = re.compile(r"(?<=<sip:)[0-9a-f]{20,}(?=@)")
"""What a proxy notes of a connection in its Record-Route: where the other end of it was."""
_PORT: Final = re.compile(r"(?:(?<=;rport=)|(?<=\.test:))\d+")
"""A port without its address: what the device writes into the Via of what it passes on, or behind a name."""
_T1_S: Final = 0.45
"""T1, less what a busy machine takes off it."""


@dataclass(frozen=True)
class Line:
    """One message of the device at one endpoint, its copies included."""

    text: str
    """Normalised."""
    times: tuple[float, ...]
    """When it and its copies came, in seconds after the first message of its call at that endpoint.

    When a call begins is the suite's doing, and later on a busy machine."""
    number: int
    """Its number in the flow; 0 for a datagram that is no SIP message."""
    awaited: int = 0
    """How many of its copies came while the endpoint still owed it a response: a busy machine's doing, if only one."""
    asked_again: int = 0
    """How many copies had been sent of the request that a response is to, or of the final response that an ACK is for.
    Each may be answered."""

    @property
    def exchange(self) -> tuple[str, ...]:
        """What it has in common with the messages whose order means something.

        The responses of two branches of a fork come in any order: they differ in the tag of To.
        """
        return tuple(_ENDS.findall(self.text))


@dataclass(frozen=True)
class Form:
    """All that the device sent in one flow, by endpoint."""

    flow: str
    """The id of the flow."""
    seats: dict[str, tuple[Line, ...]]

    @property
    def messages(self) -> dict[str, frozenset[str]]:
        """The texts alone, without their order."""
        return {seat: frozenset(line.text for line in lines) for seat, lines in self.seats.items() if lines}


def plan_of(flow: Flow) -> str:
    """What two flows of one plan have in common."""
    return repr(flow.plan)


def form_of(flow: Flow) -> Form:
    """The flow without what differs from one call to the next."""
    normalised = _Normalised(flow)
    by_seat: dict[str, list[Event]] = {}
    for event in flow.events:
        by_seat.setdefault(event.seat, []).append(event)
    seats = {}
    for seat in sorted(by_seat):
        lines: dict[str, Line] = {}
        answered: set[str | None] = set()
        asked: Counter[tuple[object, ...]] = Counter()
        began: dict[str | None, float] = {}
        for event in by_seat[seat]:
            began.setdefault(event.call_id, event.time)
            text = normalised.text(_without_port(event))  # what was sent to it has identifiers, too
            if event.from_device:
                known = lines.get(text, Line(text, (), event.number))
                at = event.time - began[event.call_id]
                awaited = known.awaited + (event.branch not in answered and _is_due(known, at))
                again = max(0, asked[_what_asks_for(event)] - 1)
                lines[text] = Line(text, (*known.times, at), known.number, awaited, again)
            elif event.method is not None:
                asked[event.branch, event.method] += 1
            elif event.status is not None:
                answered.add(event.branch)
                if event.status >= 200 and event.cseq_method == "INVITE":
                    asked["ACK", event.call_id, event.cseq_number] += 1
        for datagram in flow.unreadable:
            if datagram.seat == seat:
                text = "(no SIP message) " + normalised.text(datagram.text)
                lines.setdefault(text, Line(text, (datagram.time - by_seat[seat][0].time,), 0))
        seats[seat] = tuple(lines.values())
    return Form(flow.id, seats)


def _what_asks_for(event: Event) -> tuple[object, ...]:
    """The request of a response, or the final responses that an ACK is for, as they are counted."""
    if event.method == "ACK":
        return "ACK", event.call_id, event.cseq_number
    return event.branch, event.cseq_method if event.status is not None else None


def _is_due(known: Line, at: float) -> bool:
    """Whether a copy of a request may come at ``at``, if nobody has answered it (Timers A and E)."""
    return bool(known.times) and at - known.times[-1] > _T1_S


def _without_port(event: Event) -> str:
    """The text, less the port that a response came back to: of a connection it is another one each time."""
    if event.destination is None:
        return event.text
    return re.sub(rf"(;rport=){event.destination.port}\b", r"\1{port}", event.text)


class _Normalised:
    """Turns the texts of one flow into what other flows of its plan have in common."""

    def __init__(self, flow: Flow) -> None:
        self._names: dict[str, str] = {}
        for name, address in _addresses(flow):
            self._names.setdefault(str(address), f"{{{name}}}")
            self._names.setdefault(address.host, f"{{{name}.host}}")
        ours = (event.destination if event.from_device else event.source for event in flow.events)
        self._ports = {str(one.port): "{a connection}" for one in ours if one is not None and one.reliable}
        self._ports |= {str(seat.address.port): f"{{{seat.name}.port}}" for seat in flow.seats}
        hosts = "|".join(re.escape(text) for text in sorted(self._names, key=len, reverse=True))
        self._places = re.compile(rf"(?<![\d.])(?:{hosts})(?!\d)")
        self._token = flow.places.token
        self._numbers: dict[str, dict[str, int]] = {kind: {} for kind, _ in _IDENTIFIERS}

    def text(self, text: str) -> str:
        # The length of a body with addresses in it differs from run to run; one that is wrong is kept.
        head, empty_line, body = text.partition("\r\n\r\n")
        head = re.sub(rf"(?m)^(Content-Length: ){len(body.encode())}(?=\r?$)", r"\1{that of the body}", head)
        text = _PHRASE.sub(r"\1 {phrase}", _NOTE.sub("{note}", head)) + empty_line + body
        for kind, pattern in _IDENTIFIERS:
            text = pattern.sub(lambda found, kind=kind: self._numbered(kind, found[0]), text)  # type: ignore[misc]
        text = self._places.sub(lambda found: self._names[found[0]], text)
        text = _PORT.sub(lambda found: self._ports.get(found[0], found[0]), text)
        return text.replace(self._token, "{token}") if self._token else text

    def _numbered(self, kind: str, value: str) -> str:
        numbers = self._numbers[kind]
        number = numbers.setdefault(value, len(numbers) + 1)
        # A branch without its cookie is another thing than one with it.
        return (_COOKIE if value.startswith(_COOKIE) else "") + f"{{{kind} {number}}}"


def _addresses(flow: Flow) -> Iterator[tuple[str, Address]]:
    yield from ((seat.name, seat.address) for seat in flow.seats)
    yield from ((f"{seat.name} behind", seat.behind) for seat in flow.seats if seat.behind)
    here = flow.places.device
    if here:
        yield "device", here
        # Another port in each run: that of the other IP family, or of another transport than it is called over.
        sources = {event.source for event in flow.events if event.from_device and event.source}
        for source in sorted(sources, key=str):
            if source.family != here.family:
                yield "device across", source
            elif source.transport == "udp" != here.transport:
                yield "device over udp", source
        # Over a stream that is not the port it sends from, but the one that it names.
        vias = (event.vias[0] for event in flow.events if event.from_device and event.method and event.vias)
        named = dict.fromkeys((via.host, via.port) for via in vias if family_of(via.host) not in (None, here.family))
        for number, (host, port) in enumerate(named, 1):
            if port is not None:
                yield f"device across {number}", Address(host.strip("[]"), port)
