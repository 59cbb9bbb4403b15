"""The record of one drive: every message that crossed its taps, framed by length.

The first line names the format.  A frame is a line ``KIND META BODY``, the two being lengths in bytes, then so many
bytes of JSON (time, seat, direction, addresses) and so many bytes as they were on the wire.  The last line is
``end FRAMES SHA256``, the digest of everything before it.  So nothing that a message contains can be taken for a frame,
and a record that was cut off or changed is refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, NoReturn, get_args

from harness.errors import EvidenceError
from harness.model.flow import Direction, Event, Fate, Flow, Unreadable
from harness.net.address import Address, Transport
from harness.store.codec import dump, load

Kind = Literal["message", "between", "late", "stray", "lost", "unreadable"]
RECORD: Final = ".record"
"""How the name of the file ends, beside the ``.json`` of its flow."""
_FORMAT: Final = b"sipverdict-record 1\n"
_FRAME: Final = re.compile(rb"(message|between|late|stray|lost|unreadable) (\d{1,9}) (\d{1,9})\n")
_END: Final = re.compile(rb"end (\d{1,9}) ([0-9a-f]{64})\n")
_STATUS: Final = re.compile(rb"\s*SIP/2\.0 (\d{3})\b", re.IGNORECASE)
_KINDS: Final[dict[bytes, Kind]] = {kind.encode("ascii"): kind for kind in get_args(Kind)}


@dataclass(frozen=True)
class _Meta:
    """What is known of one message beside its bytes."""

    time: float
    seat: str
    direction: Direction
    transport: Transport
    source: Address | None
    destination: Address | None
    fate: Fate = ""
    size: int = 0
    """How many bytes an unreadable datagram had, of which only the first are kept."""


def without_messages(flow: Flow) -> Flow:
    """``flow`` as it is stored beside its record."""
    return replace(flow, events=(), between=(), late=(), strays=(), lost=(), unreadable=())


def record_of(flow: Flow) -> bytes:
    """The record of ``flow``."""
    frames = list(_frames(flow))
    whole = b"".join((_FORMAT, *frames))
    return whole + f"end {len(frames)} {hashlib.sha256(whole).hexdigest()}\n".encode("ascii")


def with_messages(flow: Flow, record: bytes, where: str) -> Flow:
    """``flow`` with the messages of its ``record``; EvidenceError naming ``where`` and the frame that is wrong."""
    messages: dict[Kind, list[Event]] = {kind: [] for kind in get_args(Kind)}
    unreadable: list[Unreadable] = []
    for number, (kind, meta, body) in enumerate(_read(record, where), start=1):
        known = load(_Meta, meta, f"{where}, frame {number}")
        text = body.decode("latin-1")
        if kind == "unreadable":
            unreadable.append(Unreadable(known.seat, text, known.time, known.source, known.size))
        else:
            messages[kind].append(_event(known, text))
    events = messages["message"]
    return replace(
        flow,
        events=tuple(_numbered(events, 1)),
        between=tuple(messages["between"]),
        late=tuple(_numbered(messages["late"], len(events) + 1)),
        strays=tuple(messages["stray"]),
        lost=tuple(messages["lost"]),
        unreadable=tuple(unreadable),
    )


def _event(meta: _Meta, text: str) -> Event:
    ends = meta.source, meta.destination
    return Event(text, 0, meta.time, meta.seat, meta.direction, meta.transport, *ends, meta.fate)


def _numbered(events: Iterable[Event], first: int) -> Iterator[Event]:
    return (replace(event, number=number) for number, event in enumerate(events, first))


@dataclass(frozen=True)
class Recorded:
    """One message of a record."""

    direction: Direction
    body: bytes
    """As it was on the wire."""


def messages(record: bytes) -> Iterator[Recorded]:
    """The messages in ``record`` that crossed the wire, in order, late ones last; EvidenceError if it is no record."""
    for kind, meta, body in _read(record, ""):
        if kind in ("message", "late"):
            yield Recorded("sent" if b'"direction":"sent"' in meta else "received", body)


def statuses(record: bytes) -> set[tuple[str, Direction]]:
    """The statuses in ``record``, and in which direction each went; nothing of what is no record.

    What the tap lost on its way to the device was seen by nobody.
    """
    found: set[tuple[str, Direction]] = set()
    with contextlib.suppress(EvidenceError):
        for one in messages(record):
            if status := _STATUS.match(one.body):
                found.add((status[1].decode(), one.direction))
    return found


def _frames(flow: Flow) -> Iterator[bytes]:
    yield from _messages("message", flow.events)
    yield from _messages("between", flow.between)
    yield from _messages("late", flow.late)
    yield from _messages("stray", flow.strays)
    yield from _messages("lost", flow.lost)
    for one in flow.unreadable:
        meta = _Meta(one.time, one.seat, "received", flow.carrier.transport, one.source, None, size=one.size)
        yield _frame("unreadable", meta, one.text)


def _messages(kind: Kind, events: Iterable[Event]) -> Iterator[bytes]:
    for event in events:
        meta = _Meta(
            event.time, event.seat, event.direction, event.transport, event.source, event.destination, event.fate
        )
        yield _frame(kind, meta, event.raw)


def _frame(kind: Kind, meta: _Meta, text: str) -> bytes:
    about, body = dump(meta), text.encode("latin-1", "replace")
    return b"%s %d %d\n%s\n%s\n" % (kind.encode("ascii"), len(about), len(body), about, body)


def _read(record: bytes, where: str) -> Iterator[tuple[Kind, bytes, bytes]]:
    if not record.startswith(_FORMAT):
        _refuse(where, "a record", f"{record[:40]!r}")
    place, number = len(_FORMAT), 0
    while head := _FRAME.match(record, place):
        meta_end = head.end() + int(head[2])
        end = meta_end + 1 + int(head[3])
        if record[meta_end : meta_end + 1] != b"\n" or record[end : end + 1] != b"\n":
            _refuse(where, f"frame {number + 1} to be whole", "one that was cut off")
        yield _KINDS[head[1]], record[head.end() : meta_end], record[meta_end + 1 : end]
        place, number = end + 1, number + 1
    closing = _END.fullmatch(record, place)
    if closing is None:
        _refuse(where, f"frame {number + 1}, or the end", f"{record[place : place + 40]!r}: the record was cut off")
    if int(closing[1]) != number or closing[2].decode() != hashlib.sha256(record[:place]).hexdigest():
        _refuse(where, "the digest of what it holds", "another one: the record was changed")


def _refuse(where: str, wanted: str, found: str) -> NoReturn:
    raise EvidenceError(f"{where}: expected {wanted}, found {found}")
