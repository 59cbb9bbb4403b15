"""What becomes of seats when their drive is over: they go on listening, as long as the device is tested.

A device that redials after the window would else be heard by nobody.  Its late call is refused, so that it does not go
on by itself, and it is evidence: the flow keeps it beside its events (:attr:`harness.model.flow.Flow.late`).
"""

from __future__ import annotations

import asyncio
import resource
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.endpoints.host import LiveSeat
from harness.lab.reply import refusal, written
from harness.net.address import Address
from harness.sip.message import SipMessage
from harness.system.together import together

_TAG: Final = "over"


def answer(data: bytes, source: Address) -> bytes | None:
    """The response of a seat whose drive is over, to what came from ``source``; None if it wants none."""
    message = SipMessage(data.decode("latin-1"))
    reply = refusal(message)
    return written(reply, message, source, _TAG) if reply else None


def _most() -> int:
    """A fiftieth of the files that this process may have open: a dozen devices may be tested at one time."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 50


@dataclass
class Afterwards:
    """The seats of one device's drives that are over; :meth:`close` ends them."""

    most: int = field(default_factory=_most)
    _listening: deque[LiveSeat] = field(default_factory=deque)

    async def keep(self, seats: Sequence[LiveSeat]) -> None:
        """Have ``seats`` listen on; those that have done so for longest end where there are too many."""
        await asyncio.gather(*(seat.outlive(answer) for seat in seats))
        self._listening += seats
        while len(self._listening) > self.most:
            await self._listening.popleft().stop()

    async def close(self) -> None:
        """End them all."""
        await together(seat.stop() for seat in self._listening)
        self._listening.clear()
