"""After a device was lost: which plan did it.  The suspects are driven alone, one after the other; the rest again.

A drive holds its turn until its flow is complete, so an inquest begins when nothing else is going on, and what it kills
takes no other evidence along.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.drive.vigil import Lost
from harness.errors import DeviceError
from harness.model.flow import Flow, Loss
from harness.store.verdict_lines import LostLine, LostRuling

SUSPECTS: Final = 8
"""So many plans are driven alone for one loss: those whose last message to the device was the latest."""
RECENT_S: Final = 2.0
"""What the device was sent longer ago makes nobody a suspect, except where nothing was sent since."""
ROUNDS: Final = 4
"""How often a plan is driven again because the device was lost beside it."""

DriveAlone = Callable[[Loss], Awaitable[Flow]]
DriveAgain = Callable[[], Awaitable[Flow]]


class Turns:
    """Any number of drives side by side, or one alone."""

    def __init__(self) -> None:
        self._side_by_side = 0
        self._alone = False
        self._changed = asyncio.Condition()

    @contextlib.asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Drive beside others, once nobody is alone or about to be."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._alone)
            self._side_by_side += 1
        try:
            yield
        finally:
            async with self._changed:
                self._side_by_side -= 1
                self._changed.notify_all()

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Let nobody else begin, and wait until those who have begun are ready."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._alone)
            self._alone = True
            await self._changed.wait_for(lambda: not self._side_by_side)
        try:
            yield
        finally:
            async with self._changed:
                self._alone = False
                self._changed.notify_all()


@dataclass
class _Touched:
    """A flow in which the device was lost."""

    flow: Flow
    loss: Loss
    alone: DriveAlone
    again: DriveAgain
    result: asyncio.Future[Flow]
    rounds: int = 0

    @property
    def gap(self) -> float:
        """Seconds from the last message to the device until it was lost."""
        sent = [one.time for one in self.flow.events if not one.from_device and one.time <= self.loss.at]
        return self.loss.at - max(sent) if sent else math.inf


@dataclass
class Inquest:
    """Rules over the losses of one device."""

    gone: Callable[[], str]
    """Why the device cannot be had any more; "" while it can."""
    device: str
    lost: Callable[[], Sequence[Lost]] = tuple
    """Every time that it was lost."""
    turns: Turns = field(default_factory=Turns)
    _lines: list[LostLine] = field(default_factory=list)
    _touched: list[_Touched] = field(default_factory=list)
    _ruled: dict[float, int] = field(default_factory=dict)
    """Which line a loss has, by the time of it."""
    _working: asyncio.Task[None] | None = None
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def lines(self) -> list[LostLine]:
        """What is reported of each loss: what no drive saw as well."""
        known = {*self._ruled, *(one.loss.at for one in self._touched)}
        unseen = (one for one in self.lost() if one.at not in known)
        return [*self._lines, *(LostLine(self.device, one.at, one.how, "", "", "", "idle") for one in unseen)]

    async def sound(self, flow: Flow, alone: DriveAlone, again: DriveAgain) -> Flow:
        """``flow``, or what stands in its place if the device was lost in it.

        DeviceError if the device cannot be had any more, and the flow shows no more than that.
        """
        rounds = 0
        while flow.loss is not None and flow.loss.ruling == "beside" and rounds < ROUNDS:
            rounds += 1
            touched = _Touched(flow, flow.loss, alone, again, asyncio.get_running_loop().create_future(), rounds)
            self._touched.append(touched)
            if self._working is None or self._working.done():
                self._working = asyncio.create_task(self._rule())
            flow = await touched.result
        return flow

    async def _rule(self) -> None:
        batch: list[_Touched] = []
        try:
            while self._touched:
                async with self.turns.alone():
                    batch, self._touched = self._touched, []
                    rest = await self._of_batch(batch)
                # Side by side, and not waited for: what the device is lost in once more is brought here again.
                for one in rest:
                    self._again(one)
        except BaseException as error:
            for one in [*batch, *self._touched]:
                if not one.result.done():
                    one.result.set_exception(error)
            raise

    async def _of_batch(self, batch: list[_Touched]) -> list[_Touched]:
        """Find who did it; returns those who did not, and were not driven again yet."""
        by_loss: dict[float, list[_Touched]] = {}
        for one in batch:
            by_loss.setdefault(one.loss.at, []).append(one)
        for at in sorted(by_loss):
            if at not in self._ruled:
                await self._find(sorted(by_loss[at], key=lambda one: one.gap))
        return [one for one in batch if not one.result.done()]

    async def _find(self, near: list[_Touched]) -> None:
        """Drive the suspects of one loss alone, those first whose last message was the latest."""
        first = near[0]
        suspects = [one for one in near if one.gap <= RECENT_S][:SUSPECTS] or [first]
        survived: Flow | None = None
        number = self._ruled[first.loss.at] = len(self._lines)
        self._lines.append(self._line(first, "gone" if self.gone() else "open"))
        for one in suspects:
            if one.result.done():
                continue
            if self.gone():
                break
            flow = await one.alone(Loss(one.loss.at, one.loss.how, one.loss.after, one.loss.event, before=one.flow.id))
            if flow.loss is not None and flow.loss.ruling == "alone":
                self._ruled[flow.loss.at] = number
                self._lines[number] = self._line(one, "killed")
                one.result.set_result(flow)
                return
            survived = survived or flow
        if self.gone():
            first.result.set_result(first.flow)
            self._lines[number] = self._line(first, "gone")
        elif survived is not None and not first.result.done():
            self._lines[number] = self._line(first, "once")
            first.result.set_result(survived)

    def _again(self, one: _Touched) -> None:
        if why := self.gone():
            one.result.set_exception(DeviceError(why, "it was not tested again: repair the device, and run it again"))
            return

        async def drive() -> None:
            try:
                flow = await one.again()
            except BaseException as error:
                if not one.result.done():
                    one.result.set_exception(error)
                if not isinstance(error, Exception):
                    raise
            else:
                one.result.set_result(flow)

        task = asyncio.create_task(drive())
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _line(self, one: _Touched, ruling: LostRuling) -> LostLine:
        return LostLine(
            self.device, one.loss.at, one.loss.how, one.flow.id, one.flow.plan.title, one.loss.after, ruling
        )
