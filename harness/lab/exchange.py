"""The exchange: where a device registers, or to which it sends every call (trunk, outbound proxy).

Plans have seats of their own.  A phone knows only one address, and digits.  So the exchange is a socket that all seats
share, or one for each address of a trunk that has several.  It finds the plan by the dialled digits (the token), and
hands the message unchanged to the seat's tap.  The seat's messages leave from the socket at which the device's came, to
the port that the device sent from.  The exchange changes no byte and judges nothing.  The record says at which address
a message arrived, whatever its Request-URI names.

Outside of plans it answers REGISTER and keepalives.  Other requests for no plan are refused, and told to a listener.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from harness.endpoints.host import LiveSeat
from harness.endpoints.tap.heard import Heard
from harness.endpoints.tap.loop import TapLoop
from harness.endpoints.tap.ports import Port, open_port
from harness.endpoints.tap.routes import Hop, Outlet
from harness.endpoints.tap.security import Security
from harness.endpoints.tap.tap import LONGEST_KEPT
from harness.errors import DeviceError, SetupError
from harness.lab.connected import Connected
from harness.lab.registrar import Registrar
from harness.lab.reply import OVER, Reply, refusal, written
from harness.model.connection import Connection
from harness.model.flow import Event, Unreadable
from harness.net.address import DEFAULT_PORTS, HOST_PORT, Address, split_host_port
from harness.sip.message import SipMessage
from harness.sip.via import Via
from harness.system import clock

_PING: Final = b"\r\n\r\n"
_PONG: Final = b"\r\n"
_HOST_PORT = re.compile(rf"sips?:(?:[^@>]*@)?({HOST_PORT})", re.IGNORECASE)
_MADDR = re.compile(r";\s*maddr\s*=\s*([^;?>\s]+)", re.IGNORECASE)
NAME: Final = "exchange"
"""The seat of what comes here and is passed on to nobody."""
_UNKNOWN: Final = Reply(404, "Not Found")


@dataclass(frozen=True)
class Unclaimed:
    """Who hears what comes for no plan."""

    on_event: Callable[[Event], None] = lambda _event: None
    on_unreadable: Callable[[Unreadable], None] = lambda _unreadable: None


class Exchange:
    """The sockets between a device and the seats of its drives; :meth:`close` ends them.

    Messages arrive in the taps' thread; the driver's loop opens and connects.
    """

    def __init__(
        self,
        addresses: Sequence[Address],
        registrar: Registrar,
        tokens: str,
        on_device: Callable[[float], None],
        taps: TapLoop,
        relays: bool,
        unclaimed: Unclaimed,
        security: Security | None,
    ) -> None:
        """In the taps' thread: see :meth:`open`."""
        self.addresses = tuple(addresses)
        self.registrar = registrar
        self._on_unclaimed = taps.heard_by(unclaimed.on_event)
        self._on_unreadable = taps.heard_by(unclaimed.on_unreadable)
        self._on_device = on_device
        self._drives: dict[str, Connected] = {}
        self._lock = threading.Lock()
        """Protects the drives and the registrations."""
        self._asked: dict[str, asyncio.Future[str]] = {}
        """Whoever waits for the answer to a request of the exchange's own, by its branch."""
        self._tell_answered = taps.heard_by(self._answered)
        self._registered = asyncio.Event()
        self._tell_registered = taps.heard_by(lambda _: self._registered.set())
        self._taps = taps
        self._relays = relays
        self._tag = secrets.token_hex(4)
        self._token = re.compile(tokens)
        self._ports: list[Port] = []
        """One for each of its addresses."""
        self._registered_at: dict[Address, Port] = {}
        """By the source of each registration that is current."""
        for place, address in enumerate(self.addresses):
            try:
                self._ports.append(open_port(address, Heard(partial(self._arrived, place)), security))
            except SetupError as error:
                self._close()
                key = "lab.further_exchanges" if place else "lab.exchange"
                raise SetupError(
                    f"the exchange cannot use {address}: {error.cause}",
                    f"{key} of the profile must be an address of this machine, and its port free (ss -lptun)",
                ) from error

    @classmethod
    async def open(
        cls,
        addresses: Sequence[Address],
        registrar: Registrar,
        tokens: str,
        on_device: Callable[[float], None],
        taps: TapLoop,
        *,
        relays: bool = False,
        unclaimed: Unclaimed = Unclaimed(),
        security: Security | None = None,
    ) -> Exchange:
        """Bind each of ``addresses``; SetupError if one is unusable.

        ``tokens`` is a regular expression for a drive's digits.  ``on_device`` hears when something of the device
        arrives (seconds since the epoch).  ``relays``: it is the device's outbound proxy, and what names another seat
        is meant to come through here.  Else whatever comes here has been sent to what is here, the callee, whatever
        its Request-URI says.  ``unclaimed`` hears what comes for no plan.  ``security``: what TLS needs.
        """
        hear = taps.heard_by(on_device)
        for address in addresses:
            if security is not None and address.secure:
                security.server_context(address.host)  # a certificate is not made in the thread of the taps
        return await taps.do(lambda: cls(addresses, registrar, tokens, hear, taps, relays, unclaimed, security))

    @property
    def address(self) -> Address:
        """The first of its addresses, which the suite names to the device."""
        return self.addresses[0]

    @property
    def connections(self) -> tuple[Connection, ...]:
        """Those of all its addresses."""
        return tuple(one for port in self._ports for one in port.connections)

    async def close(self) -> None:
        """Free the ports."""
        await self._taps.do(self._close)

    def _close(self) -> None:
        for port in self._ports:
            port.close()

    def connect(self, token: str, drive: Connected) -> None:
        """Give calls to ``token`` to the seats of ``drive`` from now on."""
        with self._lock:
            self._drives[token] = drive

    def join(self, token: str, seat: LiveSeat) -> None:
        """Let the caller at ``seat`` call the device through here, as part of the drive of ``token``."""
        with self._lock:
            if drive := self._drives.get(token):
                drive.callers.append(seat)

    def disconnect(self, token: str) -> None:
        """Remove the seats of ``token``, which have ended.  Later messages for them are refused here."""
        with self._lock:
            self._drives.pop(token, None)

    def hop_to_device(self) -> Hop | None:
        """The way to the address from which the device registered; None while it is not registered."""
        source = self._source()
        return Hop(self._registered_at[source].towards(source), source) if source else None

    async def say(self, write: Callable[[Address], bytes]) -> bool:
        """Send the device what ``write`` makes of the address it is at; False if it is not registered."""

        def send() -> bool:
            if (hop := self.hop_to_device()) is None or not hop.outlet.is_open:
                return False
            hop.outlet.send(write(hop.to), hop.to)
            return True

        return await self._taps.do(send)

    @contextlib.contextmanager
    def answer_to(self, branch: str) -> Iterator[asyncio.Future[str]]:
        """The status line of the final response to what the exchange asks with ``branch``, when it comes."""
        answer = self._asked[branch] = asyncio.get_running_loop().create_future()
        try:
            yield answer
        finally:
            del self._asked[branch]
            answer.cancel()

    def _answered(self, response: SipMessage) -> None:
        waiting = self._asked.get(response.branch or "")
        if waiting is not None and not waiting.done() and (response.status or 0) >= 200:
            waiting.set_result(response.start_line)

    async def registration(self, seconds: float) -> Address:
        """Wait for a registration; return its source address.  DeviceError without one after ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                while not (source := self._source()):
                    self._registered.clear()
                    await self._registered.wait()
        except TimeoutError:
            why = "; ".join(self.registrar.notes()) or "no REGISTER came"
            raise DeviceError(
                f"the device did not register at {self.address} within {seconds:g} s: {why}",
                "check its server address, user and password against [lab.registration] of the profile",
            ) from None
        return source

    def _source(self) -> Address | None:
        """The addresses from which the device is registered at present."""
        with self._lock:
            current = self.registrar.current(clock.now())
        return current[0].source if current else None

    def forget(self) -> None:
        """Forget the registrations of a device that has ended."""
        with self._lock:
            self.registrar.forget()

    # --- what arrives

    def _arrived(self, place: int, data: bytes, source: Address, at: float, outlet: Outlet) -> None:
        try:
            self._take(self._ports[place], data, source, at, outlet)
        except Exception as error:  # whatever a device sends, the next datagram is served
            text = f"({error!r:.200}) {data[:LONGEST_KEPT].decode('latin-1')}"
            self._on_unreadable(Unreadable(NAME, text, at, source, len(data)))

    def _take(self, port: Port, data: bytes, source: Address, at: float, outlet: Outlet) -> None:
        """Pass a datagram on to a seat, or answer it."""
        self._on_device(at)
        if not data.strip(b"\r\n\0 "):
            # RFC 5626 section 3.5.1; a single line break gets no answer, and a connection answers by itself.
            if data.startswith(_PING) and not source.reliable:
                outlet.send(_PONG, source)
            return
        message = SipMessage(data.decode("latin-1"))
        if message.status is not None:
            with self._lock:
                seat = self._seat_that_sent(message)
            if seat is None:
                self._tell_answered(message)
        elif message.method == "REGISTER":
            with self._lock:
                reply = self.registrar.answer(message, source, clock.now())
                if reply.status == 200:
                    self._registered_at[source] = port
                current = {one.source for one in self.registrar.current(clock.now())}
                self._registered_at = {one: at for one, at in self._registered_at.items() if one in current}
            port.send(written(reply, message, source, self._tag), source)
            if self._source():
                self._tell_registered(None)
            return
        else:
            with self._lock:
                seat = self._seat_called(message)
            if seat is None:
                self._refuse(port, message, source, at)
        if seat is not None:
            seat.arrived(data, source, at, outlet)

    def _seat_that_sent(self, response: SipMessage) -> LiveSeat | None:
        """The seat whose request ``response`` answers: its own address is in the topmost Via."""
        own = replace(_sent_by(response), transport=self.address.transport)
        return next((seat for drive in self._drives.values() for seat in drive.seats if seat.own == own), None)

    def _seat_called(self, request: SipMessage) -> LiveSeat | None:
        drive = self._drive_of(request)
        seat = self._seat_of(request, drive) if drive else None
        if drive and seat:
            drive.came(request.call_id)
        return seat

    def _drive_of(self, message: SipMessage) -> Connected | None:
        places: Iterable[str] = (message.request_uri, message.to_uri, message.raw.partition("\r\n\r\n")[0])
        for place in places:
            for token in self._token.findall(place):
                if token in self._drives:
                    return self._drives[token]
        return next((drive for drive in self._drives.values() if drive.knows(message.call_id)), None)

    def _seat_of(self, message: SipMessage, drive: Connected) -> LiveSeat | None:
        named = _address_in(message.request_uri)
        if named and (maddr := _MADDR.search(message.request_uri)):
            named = replace(named, host=maddr[1].strip("[]"))
        named = named and replace(named, transport=self.address.transport)
        if self._relays and named is not None and named not in self.addresses and named in drive.by_uri:
            return drive.by_uri[named]
        reachable = drive.seats if self._relays else drive.callers
        return next((seat for seat in reachable if seat.own == named), drive.callee)

    def _refuse(self, port: Port, message: SipMessage, source: Address, at: float) -> None:
        """Answer what belongs to no plan; it is told, unless it is what devices send by themselves."""
        if not (message.method and message.call_id):
            text = message.raw[:LONGEST_KEPT]
            self._on_unreadable(Unreadable(NAME, text, at, source, len(message.raw)))
            return
        if message.method != "OPTIONS":
            self._on_unclaimed(Event(message.raw, 0, at, NAME, "received", source.transport, source, port.address))
        over = self._token.search(message.request_uri) is not None
        if reply := refusal(message, OVER if over else _UNKNOWN):
            port.send(written(reply, message, source, self._tag), source)


def _sent_by(message: SipMessage) -> Address:
    """The address of the sender by the topmost Via."""
    via = message.vias[0] if message.vias else Via("")
    port = 5060 if via.port is None else via.port
    return Address(via.host, port) if via.readable and 0 < port < 65536 else Address("0.0.0.0")


def _address_in(text: str) -> Address | None:
    found = _HOST_PORT.match(text)
    if found is None:
        return None
    host, port = split_host_port(found[1])
    address = Address(host, DEFAULT_PORTS["udp"] if port is None else port)
    return address if 0 < address.port < 65536 else None
