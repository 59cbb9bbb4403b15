"""A plan that is driven on a device: once, or as often as its verdicts need."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.drive.station import Station
from harness.model.axes import Axes
from harness.model.flow import Flow
from harness.model.plan import Plan


@dataclass
class Job:
    """One plan on one device at one point of the axes, driven once or more often, for all the cases that need it."""

    station: Station
    plan: Plan
    axes: Axes
    store: Callable[[asyncio.Task[Flow]], None]
    _drives: list[asyncio.Task[Flow]] = field(default_factory=list)

    def drive(self, attempt: int, *, urgent: bool = False) -> asyncio.Task[Flow]:
        """The flow of the first (0), the second (1) … drive; ``urgent`` if it is yet to be begun, and waited for."""
        while len(self._drives) <= attempt:
            axes = self.axes
            drive = self.station.drive(self.plan, axes.role, axes.transport, len(self._drives), urgent=urgent)
            self._drives.append(asyncio.create_task(drive))
            self._drives[-1].add_done_callback(self.store)
        return self._drives[attempt]

    async def completed(self) -> list[Flow]:
        """The flows of all drives that have been begun, in order, with what has come since they were over."""
        return list(map(self.station.completed, await asyncio.gather(*self._drives)))
