"""Whether the device is still there: its process, its port, its answers.  What happened is known at once, and once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from harness.device import Device
from harness.model.flow import Event, Loss
from harness.net.address import Address
from harness.net.probe import Pings
from harness.system import clock

QUIET_S: Final = 1.0
"""A device that said nothing for so long is asked whether it is there."""
HANGS_S: Final = 5.0
"""One that answers OPTIONS, and has answered and sent nothing for so long, hangs.  A slower one is slow."""
STARVED_S: Final = 1.0
"""One that had to wait so long for a processor while it was asked, on a machine of ours, is slow by our doing."""
REFUSES_S: Final = 0.1
"""How long the kernel may take to say that a port is closed."""
CLOSED_S: Final = 0.5
"""How long an answer may still take after the kernel has said that the port is closed."""
LAST_WORDS_S: Final = 0.3
"""How long a drive goes on after the device was lost: what it had sent by then is read, and its end is the evidence."""
RETURNS_S: Final = 10.0
"""How long a device that the suite did not start may take to come back, before the run goes on without it."""

T = TypeVar("T")


@dataclass(frozen=True)
class Lost:
    """A device was lost."""

    at: float
    how: str
    device: Device


@dataclass
class Vigil:
    """Notes every loss of the device under test; :meth:`keep` looks after one that all drives share."""

    name: str
    prober: Pings
    last_heard: Callable[[], float]
    """When anything of the device arrived (seconds since the epoch)."""
    on_news: Callable[[str], None] = lambda _text: None
    """Hears of a loss as soon as it is known."""
    losses: list[Lost] = field(default_factory=list)
    places: set[Address] = field(default_factory=set)
    """Where the device is; another port that it closes is its own affair."""
    gone: str = ""
    """Why the device cannot be had any more; "" while it can."""
    _answers: bool = False
    """Whether it has ever answered an OPTIONS."""
    starts: int = 0
    """How often the device has been started: what was asked of the one before says nothing of this one."""
    starting: bool = False
    _refused: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _down: bool = False
    _returned: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def down(self) -> bool:
        """Whether a device that still seems to run is lost: it hangs, or it is not the suite that started it."""
        return self._down

    def came_back(self) -> None:
        """The device is there again."""
        self._down = False
        self._returned.set()

    def note(self, lost: Lost) -> None:
        """The device was lost."""
        self.losses.append(lost)
        self.on_news(f"{self.name} {lost.how}")
        self._news.set()
        self._news = asyncio.Event()

    def since(self, moment: float, device: Device) -> Lost | None:
        """The first time that ``device`` was lost after ``moment``; it may be there again by now."""
        return next((one for one in self.losses if one.device is device and one.at >= moment), None)

    async def news(self) -> None:
        """Return when a device is lost."""
        await self._news.wait()

    async def while_there(self, work: Coroutine[Any, Any, T], lost: Callable[[], Lost | None]) -> T | None:
        """What comes of ``work``; None if the device was lost meanwhile: there is nothing left to watch."""
        working, losing = asyncio.ensure_future(work), asyncio.ensure_future(self._until(lost))
        try:
            await asyncio.wait({working, losing}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                await asyncio.wait({working}, timeout=LAST_WORDS_S)
            return working.result() if working.done() else None
        finally:
            for task in (working, losing):
                task.cancel()
            await asyncio.gather(working, losing, return_exceptions=True)

    async def _until(self, lost: Callable[[], Lost | None]) -> None:
        while not lost():
            await self.news()

    def refused(self, to: Address) -> None:
        """The kernel said that nobody has the port at ``to`` any more (ICMP)."""
        if to in self.places:
            self._refused.set()

    async def keep(self, device: Callable[[], Device | None]) -> None:
        """Look after the shared device until cancelled."""
        # At once, while it is sure to be there: only of one that answers OPTIONS does silence say that it hangs.
        if (first := device()) is not None:
            self._answers = await self.prober.ping(first.address, HANGS_S) is not None
        while True:
            began = clock.now()
            try:
                async with asyncio.timeout(QUIET_S):
                    await self._refused.wait()
            except TimeoutError:
                pass
            refused = self._refused.is_set()
            self._refused.clear()
            one = device()
            if one is None or self.starting or not one.alive():
                continue
            self.places = {one.address}
            # A machine that does not even let this task run at its time says nothing of the device.
            late = clock.now() - began > 2 * QUIET_S
            if late or (not refused and not self.down and clock.now() - self.last_heard() < QUIET_S):
                continue
            await self._ask(one)

    async def back(self) -> bool:
        """Wait for a device that the suite did not start; whether it came back."""
        try:
            async with asyncio.timeout(RETURNS_S):
                if self._down:
                    await self._returned.wait()
        except TimeoutError:
            return False
        return True

    @property
    def _there(self) -> bool:
        """Whether the device was ever there: what never was cannot be lost."""
        return self._answers or self.last_heard() > 0

    async def _ask(self, device: Device) -> None:
        asked_at, start, waited = clock.now(), self.starts, device.waited_for_cpu()
        asking = asyncio.ensure_future(self.prober.ping(device.address, HANGS_S))
        refused = stalled = False
        try:
            while not asking.done() and not refused:
                looked_at = clock.now()
                refused = await self.prober.refused_by(device.address, REFUSES_S)
                await asyncio.wait({asking}, timeout=CLOSED_S)
                # While this thread judges, or gets no processor, an answer lies unread.
                stalled = stalled or clock.now() - looked_at > REFUSES_S + CLOSED_S + STARVED_S
            answered = asking.done() and asking.result() is not None
        finally:
            asking.cancel()
        if self.starting or self.starts != start:
            return
        self._answers = self._answers or answered
        starved = stalled or device.waited_for_cpu() - waited >= STARVED_S
        if answered or self.last_heard() > asked_at:
            self.came_back()
        elif not self._there or self.down or not device.alive():
            return
        elif refused or (self._answers and clock.now() - asked_at >= HANGS_S and not starved):
            self._down = True
            self._returned.clear()
            refusal = "connection refused" if device.address.reliable else "ICMP port unreachable"
            how = f"closed its port ({refusal})" if refused else f"answered nothing for {HANGS_S:g} s"
            self.note(Lost(asked_at, how, device))


def loss_of(lost: Lost | None, events: Sequence[Event], suspicion: Loss | None) -> Loss | None:
    """What a flow of ``events`` says of the loss; None if the device was there throughout.

    ``suspicion``: how it was lost in the drive before of the same plan, which this one is to confirm.
    """
    if lost is None:
        return replace(suspicion, ruling="once") if suspicion else None
    last = next((one for one in reversed(events) if not one.from_device and one.time <= lost.at), None)
    after, number = (f"{last.label} ({last.start_line})", last.number) if last else ("", None)
    if suspicion:
        return Loss(lost.at, lost.how, after, number, "alone", suspicion.before)
    return Loss(lost.at, lost.how, after, number)
