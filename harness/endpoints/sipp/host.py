"""SIPp as the tester: seats, each a tap, with the SIPp behind it that acts there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from harness.endpoints.host import CallOrder, Kind, LiveSeat, SeatOrder
from harness.endpoints.sipp.actor import Actor, Means
from harness.endpoints.sipp.answer_scenario import render_answer
from harness.endpoints.sipp.call_scenario import render_call
from harness.endpoints.tap.loop import TapLoop
from harness.endpoints.tap.odd import Odd
from harness.endpoints.tap.routes import Outlet
from harness.endpoints.tap.tap import Answer, Listener, Neighbours, Tap
from harness.model.flow import Seat
from harness.model.plan import Endpoint
from harness.net.address import Address


@dataclass
class SippHost(Means):
    """Puts a SIPp behind the tap of each seat."""

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
        self._actor = Actor(
            order.name,
            host,
            scenario,
            self._tap.emit,
            calls=calls,
            flow=order.flow,
            shown=self.own,
            credentials=credentials,
            digest_uri=digest_uri,
        )
        self._tap.deliver_to(self._actor.deliver)
        host.neighbours.join(order.flow, self._tap)

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
        return self._actor.trouble

    async def act(self) -> None:
        """Start its SIPp now, not with the first message; a second call waits for the first."""
        await self._actor.act()

    def arrived(self, data: bytes, source: Address, at: float, outlet: Outlet) -> None:
        """Take a message for this seat that arrived at a shared socket (in the taps' thread)."""
        self._tap.arrived(data, source, at, outlet)

    async def say(self, data: bytes) -> None:
        """See :class:`harness.endpoints.host.LiveSeat`."""
        await self._host.taps.do(lambda: self._tap.say(data))

    def hang_up(self, call_id: str) -> None:
        """See :class:`harness.endpoints.host.LiveSeat`."""
        self._actor.hang_up(call_id)

    def rest(self) -> None:
        """Note that its calls are over: from now on it only listens."""
        self._actor.rest()

    def wake(self) -> None:
        """Note that there are calls again."""
        self._actor.wake()

    async def outlive(self, answer: Answer) -> None:
        """End the SIPp; the tap stays, and ``answer`` says what still comes gets."""
        await self._actor.stop()
        await self._host.taps.settle()
        await self._host.taps.do(lambda: self._outlive(answer))

    async def stop(self) -> None:
        """End the SIPp, then the tap; what has arrived until then is heard."""
        await self._actor.stop()
        await self._host.taps.settle()
        await self._host.taps.do(self._close)

    def evidence(self) -> Seat:
        """Its entry in the flow."""
        port = self._tap.port
        behind = self.own if self.address != self.own else None
        lost_at = None if self._actor.stopped else port.closed_at
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
        self._actor.close()
        self._host.neighbours.leave(self._order.flow, self._tap)
        self._tap.outlive(answer)

    def _close(self) -> None:
        self._actor.close()
        self._host.neighbours.leave(self._order.flow, self._tap)
        self._tap.close()


def _in_drivers_loop(listener: Listener, taps: TapLoop) -> Listener:
    return Listener(
        taps.heard_by(listener.on_event),
        taps.heard_by(listener.on_unreadable),
        taps.heard_by(listener.on_device),
        taps.heard_by(listener.on_refused),
        taps.heard_by(listener.on_between),
    )
