"""Handing messages to a SIPp no faster than it can take them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class Pace:
    """Messages in order, each when the one before has had its time.  Belongs to the running event loop."""

    def __init__(self, send: Callable[[bytes], object], needs: Callable[[bytes], float]) -> None:
        """``needs``: how many seconds a message takes its receiver."""
        self._send = send
        self._needs = needs
        self._waiting: deque[bytes] = deque()
        self._free_at = 0.0
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def hand_over(self, data: bytes) -> None:
        """Send ``data``, now or when what came before has had its time."""
        self._waiting.append(data)
        if self._timer is None:
            self._go_on()

    def said(self, needs: float) -> None:
        """Note that the receiver has just said something itself, after which it needs so many seconds."""
        self._free_at = max(self._free_at, self._loop.time() + needs)

    def _go_on(self) -> None:
        self._timer = None
        while self._waiting:
            now = self._loop.time()
            if now < self._free_at:
                self._timer = self._loop.call_at(self._free_at, self._go_on)
                return
            data = self._waiting.popleft()
            self._free_at = now + self._needs(data)
            self._send(data)
