"""The window of a drive: how long its seats go on listening when the calls are over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from harness.drive.calling import Calling
from harness.drive.recorder import Recorder
from harness.endpoints.host import LiveSeat
from harness.live.progress import Progress
from harness.model.windows import Window
from harness.system import clock

LATE_COPIES_S = 35.0
"""How much later the window may begin because copies of a final response are still sent: 64*T1 and some."""


@dataclass(frozen=True)
class OpenWindow:
    """A window that opens with the last copy of the last final response."""

    window: Window
    recorder: Recorder
    tried: int
    """How many INVITE transactions had arrived when the calls were over."""
    over_at: float | None
    """When the calls were over for their callers (seconds since the epoch); None where the device itself calls."""

    @classmethod
    def of(cls, window: Window, recorder: Recorder, callers: Calling | None) -> OpenWindow:
        """The window of calls that have just been made; ``callers``: those of SIPp callers, None without any."""
        return cls(window, recorder, recorder.invites.count(), _over_at(recorder, callers))

    def opened_at(self) -> float | None:
        """When it opened (seconds since the epoch), as far as is known by now; None if no final response came."""
        # What the device tries, or answers, while it is watched is evidence, and begins no new window.
        moments = self.recorder.invites.last_final_at(self.tried), self.over_at
        return max(filter(None, moments), default=None)

    async def watch(self, seats: Iterable[LiveSeat], progress: Progress) -> None:
        """Keep ``seats`` listening until it is over."""
        loop, seconds = asyncio.get_running_loop(), self.window.seconds
        # Where an ACK is missing copies go on, and their timing is part of the evidence.
        if not self.recorder.invites.unacknowledged():
            for seat in seats:
                seat.rest()
        # A device that does not acknowledge is sent copies for 32 s; the window begins with the last one.
        give_up = loop.time() + seconds + LATE_COPIES_S
        progress.waited += seconds
        while (opened_at := self.opened_at()) is not None:
            # A little more than the window, so that no rounding makes it shorter.
            left = min(opened_at + seconds + 0.02 - clock.now(), give_up - loop.time())
            if left <= 0:
                return
            progress.watching_until = max(progress.watching_until, clock.now() + left)
            await self.recorder.until(partial(self._opened_after, opened_at), left)

    def _opened_after(self, moment: float) -> bool:
        return (self.opened_at() or moment) > moment


def _over_at(recorder: Recorder, callers: Calling | None) -> float | None:
    """When the calls of SIPp callers were over; None without any, and if nothing came of one.

    The first copy counts of a final response that the device itself sends: that it is repeated is evidence.
    """
    if callers is None or not callers.reached:
        return None
    if recorder.pending():
        return max(event.time for event in recorder.heard)
    return recorder.answered_at()
