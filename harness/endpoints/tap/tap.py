"""One seat of a plan as the device sees it: a socket of the suite with an endpoint behind it.

Everything that crosses the tap becomes an :class:`Event` of the flow, with the true source and destination and the time
at which it crossed.  The endpoint behind it (a SIPp) receives the message, but its log is never evidence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from harness.endpoints.tap.heard import Heard
from harness.endpoints.tap.odd import Odd
from harness.endpoints.tap.ports import open_port
from harness.endpoints.tap.routes import Hop, Outlet, Routes
from harness.endpoints.tap.security import Security
from harness.model.flow import Event, Fate, Unreadable
from harness.model.weather import Forecast
from harness.net.address import Address
from harness.sip.message import SipMessage
from harness.system import clock

_KEEPALIVE: Final = b"\r\n\0 "
Answer = Callable[[bytes, Address], bytes | None]
"""The response to a datagram and its source, where nobody acts behind the tap any more; None: none."""
LONGEST_KEPT: Final = 2_000
"""The most bytes kept of a datagram that is not a SIP message."""


@dataclass(frozen=True)
class Listener:
    """The listeners of a tap."""

    on_event: Callable[[Event], None]
    on_unreadable: Callable[[Unreadable], None]
    """Receives datagrams that are not SIP messages; keepalives (RFC 5626 3.5.1) go to no listener."""
    on_device: Callable[[float], None] = lambda _at: None
    """Receives the time of every arrival from the device."""
    on_refused: Callable[[Address], None] = lambda _to: None
    """Receives the address of every closed port to which something was sent (ICMP port unreachable)."""
    on_between: Callable[[Between], None] = lambda _between: None
    """Receives what one endpoint of a drive sends to another one, past the device."""


@dataclass(frozen=True)
class Between:
    """A message that went from one of the suite's endpoints to another: the device had no part in it."""

    event: Event
    """As its sender sent it."""
    seat: str
    """The name of the seat where it arrived."""


@dataclass
class Neighbours:
    """The open taps of each drive: whom its endpoints reach without the device.  Belongs to the taps' thread."""

    _of_drive: dict[str, dict[Address, Tap]] = field(default_factory=dict)

    def join(self, drive: str, tap: Tap) -> None:
        """Make ``tap`` known to the others of ``drive``."""
        self._of_drive.setdefault(drive, {})[tap.port.address] = tap

    def leave(self, drive: str, tap: Tap) -> None:
        """Forget ``tap``."""
        taps = self._of_drive.get(drive, {})
        taps.pop(tap.port.address, None)
        if not taps:
            self._of_drive.pop(drive, None)

    def at(self, drive: str, address: Address) -> Tap | None:
        """The tap of ``drive`` at ``address``; None if another has it, or nobody."""
        return self._of_drive.get(drive, {}).get(address)


class Tap:
    """A seat's own socket; :meth:`close` ends it.  Belongs to the running event loop."""

    def __init__(
        self,
        name: str,
        own: Address,
        listener: Listener,
        *,
        otherwise: Callable[[Outlet], Hop | None],
        fixed: bool = False,
        symmetric: bool = False,
        forecast: Forecast | None = None,
        neighbour: Callable[[Address], Tap | None] = lambda _address: None,
        odd: Odd | None = None,
        security: Security | None = None,
        path: str = "/",
    ) -> None:
        """Open it at ``own``.  PortTaken if another program has the address; SetupError if it is unusable.

        ``security``: what TLS needs.  ``path``: that of the device's WebSocket.
        """
        self.name = name
        self.port = open_port(own, Heard(self.arrived, listener.on_refused, self._became_none), security, path)
        self.routes = Routes(self.port, otherwise, fixed, symmetric)
        self._listener = listener
        self._forecast = forecast
        self._neighbour = neighbour
        self._asked_by: dict[str, Tap] = {}
        """Who among the endpoints of the drive sent a request past the device, by its branch."""
        self._odd = odd
        self._deliver: Callable[[bytes], None] = lambda _data: None
        self._answer: Answer | None = None
        self._of_the_suite: set[str] = set()
        """Call-IDs of what the suite itself said here: whoever acts behind the tap knows nothing of it."""
        self._loop = asyncio.get_running_loop()
        self._closed = False

    def deliver_to(self, deliver: Callable[[bytes], None]) -> None:
        """Hand arriving messages to ``deliver`` from now on."""
        self._deliver = deliver

    def arrived(self, data: bytes, source: Address, at: float, outlet: Outlet) -> None:
        """Take a datagram that the device sent from ``source`` to ``outlet``: record it and pass it on."""
        self._listener.on_device(at)
        if not data.strip(_KEEPALIVE):
            return
        message = SipMessage(data.decode("latin-1"))
        if not ((message.method or message.status) and message.call_id):
            kept = data[:LONGEST_KEPT].decode("latin-1")
            self._listener.on_unreadable(Unreadable(self.name, kept, at, source, len(data)))
            return
        self.routes.came(message, outlet, source)
        delays = [0.0] if self._forecast is None else list(self._forecast.delays())
        fate: Fate = "lost" if not delays else "copied" if len(delays) > 1 else "delayed" if delays[0] else ""
        event = Event(message.raw, 0, at, self.name, "received", source.transport, source, outlet.address, fate)
        self._listener.on_event(event)
        if message.status is not None and message.call_id in self._of_the_suite:
            return
        if self._answer is not None:
            if reply := self._answer(data, source):
                self.emit(reply)
            return
        for delay in delays:
            self._after(delay, lambda: self._deliver(data))

    def _became_none(self, data: bytes, source: Address, at: float, size: int) -> None:
        """Take the beginning of what came on a connection and became no message."""
        self._listener.on_device(at)
        self._listener.on_unreadable(Unreadable(self.name, data.decode("latin-1"), at, source, size))

    def outlive(self, answer: Answer) -> None:
        """Take what has arrived until now; from now on nobody acts here, and ``answer`` says what a datagram gets."""
        self.port.drain()
        self._answer = answer

    def say(self, data: bytes) -> None:
        """Send a request of the suite's own.  Its responses are recorded, and go to nobody behind the tap."""
        self._of_the_suite.add(SipMessage(data.decode("latin-1")).call_id)
        self.emit(data)

    def emit(self, data: bytes) -> None:
        """Send a message of the endpoint behind the tap to its destination."""
        message = SipMessage(data.decode("latin-1"))
        self.routes.sends(message)
        if (other := self._past_the_device(message)) is not None:
            self._hand_to(other, data, message)
            return
        # By what the endpoint wrote: what is odd about it may be its Via.
        hop = self.routes.hop(message)
        if hop is None:
            return
        changed = False
        if self._odd is not None and (odd := self._odd.of(message.raw)):
            text, changed, aside = odd
            message, data = SipMessage(text), text.encode("latin-1")
            hop = self._odd.hop(hop, self.arrived) if aside else hop
        delays = [0.0] if self._forecast is None else list(self._forecast.delays())
        if not delays:
            self._heard(message, hop, clock.now(), "lost")
        for number, delay in enumerate(delays):
            fate: Fate = "copied" if number else "delayed" if delay else "changed" if changed else ""
            self._after(delay, partial(self._send, data, message, hop, fate))

    def close(self) -> None:
        """Take the datagrams that have arrived, and free the address."""
        self.port.close()
        if self._odd is not None:
            self._odd.close()
        self._closed = True

    def _past_the_device(self, message: SipMessage) -> Tap | None:
        """The endpoint of the same drive that a message is for, if it is for one."""
        if message.status is not None:
            return self._asked_by.get(message.branch or "")
        named = self.routes.named_by(message)
        return None if named is None else self._neighbour(named)

    def _hand_to(self, other: Tap, data: bytes, message: SipMessage) -> None:
        """Hand a message to an endpoint of the same drive: no device sees it, and no weather is between them."""
        source, to = self.port.address, other.port.address
        event = Event(message.raw, 0, clock.now(), self.name, "sent", to.transport, source, to)
        self._listener.on_between(Between(event, other.name))
        if other._answer is None and not other._closed:
            if message.method is not None:
                other._asked_by[message.branch or ""] = self
            other._deliver(data)

    def _send(self, data: bytes, message: SipMessage, hop: Hop, fate: Fate) -> None:
        # What waits for a connection has not been sent: its time is when it leaves.
        hop.outlet.once_open(lambda: self._heard(message, hop, hop.outlet.send(data, hop.to), fate))

    def _heard(self, message: SipMessage, hop: Hop, at: float, fate: Fate) -> None:
        source, to = hop.outlet.address, hop.to
        self._listener.on_event(Event(message.raw, 0, at, self.name, "sent", to.transport, source, to, fate))

    def _after(self, delay: float, do: Callable[[], None]) -> None:
        if not delay:
            do()
        else:
            self._loop.call_later(delay, lambda: None if self._closed else do())
