"""One drive of one plan: seats, calls, the window, a sign of life, and the flow that comes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from harness.device import Device
from harness.drive.bench import BoundSeat
from harness.drive.ordering import in_causal_order
from harness.drive.recorder import Heard, Recorder
from harness.errors import SipverdictError
from harness.flow import Control, Event, Flow, LifeSign, PlacedCall, Seat, Trouble, Watch
from harness.plan import Address, Call, Places, Plan
from harness.sipp.process import REST_NS

if TYPE_CHECKING:
    from harness.drive.station import Station

REACTION_S = 5.0
"""How long a device that was asked to call may take until its INVITE arrives."""
QUIET_S = 0.3
"""A call is over when nothing more is open and nothing has arrived for so long."""
LATE_COPIES_S = 10.0
"""How much later the window may begin because copies of a final response are still sent."""
CALL_LIMIT_S = 12.0
"""How long a call may go on beyond what its plan takes: then the window begins all the same."""


@dataclass
class Drive:
    """Drives one plan once.  Everything that goes wrong on the way is put into the flow as a trouble."""

    station: Station
    plan: Plan
    role: str
    transport: str
    attempt: int = 0
    recorder: Recorder = field(init=False)
    troubles: list[Trouble] = field(default_factory=list)
    calls: list[PlacedCall] = field(default_factory=list)
    seats: list[BoundSeat] = field(default_factory=list)
    places: Places = field(init=False)
    id: str = field(init=False)
    _acts: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        token = self.station.new_token()
        self.id = self.station.new_id(self.role, token, self.attempt)
        self.places = Places(token)
        self.recorder = Recorder(self.plan, self._on_heard)

    async def run(self) -> Flow:
        """Drive the plan; the flow holds whatever came of it."""
        callers = len(self.plan.calls) if self.role == "b2bua" else 0
        async with self.station.bench.room_for(len(self.plan.endpoints) + callers):
            return await self._run()

    async def _run(self) -> Flow:
        device: Device | None = None
        life: LifeSign | None = None
        closed_at: float | None = None
        try:
            await self._take_seats()
            self.station.enrol(self.places.token, self.recorder)
            device = await self._device()
            for number, call in enumerate(self.plan.calls):
                await self._place(device, call, number)
            self.station.progress.driven += 1
            if self.plan.watched:
                await self._watch()
            closed_at = time.time()
            if self.plan.watched:
                life = await self.station.sign_of_life(device, closed_at)
        except SipverdictError as error:
            self._trouble(_blame(error), str(error))
        finally:
            for act in self._acts:
                act.cancel()
            flow = await self._close(device, life, closed_at or time.time())
        return flow

    # --- seats

    async def _take_seats(self) -> None:
        """Bind every endpoint before anything is dialled."""
        seats: dict[str, Address] = {}
        for endpoint in self.plan.endpoints:
            if endpoint.beside:
                seats[endpoint.name] = Address(seats[endpoint.beside].host, 5070, self.transport)
            else:
                seats[endpoint.name] = self.station.bench.pool.lease()
        self.places = Places(self.places.token, seats)
        bound = await asyncio.gather(
            *(
                self.station.bench.seat(self.id, endpoint, self.places, self._hear)
                for endpoint in self.plan.endpoints
            ),
            return_exceptions=True,
        )
        self.seats += [seat for seat in bound if isinstance(seat, BoundSeat)]
        for problem in bound:
            if isinstance(problem, BaseException):
                raise problem

    def _hear(self, heard: Heard) -> None:
        self.recorder.hear(heard)

    async def _device(self) -> Device:
        if self.station.device is not None:
            return await self.station.ready_device()
        device = self.station.make_device(self.places.seats["callee"])
        # Starting costs the machine more than a call does: no more at a time than may call at a time.
        async with self.station.slots:
            await device.start()
        return device

    # --- calls

    async def _place(self, device: Device, call: Call, number: int) -> None:
        """Have the device place one call, and wait until it is over."""
        if call.after:
            await self._until(lambda: False, call.after)
        async with self.station.slots:
            known = self.recorder.invites()
            try:
                await self._ask(device, call, number)
            except SipverdictError as error:
                died = not device.alive()
                self._trouble("device" if died else "stimulus", f"call {number + 1} could not be asked for: {error.cause}")
                return
            if not await self._until(lambda: self.recorder.invites() > known, REACTION_S):
                self._trouble("device", f"no INVITE arrived within {REACTION_S:g} s of asking for call {number + 1}")
                return
            await self._until_over(CALL_LIMIT_S + self.plan.busy_seconds())

    async def _ask(self, device: Device, call: Call, number: int) -> None:
        uri = self.places.fill(call.to)
        if self.role == "b2bua":
            name = "caller" if number == 0 else f"caller{number + 1}"
            placed_at = time.time()
            caller = await self.station.bench.call(self.id, name, call, uri, device.address, self._hear)
            self.seats.append(caller)
            self.calls.append(PlacedCall(uri, placed_at, "a SIPp caller through it"))
            return
        placed_at = time.time()
        await device.call(uri)
        self.calls.append(PlacedCall(uri, placed_at, device.stimulus.name if device.stimulus else "its stimulus"))
        if call.act != "none":
            act = asyncio.create_task(self._act(device, call.act, uri))
            self._acts.add(act)

    async def _act(self, device: Device, act: Literal["reinvite", "cancel", "hangup"], uri: str) -> None:
        """Make the calling device do its part once the call is there."""
        ready = _ringing if act == "cancel" else _acked
        try:
            if await self._until(lambda: self.recorder.saw(ready), REACTION_S):
                await (device.reinvite(uri) if act == "reinvite" else device.hangup(uri))
            else:
                self._trouble("device", f"it never came to the point where it was to {act}")
        except SipverdictError as error:
            self._trouble("stimulus", f"the device could not be made to {act}: {error.cause}")

    async def _until_over(self, limit: float) -> None:
        """Return when no call is going on and it has been quiet for a moment, or at the limit."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + limit
        while loop.time() < deadline:
            if self.recorder.busy():
                await self._until(lambda: not self.recorder.busy(), deadline - loop.time())
                continue
            quiet_until = self.recorder.last_message_at + QUIET_S
            if loop.time() >= quiet_until:
                return
            heard = len(self.recorder.heard)
            await self._until(partial(self._heard_more_than, heard), quiet_until - loop.time())

    def _heard_more_than(self, messages: int) -> bool:
        return len(self.recorder.heard) > messages

    # --- the window

    async def _watch(self) -> None:
        """Keep the seats listening until the window is over, counted from the last copy of the last final response."""
        loop, progress, window = asyncio.get_running_loop(), self.station.progress, self.station.window.seconds
        for seat in self.seats:
            seat.process.relax(REST_NS)
        # A device that never acknowledges is sent copies for 32 s: it is not waited for so long.
        give_up = loop.time() + window + LATE_COPIES_S
        progress.waited += window
        while (opened_at := self.recorder.last_final_at()) is not None:
            # A little more than the window, so that no rounding makes it shorter.
            left = min(opened_at + window + 0.02 - time.time(), give_up - loop.time())
            if left <= 0:
                return
            progress.watching_until = max(progress.watching_until, time.time() + left)
            await self._until(partial(self._final_after, opened_at), left)

    def _final_after(self, moment: float) -> bool:
        return (self.recorder.last_final_at() or moment) > moment

    async def _until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until ``condition`` holds, looking when a message arrives; at the deadline, whether it does."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not condition():
            self.recorder.changed.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self.recorder.changed.wait()
            except TimeoutError:
                return condition()
        return True

    # --- the evidence

    async def _close(self, device: Device | None, life: LifeSign | None, closed_at: float) -> Flow:
        """Stop the seats, read what is left of their traces, and put it all together."""
        await asyncio.gather(*(seat.stop() for seat in self.seats))
        identity = self.station.identity(device) if device else self.station.identity(self.station.make_device(None))
        if device is not None and device is not self.station.device:
            await device.stop()
        if device is not None and device.death:
            self._trouble("device", f"the device {device.death} by itself")
        seats = tuple(seat.evidence() for seat in self.seats)
        unreadable = tuple(f"at {seat.name}: {text}" for seat in self.seats for text in seat.process.unreadable())
        if self.plan.uses_backup and self.station.backup:
            seats += (self.station.backup.evidence(),)
        self.station.progress.complete += 1
        return Flow(
            id=self.id,
            plan=self.plan,
            role=self.role,
            transport=self.transport,
            device=identity,
            places=self.places,
            seats=seats,
            calls=tuple(self.calls),
            events=self._events(),
            watch=Watch(self.station.window, self.recorder.last_final_at(), closed_at),
            controls=tuple(self.station.controls.values()),
            life=life,
            troubles=tuple(self.troubles),
            unreadable=unreadable,
        )

    def _events(self) -> tuple[Event, ...]:
        heard = in_causal_order(self.recorder.heard, self.plan)
        return tuple(
            Event(
                raw=one.traced.raw,
                number=number,
                time=one.traced.time,
                seat=one.seat,
                direction=one.traced.direction,
                transport=one.traced.transport,
            )
            for number, one in enumerate(heard, 1)
        )

    def _on_heard(self, heard: Heard) -> None:
        self.station.heard(heard)
        if heard.message.method == "INVITE" and heard.traced.direction == "received":
            for seat in (*self.seats, self.station.backup):
                if seat is not None and seat.name == heard.seat:
                    self.station.note(Control(seat.kind, seat.address, heard.traced.time, self.id))

    def _trouble(self, blame: Literal["harness", "device", "stimulus"], text: str) -> None:
        self.troubles.append(Trouble(blame, text))


def _blame(error: SipverdictError) -> Literal["harness", "device"]:
    from harness.errors import DeviceError

    return "device" if isinstance(error, DeviceError) else "harness"


def _ringing(heard: Heard) -> bool:
    return heard.traced.direction == "sent" and heard.message.status in (180, 183)


def _acked(heard: Heard) -> bool:
    return heard.traced.direction == "received" and heard.message.method == "ACK"


__all__ = ["Drive", "Seat"]
