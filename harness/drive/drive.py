"""One drive of one plan: seats, calls, the window, a sign of life, and the flow that comes of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from harness.device import Device
from harness.device.process import Death
from harness.drive.bench import BoundSeat
from harness.drive.caller import Asked
from harness.drive.calling import Calling
from harness.drive.captured import Heard
from harness.drive.lab import check_ports
from harness.drive.priority import URGENT, turn_of
from harness.drive.recorder import KEPT_OF_A_KIND, Recorder
from harness.endpoints.sipp.process import PortTaken
from harness.errors import DeviceError, SipverdictError
from harness.lab.exchange import Line
from harness.model.flow import Control, Flow, LifeSign, Trouble, Unreadable, Watch
from harness.model.plan import Call, Endpoint, Places, Plan
from harness.net.address import Address, Transport
from harness.system.disk import disk_errors

if TYPE_CHECKING:
    from harness.drive.station import Station

LATE_COPIES_S = 35.0
"""How much later the window may begin because copies of a final response are still sent: 64*T1 and some."""
MOST_UNREADABLE = 100
"""How many datagrams that are no SIP a flow keeps."""


@dataclass
class Drive:
    """Drives one plan once.  Everything that goes wrong on the way is put into the flow as a trouble."""

    station: Station
    plan: Plan
    role: str
    transport: Transport
    attempt: int = 0
    urgent: bool = False
    """Others wait for it."""
    recorder: Recorder = field(init=False)
    troubles: list[Trouble] = field(default_factory=list)
    seats: list[BoundSeat] = field(default_factory=list)
    places: Places = field(init=False)
    id: str = field(init=False)
    device: Device | None = None
    calling: Calling | None = None
    _chosen: Device | None = None
    """The device of this drive, which may not have been started yet."""
    _tried: int = 0
    """How many INVITE transactions had arrived when the calls were over."""
    _over_at: float | None = None
    """When the calls were over for their callers: the last final response, or else the last message."""
    _began_at: float = 0.0
    """When the device was ready for this drive."""

    def __post_init__(self) -> None:
        self.station.progress.planned_drives += 1
        token = self.station.new_token()
        self.id = self.station.new_id(self.role, token, self.attempt)
        self.places = Places(token)
        self.recorder = Recorder(self.plan, self._on_heard)

    async def run(self) -> Flow:
        """Drive the plan; the flow holds whatever came of it."""
        callers = len(self.plan.calls) if self._called else 0
        life: LifeSign | None = None
        watch: Watch | None = None
        async with contextlib.AsyncExitStack() as room:
            # Outside of what becomes a flow: a plan for which there never is room is a mistake of the set-up.
            await room.enter_async_context(self.station.lab.room_for(len(self.plan.endpoints) + callers))
            try:
                try:
                    watch = await self._call_and_watch()
                finally:
                    # What a sign of life needs (a slot, addresses, room) is given back before it is asked for.
                    await self._leave()
                    await room.aclose()
                # A device that ended and was started again is another life.
                if self.plan.watched and self.device is not None and not self._death():
                    life = await self.station.sign_of_life(self.device, watch.closed_at)
            except SipverdictError as error:
                hint = f" ({error.hint})" if error.hint else ""
                self._trouble(_blame(error), f"{error.cause}{hint}")
            finally:
                flow = await self._close(life, watch or Watch(self.station.window, None, time.time()))
        self.station.bench.check_disk()
        return flow

    async def _call_and_watch(self) -> Watch:
        try:
            await self._make_calls()
        finally:
            self.station.progress.driven += 1
        self._tried, self._over_at = self.recorder.invites(), self._callers_over_at()
        if self.plan.watched:
            await self._watch()
        # A copy that comes later begins no new window.
        return Watch(self.station.window, self._last_final_at(), time.time())

    @property
    def _called(self) -> bool:
        """Whether a SIPp calls the device, or somebody through it; else the device is made to call by itself."""
        return self.role != "uac"

    async def _make_calls(self) -> None:
        # A few drives at a time are set up, until the first INVITE is there: a device that meets a crowd is late, and
        # the first windows are to open early.
        async with contextlib.AsyncExitStack() as setting_up:
            turn = URGENT if self.urgent else turn_of(self.plan)
            for turns in (self.station.setting_up, self.station.bench.setting_up):
                await setting_up.enter_async_context(turns.taken(turn))
            # Before anything is dialled.
            await self.station.bench.on_free_port(self._take_seats, self.station.lab.pool)
            self.station.enrol(self.places.token, self.recorder)
            self.device = await self._device()
            self._began_at = time.time()
            through = self._through if self._called else None
            self.calling = Calling(self.plan, self.places, self.recorder, self.device, self.station.slots, through)
            await self.calling.place_all(setting_up.aclose)

    # --- seats

    async def _take_seats(self) -> None:
        """Bind every endpoint at addresses of this drive; what comes to nothing is given back."""
        own: dict[str, Address] = {}
        try:
            await self._bind(own)
        except BaseException:
            bound = [seat.process.own for seat in self.seats]
            for address in own.values():
                if address not in bound:
                    self.station.lab.pool.give_back(address)
            raise

    async def _bind(self, own: dict[str, Address]) -> None:
        pool, exchange = self.station.lab.pool, self.station.lab.exchange
        for endpoint in self.plan.endpoints:
            own[endpoint.name] = pool.beside(own[endpoint.beside]) if endpoint.beside else pool.lease()
        seats = dict(own)
        if exchange:
            # What is dialled goes to the exchange, which knows by its digits where to.
            seats |= dict.fromkeys(self.plan.dialled, exchange.address)
        await self._dismiss()
        self._chosen = self.station.device or self.station.make_device(self._peer(seats))
        device, token = self._chosen.address, self.places.token
        self.places = Places(token, seats, device, self.station.numbers(token, device))
        check_ports(self.plan, {**seats, "device": device})
        bound = await asyncio.gather(*(self._seat(e, own[e.name]) for e in self.plan.endpoints), return_exceptions=True)
        order = [endpoint.name for endpoint in self.plan.endpoints]
        self.seats.sort(key=lambda seat: order.index(seat.name))
        problems = [problem for problem in bound if problem is not None]
        if any(isinstance(problem, PortTaken) for problem in problems):
            await asyncio.gather(*(one.stop() for one in self.seats))
            self.seats = []
        # Another problem than a port that was taken cannot be helped by another port.
        for problem in sorted(problems, key=lambda problem: isinstance(problem, PortTaken)):
            raise problem
        if exchange:
            callee = next((own[name] for name in self.plan.dialled), None)
            exchange.connect(token, Line(callee, {seats[name]: own[name] for name in own}))

    async def _seat(self, endpoint: Endpoint, own: Address) -> None:
        """Bind one endpoint; at once among the seats, so that it ends with them whatever becomes of the others."""
        methods = {call.method for call in self.plan.calls}
        seat = self.station.bench.seat(self.id, endpoint, self.places, self._hear, methods=methods, own=own)
        self.seats.append(await seat)

    def _hear(self, heard: Heard) -> None:
        self.recorder.hear(heard)

    async def _device(self) -> Device:
        if self.station.device is not None:
            return await self.station.ready_device()
        device = self._chosen
        assert device is not None
        # Starting costs the machine more than a call does: no more at a time than may call at a time.
        async with self.station.slots:
            with disk_errors():
                await device.start()
        return device

    def _peer(self, seats: Mapping[str, Address]) -> Address:
        """To whom a device that is started for this drive alone sends its calls: somewhere, if the plan has nobody."""
        return seats.get("callee") or next(iter(seats.values()), None) or self.station.lab.pool.lease()

    async def _through(self, call: Call, number: int) -> Asked:
        """Have a SIPp call through the device."""
        name = "caller" if number == 0 else f"caller{number + 1}"
        bindings = self.plan.bindings if number == 0 and self.station.spec.profile.lab.registrar else ()
        # Where the device answers calls itself, nobody else would end one that it accepts.
        hangs_up = call.act == "hangup" or self.role in ("uas", "redirect")
        asked = self.recorder.asked[name] = Asked(
            call, time.time(), bool(bindings), hangs_up, self.station.lab.credentials is not None
        )
        seat = await self.station.bench.call(
            self.id,
            name,
            call,
            self.places,
            self._hear,
            bindings=bindings,
            hangs_up=hangs_up,
            statuses=self.plan.statuses,
            way=self.station.lab.way(self.places.token),
        )
        self.seats.append(seat)
        return asked

    # --- the window

    async def _watch(self) -> None:
        """Keep the seats listening until the window is over, counted from the last copy of the last final response."""
        loop, progress, window = asyncio.get_running_loop(), self.station.progress, self.station.window.seconds
        # Where an ACK is missing copies go on, and their timing is part of the evidence.
        if not self.recorder.unacknowledged():
            for seat in self.seats:
                seat.process.rest()
        # A device that does not acknowledge is sent copies for 32 s; the window begins with the last one.
        give_up = loop.time() + window + LATE_COPIES_S
        progress.waited += window
        while (opened_at := self._last_final_at()) is not None:
            # A little more than the window, so that no rounding makes it shorter.
            left = min(opened_at + window + 0.02 - time.time(), give_up - loop.time())
            if left <= 0:
                return
            progress.watching_until = max(progress.watching_until, time.time() + left)
            await self.recorder.until(partial(self._final_after, opened_at), left)

    def _death(self) -> Death | None:
        return self.station.death_since(self._began_at, self.device) if self.device else None

    def _final_after(self, moment: float) -> bool:
        return (self._last_final_at() or moment) > moment

    def _last_final_at(self) -> float | None:
        # What the device tries, or answers, while it is watched is evidence, and begins no new window.
        moments = self.recorder.last_final_at(self._tried), self._over_at
        return max(filter(None, moments), default=None)

    def _callers_over_at(self) -> float | None:
        """When the calls of SIPp callers were over; None without any, and if nothing came of one.

        The first copy counts of a final response that the device itself sends: that it is repeated is evidence.
        """
        if not self._called or self.calling is None or not self.calling.reached:
            return None
        if self.recorder.pending():
            return max(heard.traced.time for heard in self.recorder.heard)
        return self.recorder.answered_at()

    # --- the evidence

    async def _leave(self) -> None:
        """End the calls, stop the seats, and read what is left of their traces."""
        if self.calling is not None:
            await self.calling.end(self.seats)
            self.troubles += self.calling.troubles
        await asyncio.gather(*(seat.stop() for seat in self.seats))
        if self.station.lab.exchange:
            self.station.lab.exchange.disconnect(self.places.token)
        for seat in self.seats:
            self.station.lab.pool.give_back(seat.process.own)

    async def _dismiss(self) -> None:
        """End the device of this drive, if it has one of its own."""
        if self._chosen is not None and self._chosen is not self.station.device:
            await self.station.dismiss(self._chosen)
            self._chosen = None

    async def _close(self, life: LifeSign | None, watch: Watch) -> Flow:
        """Put it all together."""
        self._chosen = self._chosen or self.station.device or self.station.make_device(None)
        identity = self.station.identity(self._chosen)
        await self._dismiss()
        if death := self._death():
            self._trouble("device", f"the device {death} by itself, {death.at - self._began_at:.1f} s into this drive")
        for seat in self.seats:
            if seat.process.lost_at is not None:
                self._trouble("harness", f"the SIPp at {seat.name} ended by itself (status {seat.process.status})")
        seats = tuple(seat.evidence() for seat in self.seats)
        unreadable = [Unreadable(seat.name, text) for seat in self.seats for text in seat.process.unreadable()]
        if self.recorder.dropped:
            told = ", ".join(f"{count} {what} at {seat}" for (seat, what), count in self.recorder.dropped.items())
            self._trouble("device", f"more came than a flow keeps ({KEPT_OF_A_KIND} of a kind): besides, {told}")
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
            calls=tuple(self.calling.calls) if self.calling else (),
            events=self.recorder.events(),
            watch=watch,
            controls=tuple(self.station.controls.values()),
            life=life,
            troubles=tuple(self.troubles),
            unreadable=tuple(unreadable[:MOST_UNREADABLE]),
            unreadable_left_out=max(len(unreadable) - MOST_UNREADABLE, 0),
        )

    def _on_heard(self, heard: Heard) -> None:
        self.station.heard(heard)
        if heard.message.method == "INVITE" and heard.traced.direction == "received":
            for seat in (*self.seats, self.station.backup):
                if seat is not None and seat.name == heard.seat and seat.kind != "caller":
                    self.station.note(Control(seat.kind, seat.address, heard.traced.time, self.id))

    def _trouble(self, blame: Literal["harness", "device", "stimulus"], text: str) -> None:
        self.troubles.append(Trouble(blame, text))


def _blame(error: SipverdictError) -> Literal["harness", "device"]:
    return "device" if isinstance(error, DeviceError) else "harness"
