"""Signs of life of one device: what it sent, its answer to an OPTIONS, or a plain call that it makes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from harness.device import Device
from harness.model.flow import LifeSign
from harness.net.probe import Pings
from harness.system import clock

PING_S = 3.0


@dataclass
class Life:
    """Checks that a device is alive.  Messages in any of its drives count."""

    prober: Pings
    call_plainly: Callable[[], Awaitable[LifeSign | None]]
    """Makes the shared device place a plain call."""
    last_heard: float = 0.0
    """When anything of the device arrived (seconds since the epoch)."""
    _plain_call: asyncio.Future[LifeSign | None] | None = None
    _called_at: float = 0.0

    def heard(self, at: float) -> None:
        """Note that a message of the device arrived."""
        self.last_heard = max(self.last_heard, at)

    async def sign(self, device: Device, after: float, *, shared: bool) -> LifeSign | None:
        """A sign of life after time ``after``, or None.  The device gets an OPTIONS, then (if ``shared``) must call."""
        if not device.alive():
            return None
        answer = await self.prober.ping(device.address, PING_S)
        if answer:
            return LifeSign(clock.now(), f"it answered an OPTIONS: {answer}")
        if self.last_heard > after:
            return LifeSign(self.last_heard, "it sent a message after the window")
        if not shared:
            return None
        # A call that began before this window was over may show a life that ended in it.
        while self._plain_call is not None and not self._plain_call.done() and self._called_at <= after:
            await asyncio.wait({self._plain_call})
        if self._plain_call is None or self._plain_call.done():
            self._called_at = clock.now()
            self._plain_call = asyncio.ensure_future(self.call_plainly())
        return await asyncio.shield(self._plain_call)
