"""One drive of one plan: seats, calls, the window, a sign of life, and the flow that comes of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from harness.device import Device
from harness.drive.backup import ENDPOINT
from harness.drive.bench import on_free_port
from harness.drive.callers import Callers
from harness.drive.calling import Calling
from harness.drive.carried import carried
from harness.drive.context import Controls, DriveContext
from harness.drive.domain import as_driven
from harness.drive.priority import URGENT, priority_of
from harness.drive.recorder import KEPT_OF_A_KIND, Recorder
from harness.drive.seating import Seating
from harness.drive.vigil import Lost, loss_of
from harness.drive.window import OpenWindow
from harness.endpoints.tap.tap import Listener
from harness.errors import DeviceError, SipverdictError
from harness.model.flow import Control, Event, Flow, LifeSign, Loss, Seat, Trouble, Watch
from harness.model.places import Places
from harness.model.plan import Plan
from harness.model.weather import Forecast
from harness.net.address import UNRELIABLE, Carrier
from harness.net.pool import AddressesTaken
from harness.system import clock
from harness.system.together import together

SUSPECTED_S = 1.0
"""How long after its calls a device may still be lost by what it was sent in them."""


@dataclass
class Drive:
    """Drives one plan once.  Everything that goes wrong on the way is put into the flow as a trouble."""

    context: DriveContext
    plan: Plan
    role: str
    carrier: Carrier
    attempt: int = 0
    urgent: bool = False
    """Others wait for it."""
    suspicion: Loss | None = None
    """How the device was lost in another drive of this plan; then this one is made alone."""
    carried: Plan = field(init=False)
    """The plan as its transport carries it."""
    recorder: Recorder = field(init=False)
    listener: Listener = field(init=False)
    forecast: Forecast | None = field(init=False)
    """What happens to messages on purpose; None: nothing."""
    troubles: list[Trouble] = field(default_factory=list)
    seating: Seating = field(init=False)
    id: str = field(init=False)
    device: Device | None = None
    calling: Calling | None = None
    _reached: Controls = field(default_factory=Controls)
    """The positive controls that it shows itself."""
    _began_at: float = 0.0
    """When the device was ready for this drive."""
    _interrupted: int = 0
    """How often the time of this machine had been interrupted when it began."""

    def __post_init__(self) -> None:
        self.context.progress.planned_drives += 1
        token = self.context.names.token()
        self.id = self.context.names.flow(self.role, token, self.attempt)
        self.carried = carried(self.plan, self.carrier)
        self.recorder = Recorder(self.carried, self._on_event)
        board = self.context.board
        board.enrol(token, self.recorder)
        hear = partial(board.hear_at, recorder=self.recorder)
        context = self.context
        self.listener = Listener(
            hear, self.recorder.put_aside, context.life.heard, context.vigil.refused, self.recorder.hear_between
        )
        weather = self.plan.weather or self.context.weather
        # Not by the token, which is another one in every run: the same weather is to come again.
        # What is lost or repeated below a stream is the network's own affair: no message is.
        stormy = weather and not self.carrier.transports.isdisjoint(UNRELIABLE)
        self.forecast = Forecast(weather, f"{self.role} {self.plan.title} {self.attempt}") if stormy else None
        self.seating = Seating(
            context, self.id, self.carried, self.carrier, self.listener, self.forecast, Places(token)
        )

    async def run(self) -> Flow:
        """Drive the plan; the flow holds whatever came of it."""
        callers = len(self.plan.calls) if self._called else 0
        life: LifeSign | None = None
        watch: Watch | None = None
        self._interrupted = self.context.bench.time.look()
        async with self.context.devices.turn(), contextlib.AsyncExitStack() as capacity:
            # Outside of what becomes a flow: a plan for which there never is room is a mistake of the set-up.
            endpoints, crossing = len(self.plan.endpoints), self.plan.crossing
            room = self.context.lab.capacity_for(endpoints - crossing, callers, crossing)
            await capacity.enter_async_context(room)
            try:
                try:
                    watch = await self.context.vigil.while_there(self._call_and_watch(), self._lost)
                finally:
                    # What a sign of life needs (a slot, addresses, room) is given back before it is asked for.
                    await self._leave()
                    await capacity.aclose()
                # A device that ended and was started again is another life.
                if self.plan.watched and self.device is not None and watch is not None and not self._lost():
                    shared = self.device is self.context.devices.shared
                    life = await self.context.life.sign(self.device, watch.closed_at, shared=shared)
            except AddressesTaken:
                raise  # no matter of this drive: the set-up has to be changed
            except SipverdictError as error:
                hint = f" ({error.hint})" if error.hint else ""
                self._trouble(_blame(error), f"{error.cause}{hint}")
            finally:
                flow = await self._close(life, watch or Watch(self.context.window, None, clock.now()))
        return flow

    async def _call_and_watch(self) -> Watch:
        try:
            await self._make_calls()
        finally:
            self.context.progress.driven += 1
        window = OpenWindow.of(self.context.window, self.recorder, self.calling if self._called else None)
        if self.suspicion:
            # What it shows is whether the device is lost again; nothing else is judged by it.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.context.vigil.news(), SUSPECTED_S)
        elif self.plan.watched:
            await window.watch(self.seating.taken, self.context.progress)
        # A copy that comes later begins no new window.
        return Watch(self.context.window, window.opened_at(), clock.now())

    @property
    def _called(self) -> bool:
        """Whether a SIPp calls the device, or somebody through it; else the device is made to call by itself."""
        return self.role != "uac"

    async def _make_calls(self) -> None:
        # A few drives at a time are set up, until the first INVITE is there: a device that meets a crowd is late, and
        # the first windows are to open early.
        async with contextlib.AsyncExitStack() as setting_up:
            priority = URGENT if self.urgent else priority_of(self.plan)
            for gate in (self.context.setting_up, self.context.bench.setting_up):
                await setting_up.enter_async_context(gate.entered(priority))
            # Before anything is dialled.
            await on_free_port(self.seating.take, self.context.lab.pool)
            self.device = await self._device()
            self._began_at = clock.now()
            callers = self._callers() if self._called else None
            self.calling = Calling(
                as_driven(self.carried, self.role, self.context.profile, self.carrier.transport),
                self.seating.places,
                self.recorder,
                self.device,
                self.context.slots,
                callers,
                tuple(self.seating.taken),
            )
            await self.calling.place_all(setting_up.aclose)

    async def _device(self) -> Device:
        if self.context.devices.shared is not None:
            return await self.context.devices.ready()
        device = self.seating.chosen
        assert device is not None
        # Starting costs the machine more than a call does: no more at a time than may call at a time.
        async with self.context.slots:
            await self.context.devices.start(device)
        return device

    def _callers(self) -> Callers:
        return Callers(
            self.context,
            self.id,
            as_driven(self.carried, self.role, self.context.profile, self.carrier.transport),
            self.role,
            self.seating.places,
            self.recorder,
            self.listener,
            self.forecast,
            self.seating.taken.append,
        )

    def _lost(self) -> Lost | None:
        return self.context.vigil.since(self._began_at, self.device) if self.device else None

    # --- the evidence

    async def _leave(self) -> None:
        """End the calls, stop the seats, and read what is left of their traces."""
        if self.calling is not None:
            await self.calling.end(self.seating.taken, lost=self._lost() is not None)
            self.troubles += self.calling.troubles
        pool = self.context.lab.pool
        if pool.reuses:
            await together(seat.stop() for seat in self.seating.taken)
        else:
            await self.context.afterwards.keep(self.seating.taken)
        if self.context.lab.exchange:
            self.context.lab.exchange.disconnect(self.seating.places.token)
        self.recorder.over = True
        for seat in self.seating.taken:
            (self.context.lab.inbound.pool if seat.kind == "caller" else pool).give_back(seat.own)

    async def _close(self, life: LifeSign | None, watch: Watch) -> Flow:
        """Put it all together."""
        devices, recorder = self.context.devices, self.recorder
        device = self.seating.chosen or devices.shared or devices.make(None)
        devices.learn(device)
        identity = devices.identity(device)
        await self.seating.dismiss()
        if lost := self._lost():
            self._trouble(
                "device", f"the device {lost.how} by itself, {lost.at - self._began_at:.1f} s into this drive"
            )
        for seat in self.seating.taken:
            if seat.trouble:
                self._trouble("harness", seat.trouble)
        if recorder.dropped:
            more = ", ".join(f"{count} {what} at {seat}" for (seat, what), count in recorder.dropped.items())
            self._trouble("device", f"more came than a flow keeps ({KEPT_OF_A_KIND} of a kind): besides, {more}")
        self.context.progress.complete += 1
        events = recorder.events()
        return Flow(
            id=self.id,
            plan=self.plan,
            role=self.role,
            transport=self.carrier.passage,
            family=self.carrier.family,
            device=identity,
            places=self.seating.places,
            seats=tuple(self._seats_of_flow()),
            calls=tuple(self.calling.calls) if self.calling else (),
            events=events,
            watch=watch,
            controls=self.context.controls.with_those_of(self._reached),
            life=life,
            troubles=tuple(self.troubles),
            unreadable=(*recorder.unreadable, *self.context.board.unreadable(self._began_at, watch.closed_at)),
            unreadable_left_out=recorder.unreadable_left_out,
            lost=recorder.lost_on_purpose(),
            between=tuple(recorder.between),
            left_out=recorder.left_out(),
            loss=loss_of(self._lost(), events, self.suspicion),
            weather=str(self.forecast.weather) if self.forecast else "",
            cut_at=recorder.cut_at,
            interruptions=self.context.bench.time.since(self._interrupted),
            strays=tuple(self._strays(watch)),
            lookups=self.context.lab.resolver.lookups(self.seating.places.domain) if self.context.lab.resolver else (),
        )

    def _strays(self, watch: Watch) -> Iterator[Event]:
        """What may be of this drive, for it came meanwhile and bears nobody's digits; numbers are for its own."""
        return self.context.board.strays(self._began_at or watch.closed_at, watch.closed_at)

    def _seats_of_flow(self) -> Iterator[Seat]:
        exchange = self.context.lab.exchange
        for seat in (one.evidence() for one in self.seating.taken):
            # What the device finds at the exchange has come over the connections there.
            yield replace(seat, connections=exchange.connections) if exchange and seat.behind else seat
        backup = self.context.backup
        # What comes to the backup address counts, whatever the plan expects there.
        if backup and (self.plan.uses_backup or self.recorder.saw(_at_backup)):
            yield backup.evidence()

    def _on_event(self, event: Event) -> None:
        if event.method == "INVITE" and event.from_device:
            for seat in self._seats_of_flow():
                if seat.name == event.seat and seat.kind != "caller":
                    self._reached.note(Control(seat.kind, seat.address, event.time, self.id))

    def _trouble(self, blame: Literal["harness", "device", "stimulus"], text: str) -> None:
        self.troubles.append(Trouble(blame, text))


def _at_backup(event: Event) -> bool:
    return event.seat == ENDPOINT.name


def _blame(error: SipverdictError) -> Literal["harness", "device"]:
    return "device" if isinstance(error, DeviceError) else "harness"
