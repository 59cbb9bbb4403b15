"""How much of what is sent between the suite and a device gets lost: measured with the suite's own messages.

A lost ACK and a missing ACK look alike.  So before anything but a pass is believed, the line is measured, once: by
OPTIONS, each sent a single time, and counted if nothing answers.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from harness.device import Device
from harness.model.line import Line
from harness.net.address import Address
from harness.net.probe import Pings

PROBES: Final = 300
"""At 1 % loss all but one of so many come back in 2 % of all measurements."""
FIRST: Final = 10
"""A device that answers none of so many answers no OPTIONS."""
PACE_S: Final = 0.01
"""Slow enough for a device that defends itself against floods to see none."""
ANSWERS_S: Final = 2.0
"""What is answered later than this counts as lost: no call would have waited for it either."""


@dataclass
class LineCheck:
    """Measures the line to the device that all drives share."""

    prober: Pings
    device: Callable[[], Device | None]
    unknown: bool = False
    """Whether packets to it leave this machine, and it answers no OPTIONS: then nothing can be measured."""
    _measuring: asyncio.Task[Line | None] | None = field(default=None)

    async def line(self) -> Line | None:
        """What was measured, once for a run; None where that is impossible: no OPTIONS answered, no shared device."""
        if self._measuring is None:
            self._measuring = asyncio.ensure_future(self._measure())
        return await asyncio.shield(self._measuring)

    def cancel(self) -> None:
        """Measure no longer."""
        if self._measuring is not None:
            self._measuring.cancel()

    async def _measure(self) -> Line | None:
        device = self.device()
        # What a stream loses below it, it repeats by itself.
        if device is None or device.address.reliable or _loopback(device.address):
            return None
        first = await self._probe(device.address, FIRST)
        if first == FIRST or not device.alive():
            self.unknown = device.alive()
            return None
        unanswered = first + await self._probe(device.address, PROBES - FIRST)
        return Line(PROBES, unanswered) if device.alive() else None

    async def _probe(self, address: Address, number: int) -> int:
        """How many of ``number`` probes got no answer."""
        probes = []
        for _ in range(number):
            # Sent once: no timer of a transaction makes good what gets lost.
            probes.append(asyncio.ensure_future(self.prober.ping(address, ANSWERS_S, t1=2 * ANSWERS_S)))
            await asyncio.sleep(PACE_S)
        return sum(answer is None for answer in await asyncio.gather(*probes))


def _loopback(address: Address) -> bool:
    """Whether packets to ``address`` never leave this machine: what is lost there, the sockets count themselves."""
    try:
        return ipaddress.ip_address(address.host).is_loopback
    except ValueError:
        return False
