"""The evidence of one drive of one plan: every message at every endpoint, ordered, labelled, read-only.

A flow is all that a judge sees, and it can be saved and loaded (:mod:`harness.store.codec`).
Times are seconds since the epoch (UTC) by the clock of the run: when the kernel got a message that arrived, and when
the suite handed over one that it sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from harness.model.connection import Connection
from harness.model.line import Line
from harness.model.places import Places
from harness.model.plan import Plan
from harness.model.windows import Window
from harness.model.zone import Lookup
from harness.net.address import Address, Carrier, Family, Passage, Transport
from harness.sip.message import SipMessage
from harness.system.timekeeper import Interruption

Direction = Literal["received", "sent"]
Fate = Literal["", "lost", "delayed", "copied", "changed"]
"""What the tap did to a message on purpose (:mod:`harness.model.weather`); "" if nothing.

``changed``: its plan wants it odd (:mod:`harness.model.oddity`), and the bytes are those that the device was sent."""


@dataclass(frozen=True)
class Event(SipMessage):
    """One message at one endpoint.  ``received`` means: from the device."""

    number: int = 0
    """Its place in the flow, from 1: what findings and ladders refer to."""
    time: float = 0.0
    seat: str = ""
    """The name of the endpoint that sent or received it."""
    direction: Direction = "received"
    transport: Transport = "udp"
    source: Address | None = None
    """Where it came from: an address of the device, or one of ours."""
    destination: Address | None = None
    """Where it arrived, whatever its Request-URI says: one of our sockets; or where it was sent to."""
    fate: Fate = ""
    """A received message that is ``lost`` came from the device, and whoever acts at the seat never got it."""

    @property
    def from_device(self) -> bool:
        """Whether the device sent it."""
        return self.direction == "received"

    @property
    def label(self) -> str:
        """How findings name it: ``message 4, at callee``."""
        return f"message {self.number}, at {self.seat}"


@dataclass(frozen=True)
class Seat:
    """One endpoint as it was driven."""

    name: str
    kind: Literal["caller", "callee", "target", "guard", "backup"]
    address: Address
    bound_at: float | None
    """When the suite's socket was bound; None if it never was."""
    lost_at: float | None = None
    """When it was closed before the end of the window; None if it stayed."""
    scenario: str = ""
    """The SIPp XML it ran."""
    behind: Address | None = None
    """Its own socket, if the device finds it at the exchange, which is at ``address``."""
    drops: int = 0
    """How many datagrams the kernel had to drop there: what they were is not known."""
    connections: tuple[Connection, ...] = ()
    """Every connection with it, over a stream transport."""
    further: tuple[Address, ...] = ()
    """Where the device finds it as well as at ``address``: the further exchanges, for one that has several trunks."""

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Every address that the device has for it."""
        return (self.address, *self.further)

    @property
    def where(self) -> str:
        """Its addresses, in words."""
        return " and ".join(map(str, self.addresses))


@dataclass(frozen=True)
class Unreadable:
    """A datagram that arrived at an endpoint and is no SIP message."""

    seat: str
    """The name of the endpoint."""
    text: str
    """One character per byte (latin-1); the first of them, where there were many."""
    time: float = 0.0
    source: Address | None = None
    size: int = 0
    """How many bytes there were."""

    @property
    def label(self) -> str:
        """It in words: ``at callee: GET / HTTP/1.1``."""
        return f"at {self.seat}: {self.text}"

    @property
    def request_line(self) -> str:
        """Its first line, if that is a SIP request line: a request without Call-ID is unreadable, too.  Else ""."""
        message = SipMessage(self.text)
        return message.start_line if message.method else ""


@dataclass(frozen=True)
class PlacedCall:
    """One call that the device was asked for."""

    uri: str
    placed_at: float
    by: str
    """How the device was asked: ``stdin``, ``a SIPp caller`` …"""


@dataclass(frozen=True)
class Watch:
    """The window as it was kept."""

    window: Window
    opened_at: float | None
    """Time of the last copy of the last final response that an endpoint sent; the first copy counts of one that the
    device answered its caller with.  Without any: the last message of its calls, where a SIPp called; else None."""
    closed_at: float


@dataclass(frozen=True)
class Control:
    """A positive control: this device, in this run, reached an address where it was supposed to arrive."""

    seat_kind: str
    """``target``: reached by following a redirection; ``callee``: by dialling; ``backup``: by failover."""
    address: Address
    at: float
    flow: str
    """The id of the flow that shows it."""


@dataclass(frozen=True)
class LifeSign:
    """The device was alive after the window."""

    at: float
    how: str


@dataclass(frozen=True)
class Trouble:
    """Something that kept the drive from being what the plan wanted; never the device's verdict by itself."""

    blame: Literal["harness", "device", "stimulus"]
    text: str


@dataclass(frozen=True)
class Loss:
    """The device was lost while a flow was recorded: its process ended, its port was closed, or it hung.

    The rest of that flow is no evidence of anything.  Who was being called when it happened may not be the cause of it,
    so the suspects are driven again, each of them alone.
    """

    at: float
    how: str
    """``was ended by SIGSEGV``, ``closed its port``, ``answered nothing for 5 s``."""
    after: str
    """The last message that the device had been sent in the flow, as findings name it; "" if it was sent none."""
    event: int | None = None
    """The number of that message."""
    ruling: Literal["beside", "alone", "once"] = "beside"
    """``beside``: other calls were going on as well.  ``alone``: none was, and it was the second time.  ``once``: the
    device was lost in the flow ``before``, and not in this one, in which no other call was going on."""
    before: str = ""
    """The id of the flow in which it was lost for the first time."""


@dataclass(frozen=True)
class Flow:
    """The evidence of one drive."""

    id: str
    plan: Plan
    role: str
    transport: Passage
    device: Mapping[str, Any]
    """The device's identity and PICS as the run knew them (``name``, ``version``, ``pics``)."""
    places: Places
    seats: tuple[Seat, ...]
    calls: tuple[PlacedCall, ...]
    events: tuple[Event, ...]
    watch: Watch
    controls: tuple[Control, ...] = ()
    life: LifeSign | None = None
    troubles: tuple[Trouble, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    """What arrived and is no SIP message."""
    unreadable_left_out: int = 0
    """How many more such datagrams came than are kept."""
    lost: tuple[Event, ...] = ()
    """What the tap lost on purpose on its way to the device, which never saw it."""
    between: tuple[Event, ...] = ()
    """What the endpoints sent to each other past the device, for the route set and the Contact of a call led there
    (12.2.1.1): a proxy that did not Record-Route has no part in it.  Each by its sender; without numbers."""
    weather: str = ""
    """What the tap was to do to messages (:mod:`harness.model.weather`); "" for nothing."""
    loss: Loss | None = None
    """None: the device was there all the time."""
    family: Family = "ipv4"
    cut_at: float | None = None
    """From when on messages are missing here, because more came than a flow keeps; None: all are here."""
    line: Line | None = None
    """The line to the device, where packets get lost on it; None: it was good, or was not measured."""
    interruptions: tuple[Interruption, ...] = ()
    """What was done to the time of this machine meanwhile: then nothing here is evidence."""
    late: tuple[Event, ...] = ()
    """What bears this drive's digits, or came to its seats, when it was over; numbered on from the events.

    Written when the device's run ends.  What is said of the window rests on the events alone.
    """
    strays: tuple[Event, ...] = ()
    """What came to an address that all drives share, while this one went on, and bears nobody's digits."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """How many messages of a kind (``INVITE``) came beyond those that a flow keeps of a flood."""
    lookups: tuple[Lookup, ...] = ()
    """What the lab's resolver was asked of the names of this drive, and of the hosts of its seats; where the plan has a
    zone."""
    format: Literal[1] = 1
    """Version of the stored form; raised when an old flow could no longer be judged the same."""

    def seat(self, name: str) -> Seat:
        """The seat called ``name``; KeyError if there is none."""
        for seat in self.seats:
            if seat.name == name:
                return seat
        raise KeyError(name)

    @cached_property
    def carrier(self) -> Carrier:
        """What carried it."""
        return Carrier.of(self.transport, self.family)

    @cached_property
    def own_addresses(self) -> frozenset[Address]:
        """Where the suite's own endpoints are."""
        both = ((*seat.addresses, seat.behind) for seat in self.seats)
        calling = (one.local for seat in self.seats for one in seat.connections)
        return frozenset((*(address for pair in both for address in pair if address is not None), *calling))

    def by_device(self, event: Event) -> bool:
        """Whether the device sent ``event``: it arrived, and not from one of the suite's own endpoints."""
        return event.from_device and (event.source is None or event.source not in self.own_addresses)

    def select(
        self,
        method: str | None = None,
        *,
        at: str | Iterable[str] | None = None,
        status: int | None = None,
        received: bool | None = None,
        where: Callable[[Event], bool] | None = None,
    ) -> tuple[Event, ...]:
        """The events that match all of what is given, in order.  ``method`` means requests, ``status`` responses.

        ``received``: those that the device sent.  False: those that the suite sent.  What one endpoint of the suite
        sends to another is sent by its sender, and received by nobody.
        """
        seats = {at} if isinstance(at, str) else set(at) if at is not None else None
        return tuple(
            event
            for event in self.events
            if (method is None or event.method == method)
            and (status is None or event.status == status)
            and (seats is None or event.seat in seats)
            and (received is None or (self.by_device(event) if received else not event.from_device))
            and (where is None or where(event))
        )
