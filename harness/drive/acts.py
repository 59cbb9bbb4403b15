"""What the calling device is made to do later in a call: a re-INVITE, a CANCEL, to hang up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from harness.device import Device
from harness.drive.recorder import Recorder
from harness.errors import SipverdictError
from harness.model.flow import Event, Trouble
from harness.model.plan import Act


@dataclass
class Acts:
    """The acts of one drive, each when its call has reached the planned state; ``troubles`` gets the failures."""

    device: Device
    recorder: Recorder
    troubles: list[Trouble]
    in_progress: int = 0
    """How many the device is being asked for."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def begin(self, act: Act, uri: str) -> None:
        """Do ``act`` in the call to ``uri`` as soon as it can be done."""
        task = asyncio.create_task(self._act(act, uri))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def until_one_is_done(self, seconds: float) -> None:
        """Wait for the first to be over, for no longer than ``seconds``."""
        await asyncio.wait(self._tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)

    def cancel(self) -> None:
        """Do nothing more."""
        for task in self._tasks:
            task.cancel()

    async def _act(self, act: Act, uri: str) -> None:
        """Make the calling device act when the call has reached the planned state."""
        recorder, stimulus = self.recorder, self.device.profile.stimulus
        ready = partial(recorder.saw, _ringing) if act == "cancel" else recorder.invites.established
        if not await recorder.until(ready, stimulus.reaction_s):
            self._trouble("device", f"the call never reached the state for the act {act!r}")
            return
        if act == "reinvite_hangup":
            await self._act("reinvite", uri)
            if not await recorder.until(recorder.invites.reinvited, stimulus.reaction_s):
                return
            act = "hangup"
        self.in_progress += 1
        done, known = False, len(self.recorder.heard)
        try:
            await (self.device.reinvite(uri) if act == "reinvite" else self.device.hangup(uri))
            if stimulus.by_hand:  # the person has not done it yet
                done = await self.recorder.until(partial(_acted, self.recorder, known, act), stimulus.reaction_s)
                if not done:
                    self._trouble("stimulus", f"no person performed the act {act!r} within the time")
        except SipverdictError as error:
            self._trouble("stimulus", f"the device could not be made to {act}: {error.cause}")
        finally:
            self.in_progress -= 1
            await self.device.settled(done)

    def _trouble(self, blame: Literal["device", "stimulus"], text: str) -> None:
        self.troubles.append(Trouble(blame, text))


def _acted(recorder: Recorder, known: int, act: Act) -> bool:
    """Whether the device has done ``act`` since the first ``known`` messages."""
    methods = ("INVITE",) if act == "reinvite" else ("CANCEL", "BYE")
    return any(event.from_device and event.method in methods for event in recorder.heard[known:])


def _ringing(event: Event) -> bool:
    return not event.from_device and event.status in (180, 183)
