"""Chooses the next drive: a few at a time are set up, the longest first, whatever their device.

A run is as long as the drive that ends last.  All windows have one length, so drives with long calls (many calls in a
row, late answers) must begin early, and short ones may come last.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import math
from collections.abc import AsyncIterator, Iterator

from harness.model.plan import Plan

URGENT = (-math.inf, False)
"""Before all plans: drives that others wait for (the plain call before a run, a second drive, a sign of life)."""
BETWEEN_CALLS_S = 0.35
"""Seconds that a drive needs to detect the end of a call and to place the next."""
UNANSWERED_S = 3.5
"""Seconds that a drive waits for a call without a final answer."""

Priority = tuple[float, bool]
"""The smaller number comes first."""


def priority_of(plan: Plan) -> Priority:
    """Long plans first; among equals those in which a redirection is answered: they are the positive controls."""
    reaches = any(
        endpoint.kind == "target" and endpoint.answers[0].responses and endpoint.answers[0].responses[-1].status == 200
        for endpoint in plan.endpoints
    )
    return -expected_seconds(plan), not reaches


def expected_seconds(plan: Plan) -> float:
    """About how long the calls of ``plan`` take with a device that does as it should, its window not included."""
    seconds = 0.0
    for number, call in enumerate(plan.calls):
        answers = [e.answers[min(number, len(e.answers) - 1)] for e in plan.endpoints if e.kind != "guard"]
        seconds += call.after + call.repeats_seconds + BETWEEN_CALLS_S
        seconds += max((answer.seconds for answer in answers), default=0.0)
        if answers and not any(answer.finals for answer in answers):
            seconds += UNANSWERED_S
    return seconds


class PriorityGate:
    """A limited number of turns.  Belongs to one event loop."""

    def __init__(self, at_one_time: int) -> None:
        self._free = at_one_time
        self._waiting: list[tuple[Priority, int, asyncio.Future[None]]] = []
        self._serial = itertools.count()

    @contextlib.asynccontextmanager
    async def entered(self, priority: Priority) -> AsyncIterator[None]:
        """Wait for a turn; among equals, first come, first served."""
        if self._free:
            self._free -= 1
        else:
            called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (priority, next(self._serial), called))
            try:
                await called
            except asyncio.CancelledError:
                # Called and cancelled at the same time: pass the turn on.
                if called.done() and not called.cancelled():
                    self._give_back()
                raise
        try:
            yield
        finally:
            self._give_back()

    def _give_back(self) -> None:
        for called in self._in_order():
            if not called.done():
                called.set_result(None)
                return
        self._free += 1

    def _in_order(self) -> Iterator[asyncio.Future[None]]:
        while self._waiting:
            yield heapq.heappop(self._waiting)[2]
