"""The seat at a device's backup address, which all its drives share."""

from __future__ import annotations

from dataclasses import dataclass

from harness.drive.bench import Bench, on_free_port
from harness.drive.switchboard import Switchboard
from harness.endpoints.host import LiveSeat, SeatOrder
from harness.endpoints.tap.tap import Listener
from harness.errors import SetupError
from harness.model.flow import Seat
from harness.model.places import Places
from harness.model.plan import Answer, Endpoint, Response
from harness.net.address import Address
from harness.net.authority import Authority, Showing
from harness.net.pool import CarrierPool

ENDPOINT = Endpoint("backup", "guard", (Answer((Response(480),)),), cap=10_000)
"""The behaviour at that address."""


@dataclass
class Backup:
    """Receives the calls that a device moves to its backup; each message goes to the drive whose digits it holds."""

    board: Switchboard
    listener: Listener
    _seat: LiveSeat | None = None

    async def open(
        self, bench: Bench, pool: CarrierPool, authority: Authority, flow: str, fixed: Address | None
    ) -> None:
        """Listen at ``fixed``, or else at an address that is leased.  SetupError if that cannot be.

        ``authority``: whose certificate it has, over TLS.
        """

        async def start(own: Address) -> LiveSeat:
            places = Places(self.board.names.token(), {ENDPOINT.name: own})
            order = SeatOrder(
                flow,
                ENDPOINT.name,
                "backup",
                own,
                places,
                self.listener,
                lambda _own: None,
                security=Showing(authority),
                at_once=False,
            )
            return await bench.host.answer(ENDPOINT, order, frozenset())

        if fixed is None:
            self._seat = await on_free_port(lambda: start(pool.lease()), pool)
            return
        try:
            self._seat = await start(fixed)
        except SetupError as error:
            raise SetupError(
                f"nobody can listen at the device's backup address {fixed}: {error.cause}",
                "lab.backup of the profile must be an address of this machine, and its port free (ss -lptun)",
            ) from error

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

    @property
    def _live(self) -> LiveSeat:
        if self._seat is None:
            raise RuntimeError("nobody listens at the backup address yet")
        return self._seat
