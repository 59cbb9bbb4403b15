"""The seat at a device's backup address, which all its drives share."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.drive.bench import Bench, on_free_port
from harness.drive.names import Names
from harness.drive.recorder import Recorder
from harness.endpoints.host import LiveSeat, SeatOrder
from harness.endpoints.tap.tap import Listener
from harness.model.flow import Event, Seat
from harness.model.plan import Answer, Endpoint, Places, Response
from harness.net.address import Address
from harness.net.pool import AddressPool

ENDPOINT = Endpoint("backup", "guard", (Answer((Response(480),)),), cap=10_000)
"""The behaviour at that address."""


@dataclass
class Backup:
    """Receives the calls that a device moves to its backup; each message goes to the drive whose digits it holds."""

    names: Names
    on_device: Callable[[float], None]
    _recorders: dict[str, Recorder] = field(default_factory=dict)
    _seat: LiveSeat | None = None

    async def open(self, bench: Bench, pool: AddressPool, flow: str) -> None:
        """Lease an address and listen there."""

        async def start() -> LiveSeat:
            own = pool.lease()
            places = Places(self.names.token(), {ENDPOINT.name: own})
            listener = Listener(self._dispatch, lambda _unreadable: None, self.on_device)
            order = SeatOrder(flow, ENDPOINT.name, "backup", own, places, listener, lambda _own: None, at_once=False)
            return await bench.host.answer(ENDPOINT, order, frozenset())

        self._seat = await on_free_port(start, pool)

    async def close(self) -> None:
        """Stop listening."""
        if self._seat is not None:
            await self._seat.stop()

    @property
    def address(self) -> Address:
        """Its address; RuntimeError before :meth:`open`."""
        return self._live.address

    def evidence(self) -> Seat:
        """Its entry in a flow."""
        return self._live.evidence()

    def enrol(self, token: str, recorder: Recorder) -> None:
        """Give messages that carry ``token`` to ``recorder`` from now on."""
        self._recorders[token] = recorder

    @property
    def _live(self) -> LiveSeat:
        if self._seat is None:
            raise RuntimeError("nobody listens at the backup address yet")
        return self._seat

    def _dispatch(self, event: Event) -> None:
        head = event.raw.partition("\r\n\r\n")[0]
        for token in re.findall(self.names.tokens, head):
            if token in self._recorders:
                self._recorders[token].hear(event)
                return
