"""Limits the number of seats: on this machine, and at the addresses of a lab.  First come, first served."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

from harness.errors import SetupError


class Capacity:
    """Belongs to one event loop."""

    def __init__(self, seats: int, what: str) -> None:
        """``what`` is the resource's name in messages."""
        self._all = self._free = seats
        self._what = what
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    @contextlib.contextmanager
    def without(self, seats: int) -> Iterator[None]:
        """Leave ``seats`` out for a while, for something else than drives; those in use are not taken from them."""
        self._all -= seats
        self._free -= seats
        try:
            yield
        finally:
            self._all += seats
            self._free += seats
            self._serve()

    @contextlib.asynccontextmanager
    async def reserved(self, seats: int) -> AsyncIterator[None]:
        """Wait until ``seats`` more may run; SetupError if there are never that many."""
        if seats > self._all:
            raise SetupError(f"this plan needs {seats} of {self._what}, and there are {self._all}", "name more of them")
        if self._waiting or self._free < seats:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((seats, turn))
            try:
                await turn
            except asyncio.CancelledError:
                # Served and cancelled at the same time: the seats are free again.
                if turn.done() and not turn.cancelled():
                    self._free += seats
                self._waiting = [waiting for waiting in self._waiting if waiting[1] is not turn]
                self._serve()
                raise
        else:
            self._free -= seats
        try:
            yield
        finally:
            self._free += seats
            self._serve()

    def _serve(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._free:
            wanted, turn = self._waiting.pop(0)
            if not turn.cancelled():
                self._free -= wanted
                turn.set_result(None)
