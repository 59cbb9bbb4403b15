"""Places the calls of one drive and detects the end of each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import dropwhile, takewhile
from typing import Literal, TypeVar

from harness.device import Device
from harness.device.stimuli.base import user_of
from harness.drive.acts import Acts
from harness.drive.caller import CallerState
from harness.drive.callers import Callers
from harness.drive.recorder import Recorder
from harness.drive.registration import register
from harness.endpoints.host import LiveSeat
from harness.errors import SipverdictError
from harness.model.flow import PlacedCall, Trouble
from harness.model.places import Places
from harness.model.plan import Call, Plan
from harness.system import clock

QUIET_S = 0.3
"""Seconds without a message after which a call with nothing open is over."""
PATIENCE_S = 2.0
"""The same while a caller waits for a final response through the device, which may be that late."""
LEEWAY_S = 2.0
"""Seconds for messages that come at the end of the time that a device may take to answer (``pixit.answer_s``)."""
TIMER_B_S = 32.0
"""Seconds for which a call without an ACK still counts as carried by the device."""
HANG_UP_S = 2.0

Blame = Literal["harness", "device", "stimulus"]
_Asked = TypeVar("_Asked")


@dataclass
class Calling:
    """Places the calls of ``plan``; ``troubles`` holds the failures."""

    plan: Plan
    places: Places
    recorder: Recorder
    device: Device
    slots: asyncio.Semaphore
    """One slot for each call that the device can carry, held during a call."""
    callers: Callers | None
    """The caller; None if the device calls, triggered by its stimulus."""
    seats: Sequence[LiveSeat] = ()
    """The endpoints of the plan, which register where the plan says so."""
    reached: bool = False
    """Whether every call had an effect."""
    calls: list[PlacedCall] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    _acts: Acts = field(init=False)
    _held: int = 0
    """Slots of calls that are still up."""

    def __post_init__(self) -> None:
        self._acts = Acts(self.device, self.recorder, self.troubles)

    async def place_all(self, on_arrival: Callable[[], Awaitable[None]]) -> None:
        """Place every call of the plan, each when the one before is over (or stays up by plan).

        ``on_arrival`` is awaited whenever an INVITE has arrived, or failed to arrive.
        """
        for number, call in enumerate(self.plan.calls):
            await self.recorder.until(lambda: False, max(call.after, self._deaf_s if number else 0.0))
            # A call that is up although it should be over holds the only slot: reuse it.
            if not self._held:
                await self.slots.acquire()
                self._held += 1
            self.reached = await (self._place_through if self.callers else self._place)(call, number)
            await on_arrival()
            if not self.reached:
                return
            patience = self._reaction_s if self._by_hand else 0.0
            # Beyond its plan's own duration.  Then the window begins anyway.
            limit = self.device.profile.answer_s + LEEWAY_S
            await self._until_over(limit + self.plan.busy_seconds() + patience)
            if not self.recorder.invites.standing():
                self._let_go()

    def _let_go(self, *, lost: bool = False) -> None:
        """Free a slot: at once, or when the device must have forgotten a call that it never acknowledged."""
        self._held -= 1
        waits = self.recorder.invites.unacknowledged() or self._may_call_nobody()
        occupied = TIMER_B_S if waits else self._deaf_s
        if not lost and occupied and not self.device.profile.device.per_plan:
            asyncio.get_running_loop().call_later(occupied, self.slots.release)
        else:
            self.slots.release()

    def _may_call_nobody(self) -> bool:
        """Whether the first call may go on at an address of nobody, for as long as an INVITE is repeated."""
        if not self.plan.oddities or len(self.calls) > 1 or self.recorder.invites.count() > 1:
            return False
        # Whoever has acknowledged the odd redirection, and not only the refusal after it, may have followed it.
        followed = dropwhile(lambda event: event.fate != "changed", self.recorder.heard)
        odd = next(followed, None)
        until_refused = takewhile(lambda event: event.from_device or event.fate == "changed", followed)
        return odd is not None and (odd.status or 0) < 400 and any(event.method == "ACK" for event in until_refused)

    async def end(self, seats: list[LiveSeat], *, lost: bool = False) -> None:
        """End the calls that are still up after the window.  The device's response to the BYE is evidence, too.

        ``lost``: there is no device any more to respond, or to remember a call.
        """
        self._acts.cancel()
        standing = [] if lost else self.recorder.invites.standing()
        for seat_name, call_id in standing:
            for seat in seats:
                if seat.name == seat_name:
                    seat.wake()
                    seat.hang_up(call_id)
        if standing:
            await self.recorder.until(lambda: not self.recorder.invites.standing(), HANG_UP_S)
        while self._held:
            self._let_go(lost=lost)

    @property
    def _reaction_s(self) -> float:
        """Seconds from asking the device for a call until its INVITE must arrive."""
        return self.device.profile.stimulus.reaction_s

    @property
    def _deaf_s(self) -> float:
        """Seconds after a call in which the device takes no order for the next one."""
        return 0.0 if self.callers else self.device.profile.busy_tone_s

    @property
    def _patience_s(self) -> float:
        """Seconds without a message after which a call with no final response is given up."""
        rings_by_itself = self.callers is not None and self.callers.role in ("uas", "redirect") and self.plan.watched
        return max(self.device.profile.answer_s, PATIENCE_S) if rings_by_itself else PATIENCE_S

    @property
    def _by_hand(self) -> bool:
        return self.device.profile.stimulus.by_hand

    async def _place(self, call: Call, number: int) -> bool:
        known, before = self.recorder.invites.count(), len(self.recorder.heard)
        if not await self._ask(self._ask_device(call), number):
            return False
        came = False
        try:
            came = await self.recorder.until(lambda: self.recorder.invites.count() > known, self._reaction_s)
        finally:
            await self.device.settled(came)
        if not came:
            late = f"no INVITE arrived within {self._reaction_s:g} s"
            if self._by_hand:
                self._trouble("stimulus", f"no person placed the call: {self.calls[-1].uri} was requested, and {late}")
            else:
                remark = f" ({remark})" if (remark := self.device.remark()) else ""
                remark += self._handshakes()
                if self.device.profile.calls_at_once == 1 and not self._deaf_s:
                    remark += "; if it takes no order for a time after a call, its profile says so: pixit.busy_tone_s"
                self._trouble("device", f"the device did not call: call {number + 1} was requested, and {late}{remark}")
            return False
        return not self._misdialled(before)

    def _handshakes(self) -> str:
        """What became of connections over TLS that were not established: which certificate whom did not please."""
        of_seats = (one.trouble for seat in self.seats for one in seat.evidence().connections)
        failed = [trouble for trouble in of_seats if trouble.startswith("TLS handshake")]
        return f"; {failed[-1]} (lab.tls: whose certificates both sides trust)" if failed else ""

    def _misdialled(self, before: int) -> bool:
        """Whether a person dialled a wrong number.  The drive then says nothing about its plan."""
        if not self._by_hand:
            return False
        wanted = user_of(self.calls[-1].uri)
        arrived = next(
            event for event in self.recorder.heard[before:] if event.from_device and event.method == "INVITE"
        )
        dialled = user_of(arrived.request_uri)
        if wanted in dialled:  # a prefix of the phone's own dial plan may stand before it
            return False
        self._trouble("stimulus", f"a wrong number was dialled: {dialled or arrived.request_uri!r} instead of {wanted}")
        self.recorder.disown()
        return True

    async def _place_through(self, call: Call, number: int) -> bool:
        """Have a SIPp call through the device; return whether the device answered or passed a request on."""
        assert self.callers is not None
        if number == 0 and not await self._registered():
            return False
        uri, placed_at, known = self.places.fill(call.to), clock.now(), len(self.recorder.heard)
        asked = await self._ask(self.callers.call(call), number)
        if not asked:
            return False
        self.calls.append(PlacedCall(uri, placed_at, "a SIPp caller through it"))
        passed_on = partial(_passed_on, self.recorder, known, call.method)
        declines = bool(self.device.profile.declined_on_request() & set(call.numbers))
        reached = await self.recorder.until(lambda: asked.reached or passed_on(), self._reaction_s)
        if declines and not asked.status:
            # A phone may ring without a 180, so decline now in any case.
            return await self._decline(asked, known)
        if not reached:
            late = f"it neither answered the {call.method} of call {number + 1} nor passed it on"
            self._trouble("device", f"{late} within {self._reaction_s:g} s")
            return False
        return True

    async def _decline(self, asked: CallerState, known: int) -> bool:
        """Make the device decline the incoming call; return whether it did."""
        invite = next((event for event in self.recorder.heard[known:] if event.method == "INVITE"), None)
        if invite is None:
            self._trouble("harness", "the caller's INVITE was not seen")
            return False
        declined = False
        try:
            await self.device.reject(invite.from_uri)
            declined = await self.recorder.until(lambda: bool(asked.status), self._reaction_s)
        except SipverdictError as error:
            self._trouble("stimulus", f"the device could not be made to decline: {error.cause}")
            return False
        finally:
            await self.device.settled(declined)
        if not declined:
            said = f"it was asked to decline the call, but sent no final response within {self._reaction_s:g} s"
            self._trouble("stimulus" if self._by_hand else "device", said)
        return declined

    async def _registered(self) -> bool:
        """Register the plan's bindings where the device is a registrar; return whether it accepted them."""
        if not (self.plan.bindings and self.device.profile.lab.registrar):
            return True
        who, status = await register(self.plan.bindings, self.seats, self.places, self.recorder, self._reaction_s)
        if not status:
            late = f"it did not answer the REGISTER of {who} within {self._reaction_s:g} s"
            self._trouble("device", f"{late}, so no call was made")
        elif status >= 300:
            self._trouble("stimulus", f"it answered the REGISTER of {who} {status}, so no call was made")
        return 200 <= status < 300

    async def _ask(self, asking: Awaitable[_Asked], number: int) -> _Asked | None:
        try:
            return await asking
        except SipverdictError as error:
            blame: Blame = "stimulus" if self.device.alive() else "device"
            self._trouble(blame, f"call {number + 1} could not be requested: {error.cause}")
            return None

    async def _ask_device(self, call: Call) -> bool:
        uri, placed_at = self.places.fill(call.to), clock.now()
        await self.device.call(uri)
        how = self.device.stimulus.name if self.device.stimulus else "its stimulus"
        self.calls.append(PlacedCall(uri, placed_at, how))
        if call.act != "none":
            self._acts.begin(call.act, uri)
        return True

    async def _until_over(self, limit: float) -> None:
        """Return when no call is in progress and no message has arrived for a moment, or at the limit."""
        loop, recorder = asyncio.get_running_loop(), self.recorder
        deadline = loop.time() + limit
        while loop.time() < deadline:
            if recorder.invites.busy():
                await recorder.until(lambda: not recorder.invites.busy(), deadline - loop.time())
                continue
            if self._acts.in_progress:
                await self._acts.until_one_is_done(deadline - loop.time())
                continue
            quiet_until = recorder.last_message_at + (self._patience_s if recorder.pending() else QUIET_S)
            if loop.time() >= quiet_until:
                return
            await recorder.until(partial(_more_than, recorder, len(recorder.heard)), quiet_until - loop.time())

    def _trouble(self, blame: Blame, text: str) -> None:
        self.troubles.append(Trouble(blame, text))


def _more_than(recorder: Recorder, messages: int) -> bool:
    return len(recorder.heard) > messages


def _passed_on(recorder: Recorder, known: int, method: str) -> bool:
    """Whether a request of this method has arrived since the first ``known`` messages."""
    return any(
        event.from_device and event.method == method and event.seat not in recorder.callers
        for event in recorder.heard[known:]
    )
