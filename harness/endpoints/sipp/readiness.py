"""Detects that sockets are bound: one check serves all waiters, and no SIPp notices it."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

from harness.net.address import Address
from harness.net.sockets import inode_of, owns

POLL_SECONDS = 0.005
"""Seconds between two checks while there are waiters.  The kernel has no event for it."""

_LOOPS = 9
"""The loop has at least so many times as long for all else as the checks take: on a busy machine there are many."""


@dataclass(eq=False)
class _Waiter:
    address: Address
    pid: int
    future: asyncio.Future[None]

    def is_served(self) -> bool:
        inode = inode_of(self.address)
        return bool(inode) and owns(self.pid, inode)


class Readiness:
    """Waits for the sockets of many processes; belongs to one event loop."""

    def __init__(self) -> None:
        self._waiters: list[_Waiter] = []
        self._timer: asyncio.TimerHandle | None = None

    async def bound(self, address: Address, pid: int, deadline: float) -> None:
        """Return when process ``pid`` has ``address`` bound.  TimeoutError after ``deadline`` seconds.

        The socket must be that process's own.  If another process holds the address, SIPp ends with status 254.
        """
        loop = asyncio.get_running_loop()
        waiter = _Waiter(address, pid, loop.create_future())
        self._waiters.append(waiter)
        # A process that has just started has bound nothing yet, so wait for the next check.
        self._timer = self._timer or loop.call_later(POLL_SECONDS, self._look)
        try:
            async with asyncio.timeout(deadline):
                await waiter.future
        finally:
            with suppress(ValueError):
                self._waiters.remove(waiter)

    def _look(self) -> None:
        """Check for all waiters, and repeat as long as there are any."""
        self._timer = None
        began = time.monotonic()
        for waiter in tuple(self._waiters):
            if not waiter.future.done() and waiter.is_served():
                waiter.future.set_result(None)
                self._waiters.remove(waiter)
        if self._waiters:
            pause = max(POLL_SECONDS, _LOOPS * (time.monotonic() - began))
            self._timer = asyncio.get_running_loop().call_later(pause, self._look)
