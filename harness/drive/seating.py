"""The seats of one drive: their addresses and names, the device that is to find them, and the exchange before them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from harness.device import Device
from harness.drive.context import DriveContext
from harness.drive.lab import check_ports
from harness.endpoints.host import LiveSeat, SeatOrder
from harness.endpoints.tap.port import PortTaken
from harness.endpoints.tap.routes import Hop
from harness.endpoints.tap.tap import Listener
from harness.lab.connected import Connected
from harness.model.places import Places
from harness.model.plan import Endpoint, Plan
from harness.model.weather import Forecast
from harness.net.address import Address, Carrier
from harness.net.authority import Showing
from harness.net.certificate import Certificate
from harness.system.together import together


@dataclass
class Seating:
    """Binds the endpoints of a plan, and chooses the device of the drive, which is not started here."""

    context: DriveContext
    flow: str
    """The id of the drive."""
    plan: Plan
    """As its transport carries it."""
    carrier: Carrier
    listener: Listener
    forecast: Forecast | None
    places: Places
    """Has the digits of the drive; its addresses when the seats are taken."""
    taken: list[LiveSeat] = field(default_factory=list)
    """The seats of its endpoints, and of the callers that join them."""
    chosen: Device | None = None
    """The device of this drive, which may not have been started yet."""

    async def take(self) -> None:
        """Bind every endpoint at addresses of this drive; what comes to nothing is given back.

        PortTaken if another program was faster, and nothing is bound then; other SetupErrors are for good.
        """
        own: dict[str, Address] = {}
        try:
            await self._bind(own)
        except BaseException:
            bound = [seat.own for seat in self.taken]
            for address in own.values():
                if address not in bound:
                    self.context.lab.pool.give_back(address)
            raise

    async def dismiss(self) -> None:
        """End the device of this drive, if it has one of its own."""
        if self.chosen is not None and self.chosen is not self.context.devices.shared:
            await self.context.devices.end(self.chosen)
            self.chosen = None

    async def _bind(self, own: dict[str, Address]) -> None:
        exchange = self.context.lab.exchange
        for endpoint in self.plan.endpoints:
            own[endpoint.name] = self._lease(endpoint, own)
        seats = dict(own)
        if exchange:
            # What is dialled goes to the exchange, which knows by its digits where to.
            seats |= dict.fromkeys(self.plan.dialled, exchange.address)
        await self.dismiss()
        self.chosen = self.context.devices.shared or self.context.devices.make(self._peer(seats))
        device, token = self.chosen.called_at, self.places.token
        self.places = Places(token, seats, device, self.context.devices.numbers(token, device))
        check_ports(self.plan, {**seats, "device": device})
        self.context.lab.name(self.plan, self.places)
        binding = (self._seat(endpoint, own[endpoint.name]) for endpoint in self.plan.endpoints)
        bound = await asyncio.gather(*binding, return_exceptions=True)
        order = [endpoint.name for endpoint in self.plan.endpoints]
        self.taken.sort(key=lambda seat: order.index(seat.name))
        problems = [problem for problem in bound if problem is not None]
        if any(isinstance(problem, PortTaken) for problem in problems):
            await together(one.stop() for one in self.taken)
            self.taken.clear()
        # Another problem than a port that was taken cannot be helped by another port.
        for problem in sorted(problems, key=lambda problem: isinstance(problem, PortTaken)):
            raise problem
        if exchange:
            by_name = {seat.name: seat for seat in self.taken}
            callee = next((by_name[name] for name in self.plan.dialled), None)
            exchange.connect(token, Connected(callee, {seats[name]: by_name[name] for name in own}))

    def _lease(self, endpoint: Endpoint, own: Mapping[str, Address]) -> Address:
        """An address for ``endpoint``, whose neighbours are at ``own``."""
        pool = self.context.lab.pool
        if endpoint.at and endpoint.beside:
            return replace(own[endpoint.beside], port=own[endpoint.at].port)
        if endpoint.at:
            return replace(own[endpoint.at], transport=endpoint.by or self.carrier.transport)
        if endpoint.beside:
            return pool.beside(own[endpoint.beside])
        return pool.lease(endpoint.by or None, across=endpoint.crosses)

    def _peer(self, seats: Mapping[str, Address]) -> Address:
        """To whom a device that is started for this drive alone sends its calls: somewhere, if the plan has nobody."""
        return seats.get("callee") or next(iter(seats.values()), None) or self.context.lab.pool.lease()

    async def _seat(self, endpoint: Endpoint, own: Address) -> None:
        """Bind one endpoint; at once among the seats, so that it ends with them whatever becomes of the others."""
        exchange, dialled = self.context.lab.exchange, endpoint.name in self.plan.dialled
        device = self.chosen.address if self.chosen else None
        order = SeatOrder(
            self.flow,
            endpoint.name,
            endpoint.kind,
            own,
            self.places,
            self.listener,
            lambda outlet: Hop(outlet, device) if device else None,
            symmetric=exchange is not None,
            place=self.places.seats[endpoint.name],
            further=exchange.addresses[1:] if exchange and dialled else (),
            forecast=self.forecast,
            oddities=endpoint.oddities,
            path=self.context.profile.lab.websocket_path,
            security=Showing(self.context.lab.authority, self._certificate(endpoint)),
            # Whoever is dialled is sure to be called, and to be called soon.
            at_once=dialled,
        )
        methods = frozenset(call.method for call in self.plan.calls)
        self.taken.append(await self.context.bench.host.answer(endpoint, order, methods))

    def _certificate(self, endpoint: Endpoint) -> Certificate:
        """The one that ``endpoint`` shows over TLS, in this drive."""
        shown = endpoint.certificate
        # A certificate names an IPv6 address without the brackets that it has in a URI.
        names = (self.places.fill(name) for name in shown.names)
        return replace(shown, names=tuple(name.strip("[]") if name.startswith("[") else name for name in names))
