"""A plan that is driven on a device: once, or as often as its verdicts need."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.drive.station import Station
from harness.errors import DeviceError
from harness.model.axes import Axes
from harness.model.flow import Flow, Loss
from harness.model.plan import Plan
from harness.purposes.evidence_check import spoilt
from harness.run.inquest import Inquest

UNINTERRUPTED = 2
"""How often a plan is driven again because the time of this machine was interrupted."""
_NOT_TESTED = "it was not tested: repair the device, and run it again"


@dataclass
class Job:
    """One plan on one device at one point of the axes, driven once or more often, for all the cases that need it."""

    station: Station
    plan: Plan
    axes: Axes
    store: Callable[[asyncio.Task[Flow]], None]
    inquest: Inquest
    _drives: list[asyncio.Task[Flow]] = field(default_factory=list)

    def drive(self, attempt: int, *, urgent: bool = False) -> asyncio.Task[Flow]:
        """The flow of the first (0), the second (1) … drive; ``urgent`` if it is yet to be begun, and waited for."""
        while len(self._drives) <= attempt:
            self._drives.append(asyncio.create_task(self._sound(len(self._drives), urgent)))
        return self._drives[attempt]

    @property
    def drives(self) -> int:
        """How many drives have been begun."""
        return len(self._drives)

    async def completed(self) -> list[Flow]:
        """The flows of all drives that have been begun, in order, with what has come since they were over."""
        return list(map(self.station.completed, await asyncio.gather(*self._drives)))

    async def _sound(self, attempt: int, urgent: bool) -> Flow:
        """The flow of one drive during which the device was there, or that names what the device was lost by."""
        flow = await self._beside(attempt, urgent)
        for _ in range(UNINTERRUPTED):
            if not spoilt(flow):
                break
            flow = await self._beside(attempt, urgent=True)
        flow = await self.inquest.sound(flow, self._once, lambda: self._beside(attempt, urgent=True))
        self.station.rely_on(flow)
        return flow

    async def _beside(self, attempt: int, urgent: bool) -> Flow:
        async with self.inquest.turns.shared():
            return await self._once(attempt=attempt, urgent=urgent)

    async def _once(self, suspicion: Loss | None = None, attempt: int = 1, *, urgent: bool = True) -> Flow:
        if self.station.gone:
            raise DeviceError(self.station.gone, _NOT_TESTED)
        axes = self.axes
        drive = asyncio.create_task(
            self.station.drive(self.plan, axes.role, attempt, urgent=urgent, suspicion=suspicion)
        )
        drive.add_done_callback(self.store)
        flow = await drive
        if self.station.gone and flow.loss is None and not flow.events:
            raise DeviceError(self.station.gone, _NOT_TESTED)
        return flow
