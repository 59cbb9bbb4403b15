"""Signs of life of one device: what it sent, its answer to an OPTIONS, or a plain call that it makes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from harness.device import Device
from harness.model.flow import LifeSign
from harness.net.probe import Prober
from harness.system import clock

PING_S = 3.0


@dataclass
class Life:
    """Checks that a device is alive.  Messages in any of its drives count."""

    prober: Prober
    call_plainly: Callable[[], Awaitable[LifeSign | None]]
    """Makes the shared device place a plain call."""
    _last_heard: float = 0.0
    _plain_call: asyncio.Future[LifeSign | None] | None = None

    def heard(self, at: float) -> None:
        """Note that a message of the device arrived."""
        self._last_heard = max(self._last_heard, at)

    async def sign(self, device: Device, after: float, *, shared: bool) -> LifeSign | None:
        """A sign of life after time ``after``, or None.  The device gets an OPTIONS, then (if ``shared``) must call."""
        if not device.alive():
            return None
        answer = await self.prober.ping(device.address, PING_S)
        if answer:
            return LifeSign(clock.now(), f"it answered an OPTIONS: {answer}")
        if self._last_heard > after:
            return LifeSign(self._last_heard, "it sent a message after the window")
        if not shared:
            return None
        if self._plain_call is None or self._plain_call.done():
            self._plain_call = asyncio.ensure_future(self.call_plainly())
        return await self._plain_call
