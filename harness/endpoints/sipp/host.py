"""SIPp as the tester: one process for each seat that acts, on a private address behind the seat's tap."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness.endpoints.host import CallOrder, Kind, LiveSeat, SeatOrder
from harness.endpoints.sipp.answer_scenario import render_answer
from harness.endpoints.sipp.binary import SippBinary
from harness.endpoints.sipp.call_scenario import render_call
from harness.endpoints.sipp.legible import legible
from harness.endpoints.sipp.pace import Pace
from harness.endpoints.sipp.process import SippProcess
from harness.endpoints.sipp.readiness import Readiness
from harness.endpoints.sipp.scenario import HANG_UP
from harness.endpoints.tap.loop import TapLoop
from harness.endpoints.tap.odd import Odd
from harness.endpoints.tap.port import PortTaken, UdpPort
from harness.endpoints.tap.routes import Outlet
from harness.endpoints.tap.tap import Answer, Listener, Neighbours, Tap
from harness.errors import SipverdictError
from harness.model.flow import Seat
from harness.model.plan import Endpoint
from harness.net.address import Address
from harness.net.pool import AddressPool
from harness.system.disk import disk_errors

CALLER_STEP_S, CALLER_STEPS_S = 0.01, 0.05
"""How long a caller's SIPp gets for a provisional response, and for anything else, before the next message.

It takes some milliseconds for each step of its scenario, and a message that comes between two steps makes it forget the
one before: a 487 just ahead of the 200 to the CANCEL got no ACK.
"""
MOST_WAITING = 200
"""The most datagrams that wait for a starting SIPp."""


@dataclass
class SippHost:
    """Puts a SIPp behind the tap of each seat."""

    folder: Path
    """The folder for scenarios and SIPp's error logs."""
    sipp: SippBinary
    private: AddressPool
    """Private loopback addresses, which no device sees."""
    taps: TapLoop
    readiness: Readiness = field(default_factory=Readiness)
    neighbours: Neighbours = field(default_factory=Neighbours)

    async def answer(self, endpoint: Endpoint, order: SeatOrder, methods: frozenset[str]) -> SippSeat:
        """See :class:`harness.endpoints.host.EndpointHost`."""
        seat = await SippSeat.open(self, order, render_answer(endpoint, order.places, order.own, methods))
        return await _acting(seat) if order.at_once else seat

    async def call(
        self, call: CallOrder, order: SeatOrder, on_seat: Callable[[LiveSeat], None] = lambda _seat: None
    ) -> SippSeat:
        """See :class:`harness.endpoints.host.EndpointHost`."""
        scenario = render_call(
            call.call,
            order.places,
            order.own,
            hangs_up=call.hangs_up,
            authorises=call.credentials is not None,
            statuses=call.statuses,
            identity=call.identity,
        )
        uri = order.places.fill(call.call.to)
        seat = await SippSeat.open(self, order, scenario, calls=True, credentials=call.credentials, digest_uri=uri)
        on_seat(seat)
        return await _acting(seat)

    async def run(self, order: SeatOrder, scenario: str) -> SippSeat:
        """Run a scenario of another kind as a caller, which begins at once."""
        return await _acting(await SippSeat.open(self, order, scenario, calls=True))


async def _acting(seat: SippSeat) -> SippSeat:
    """``seat`` with its SIPp running; a failed start leaves nothing behind."""
    try:
        await seat.act()
    except BaseException:
        await seat.stop()
        raise
    return seat


class SippSeat:
    """A tap, and the SIPp behind it.  Methods run in the driver's thread, unless marked for the taps' thread."""

    def __init__(
        self,
        host: SippHost,
        order: SeatOrder,
        scenario: str,
        *,
        calls: bool,
        credentials: tuple[str, str] | None,
        digest_uri: str,
    ) -> None:
        """In the taps' thread: see :meth:`open`."""
        self.name = order.name
        self.kind: Kind = order.kind
        self._order = order
        self._host = host
        self._scenario = scenario
        self._calls = calls
        self._credentials = credentials
        self._digest_uri = digest_uri
        self._tap = Tap(
            order.name,
            order.own,
            _in_drivers_loop(order.listener, host.taps),
            otherwise=order.otherwise,
            fixed=calls,
            symmetric=order.symmetric,
            # What is lost or repeated below a stream is the network's own affair: no message is.
            forecast=None if order.own.reliable else order.forecast,
            neighbour=lambda address: host.neighbours.at(order.flow, address),
            odd=Odd(order.oddities, order.places.fill) if order.oddities else None,
            security=order.security,
            path=order.path,
        )
        self._tap.deliver_to(self._deliver)
        host.neighbours.join(order.flow, self._tap)
        self._waiting: list[bytes] = []
        self._inner: UdpPort | None = None
        self._process: SippProcess | None = None
        self._ready = False
        self._acting: asyncio.Task[None] | None = None
        self._failed = ""
        self._stopped = False
        self._begin = host.taps.heard_by(self._start_late)

    @classmethod
    async def open(
        cls,
        host: SippHost,
        order: SeatOrder,
        scenario: str,
        *,
        calls: bool = False,
        credentials: tuple[str, str] | None = None,
        digest_uri: str = "",
    ) -> SippSeat:
        """Open the tap; errors as in :meth:`harness.endpoints.host.EndpointHost.answer`."""
        if order.security is not None and order.own.secure:
            order.security.server_context(order.own.host)  # a certificate is not made in the thread of the taps
        return await host.taps.do(
            lambda: cls(host, order, scenario, calls=calls, credentials=credentials, digest_uri=digest_uri)
        )

    @property
    def own(self) -> Address:
        """The address of its socket."""
        return self._tap.port.address

    @property
    def address(self) -> Address:
        """The address that the device uses for it."""
        return self._order.place or self.own

    @property
    def trouble(self) -> str:
        """A failure of its SIPp; "" without one."""
        if self._failed:
            return self._failed
        if self._ready and self._process is not None and self._process.lost_at is not None:
            return f"the SIPp at {self.name} ended unexpectedly (status {self._process.status})"
        return ""

    async def act(self) -> None:
        """Start the SIPp, and hand it the waiting datagrams; a second call waits for the first."""
        if self._acting is None:
            self._acting = asyncio.create_task(self._start())
        await asyncio.shield(self._acting)

    def arrived(self, data: bytes, source: Address, at: float, outlet: Outlet) -> None:
        """Take a message for this seat that arrived at a shared socket (in the taps' thread)."""
        self._tap.arrived(data, source, at, outlet)

    async def say(self, data: bytes) -> None:
        """See :class:`harness.endpoints.host.LiveSeat`."""
        await self._host.taps.do(lambda: self._tap.say(data))

    def hang_up(self, call_id: str) -> None:
        """Ask the SIPp to say BYE in ``call_id``: a request that only this side of the tap can make."""
        if self._process is None or self._inner is None:
            return
        own = self._process.own
        asks = (
            f"{HANG_UP} sip:{own} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKhangup\r\n"
            f"From: <sip:harness@{own}>;tag=1\r\nTo: <sip:{own}>\r\n"
            f"Call-ID: {call_id}\r\nCSeq: 1 {HANG_UP}\r\nContent-Length: 0\r\n\r\n"
        )
        self._inner.send(asks.encode("latin-1"), own)

    def rest(self) -> None:
        """Note that its calls are over: from now on it only listens."""
        if self._ready and self._process is not None:
            self._process.rest()

    def wake(self) -> None:
        """Note that there are calls again."""
        if self._ready and self._process is not None:
            self._process.wake()

    async def outlive(self, answer: Answer) -> None:
        """End the SIPp; the tap stays, and ``answer`` says what still comes gets."""
        await self._end_sipp()
        await self._host.taps.settle()
        await self._host.taps.do(lambda: self._outlive(answer))

    async def stop(self) -> None:
        """End the SIPp, then the tap; what has arrived until then is heard."""
        await self._end_sipp()
        await self._host.taps.settle()
        await self._host.taps.do(self._close)

    async def _end_sipp(self) -> None:
        self._stopped = True
        if self._acting is not None and not self._acting.done():
            self._acting.cancel()
        if self._acting is not None:
            await asyncio.gather(self._acting, return_exceptions=True)
        if self._process is not None:
            await self._process.stop()

    def evidence(self) -> Seat:
        """Its entry in the flow."""
        port = self._tap.port
        behind = self.own if self.address != self.own else None
        lost_at = None if self._stopped else port.closed_at
        return Seat(
            self.name,
            self.kind,
            self.address,
            port.bound_at,
            lost_at,
            self._scenario,
            behind,
            port.drops,
            port.connections,
            self._order.further,
        )

    # --- in the taps' thread

    def _outlive(self, answer: Answer) -> None:
        if self._inner is not None:
            self._inner.close()
        self._host.neighbours.leave(self._order.flow, self._tap)
        self._tap.outlive(answer)

    def _close(self) -> None:
        if self._inner is not None:
            self._inner.close()
        self._host.neighbours.leave(self._order.flow, self._tap)
        self._tap.close()

    def _flush(self) -> None:
        assert self._inner is not None
        assert self._process is not None
        send, own = self._inner.send, self._process.own
        step_s = self._host.sipp.step_s
        self._pace = Pace(lambda data: send(data, own), _caller_needs if self._calls else lambda _data: step_s)
        self._ready = True
        waiting, self._waiting = self._waiting, []
        for data in waiting:
            self._deliver(data)

    def _deliver(self, data: bytes) -> None:
        """Hand one datagram to the SIPp, in a form that it can read; or keep it until the SIPp runs."""
        if self._ready and self._inner is not None and self._process is not None:
            if (readable := legible(data)) is not None:
                self._pace.hand_over(readable)
            return
        # A retransmission of a waiting datagram adds nothing.
        if data not in self._waiting and len(self._waiting) < MOST_WAITING:
            self._waiting.append(data)
            self._begin(None)

    def _emit(self, data: bytes) -> None:
        """Send what the SIPp says."""
        if self._ready:
            self._pace.said(self._host.sipp.step_s)
        self._tap.emit(data)

    # --- in the driver's loop

    def _start_late(self, _: None) -> None:
        if self._acting is None and not self._stopped:
            self._acting = asyncio.create_task(self._start())
            self._acting.add_done_callback(self._note_failure)

    def _note_failure(self, starting: asyncio.Task[None]) -> None:
        if not starting.cancelled() and (error := starting.exception()) is not None:
            cause = error.cause if isinstance(error, SipverdictError) else repr(error)
            self._failed = f"the endpoint {self.name} could not answer: {cause}"

    async def _start(self) -> None:
        while True:
            try:
                await self._start_at(self._host.private.lease())
            except PortTaken:
                continue
            break
        await self._host.taps.do(self._flush)

    async def _start_at(self, private: Address) -> None:
        inner = await self._host.taps.do(lambda: self._inner_port(private))
        process = SippProcess(
            f"{self._order.flow}-{self.name}",
            self._scenario,
            private,
            self._host.folder,
            sipp=self._host.sipp.path,
            peer=inner.address if self._calls else None,
            credentials=self._credentials,
            digest_uri=self._digest_uri,
            shown=self.own,
            exact=self._host.sipp.step_s > 0,
        )
        self._inner, self._process = inner, process
        try:
            with disk_errors():
                await process.start(self._host.readiness)
        except BaseException:
            await self._host.taps.do(inner.close)
            raise

    def _inner_port(self, private: Address) -> UdpPort:
        inner = UdpPort(Address(private.host, 0), lambda data, _source, _at: self._emit(data))
        inner.only_from(private)
        return inner


def _caller_needs(data: bytes) -> float:
    return CALLER_STEP_S if data.startswith(b"SIP/2.0 1") else CALLER_STEPS_S


def _in_drivers_loop(listener: Listener, taps: TapLoop) -> Listener:
    return Listener(
        taps.heard_by(listener.on_event),
        taps.heard_by(listener.on_unreadable),
        taps.heard_by(listener.on_device),
        taps.heard_by(listener.on_refused),
        taps.heard_by(listener.on_between),
    )
