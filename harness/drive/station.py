"""One device of a run: its process, what it can carry, and what is known of it across its drives."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import secrets
import time
from types import TracebackType
from typing import Any

from harness.device import Device
from harness.device.process import Death
from harness.device.profile.secrets import secret_values
from harness.device.spec import DeviceSpec
from harness.device.tables.placeholders import fill
from harness.drive.bench import Bench, BoundSeat
from harness.drive.blanking import blanked
from harness.drive.captured import Heard
from harness.drive.drive import Drive
from harness.drive.lab import Lab
from harness.drive.plain import plain_call
from harness.drive.priority import Turns
from harness.drive.recorder import Recorder
from harness.errors import DeviceError, SetupError
from harness.live.progress import Progress
from harness.model.flow import Control, Flow, LifeSign
from harness.model.plan import Answer, Endpoint, Places, Plan, Response
from harness.model.windows import Window
from harness.net.address import Address, Transport
from harness.system.disk import disk_errors
from harness.system.locks import lock_folder, try_lock

BACKUP = Endpoint("backup", "guard", (Answer((Response(480),)),), cap=10_000)
"""What stands at the address that the device has been given as its backup."""

PING_S = 3.0
RESTARTS = 20
"""How often a device that ended by itself is started again in one run."""


class Station:
    """A device that is ready, until the block is left.

    async with Station(spec, bench, window, progress) as station:
        flow = await station.drive(plan, "uac", "udp", attempt=0)
    """

    lab: Lab
    """Where its endpoints are; from the moment the block is entered."""

    def __init__(self, spec: DeviceSpec, bench: Bench, window: Window, progress: Progress) -> None:
        self.spec = spec
        self.bench = bench
        self.window = window
        self.progress = progress
        self.slots = asyncio.Semaphore(spec.profile.calls_at_once)
        # One more than it can carry: what is ready to call and waits for a slot must not keep other devices waiting.
        self.setting_up = Turns(spec.profile.calls_at_once + 1)
        self.controls: dict[str, Control] = {}
        self.device: Device | None = None
        """The one process all drives share; None for a device that is started once per plan."""
        self.backup: BoundSeat | None = None
        self._by_token: dict[str, Recorder] = {}
        self._serials = itertools.count(1)
        self._prefix = f"{spec.profile.lab.prefix}{secrets.randbelow(1000):03d}"
        self._last_heard = 0.0
        self._restarting = asyncio.Lock()
        self._restarts = 0
        self.deaths: list[Death] = []
        """Every time the shared device ended by itself."""
        self._version: str | None = None
        self._plain_call: asyncio.Task[LifeSign | None] | None = None
        self._open = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Station:
        try:
            self._lock_fixed_address()
            tokens = rf"{self._prefix}\d{{4}}"
            lab = Lab.open(self.spec.profile, self.bench, tokens, self._alive_at)
            self.lab = await self._open.enter_async_context(lab)
            if self.spec.profile.lab.backup is not False:
                self.backup = await self._guard_backup()
            if not self.spec.profile.device.per_plan:
                self.device = self.make_device(None)
                self._open.push_async_callback(self.device.stop)
                await self._start(self.device)
                await self.lab.registered(self.device)
        except BaseException:
            await self._open.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A run that is over does not wait for its devices to end, and cancels: they are ended all the same.
        closing, cancelled = asyncio.ensure_future(self._open.aclose()), False
        while not closing.done():
            try:
                await asyncio.shield(closing)
            except asyncio.CancelledError:
                cancelled = True
        if cancelled:
            raise asyncio.CancelledError
        closing.result()

    async def drive(
        self, plan: Plan, role: str, transport: Transport, attempt: int = 0, *, urgent: bool = False
    ) -> Flow:
        """Drive ``plan`` and return the evidence, whatever happened.  ``attempt`` 1 is the confirming drive.

        ``urgent``: others wait for it, so it is set up before all that are not.

        SetupError if nothing can be said of it, because this machine could not keep the evidence.
        """
        flow = await Drive(self, plan, role, transport, attempt, urgent).run()
        return blanked(flow, secret_values(self.spec.profile))

    # --- what drives ask for

    def make_device(self, peer: Address | None) -> Device:
        """The device, not yet started; ``peer`` for one that sends every call to a configured address."""
        return Device(
            self.spec.profile,
            address=self.lab.pool.lease() if "{" in self.spec.profile.lab.address else None,
            backup=self.backup.address if self.backup else None,
            peer=peer,
            exchange=self.lab.exchange.address if self.lab.exchange else None,
            faults=self.spec.faults,
            version=self._version,
            work=self.bench.folder,
            lease=self.lab.pool.lease,
            person=self.progress.person,
        )

    async def dismiss(self, device: Device) -> None:
        """End a device that was made for one drive, and let its address go."""
        await device.stop()
        if device is not self.device and "{" in self.spec.profile.lab.address:
            self.lab.pool.give_back(device.address)

    def numbers(self, token: str, device: Address) -> dict[str, str]:
        """The URIs of the profile's ``lab.numbers``, for one drive."""
        values = {"token": token, "device": str(device)}
        return {name: fill(template, values) for name, template in self.spec.profile.all_numbers().items()}

    async def ready_device(self) -> Device:
        """The shared device, started again if it ended by itself; DeviceError if that does not help."""
        if self.device is None:
            raise RuntimeError("a device that is started once per plan has no shared process")
        async with self._restarting:
            if not self.device.alive():
                if self._restarts == RESTARTS:
                    raise DeviceError(
                        f"{self.spec.name} ended by itself {RESTARTS} times; it is not started again",
                        f"its last words: {self.device.output(3)}",
                    )
                self._restarts += 1
                await self.device.stop()
                if self.lab.exchange:
                    self.lab.exchange.forget()
                await self._start(self.device)
                await self.lab.registered(self.device)
        return self.device

    async def _start(self, device: Device) -> None:
        with disk_errors():
            await device.start()
        if device.died is not None:
            device.died.add_done_callback(self._note_death)

    def _note_death(self, died: asyncio.Future[Death]) -> None:
        if not died.cancelled():
            self.deaths.append(died.result())

    def death_since(self, began_at: float, device: Device) -> Death | None:
        """The first time that ``device`` ended by itself after ``began_at``; it may run again by now."""
        deaths = self.deaths if device is self.device else filter(None, [device.death])
        return next((death for death in deaths if death.at >= began_at), None)

    def identity(self, device: Device) -> dict[str, Any]:
        """Who the device is, for the evidence."""
        self._version = device.version
        return device.identity() | {"name": self.spec.name, "faults": list(self.spec.faults)}

    def new_token(self) -> str:
        """Digits that no other drive of this run has in the URI it dials."""
        return f"{self._prefix}{next(self._serials):04d}"

    def new_id(self, role: str, token: str, attempt: int) -> str:
        """The id of a flow; readable, unique within the run."""
        again = "-again" if attempt else ""
        return f"{re.sub(r'[^A-Za-z0-9_.-]', '_', self.spec.name)}-{role}-{token[4:]}{again}"

    def enrol(self, token: str, recorder: Recorder) -> None:
        """From now on messages at shared addresses that carry ``token`` belong to ``recorder``."""
        self._by_token[token] = recorder

    def note(self, control: Control) -> None:
        """Remember the first time the device was seen to reach an address of this kind."""
        self.controls.setdefault(control.seat_kind, control)

    def heard(self, heard: Heard) -> None:
        """Any message from the device is a sign of life."""
        if heard.traced.direction == "received":
            self._alive_at(heard.traced.time)

    async def sign_of_life(self, device: Device, after: float) -> LifeSign | None:
        """A sign of life of the device after time ``after``, or None: it is asked, then made to place a plain call."""
        if not device.alive():
            return None
        answer = await self.lab.prober.ping(device.address, PING_S)
        if answer:
            return LifeSign(time.time(), f"it answered an OPTIONS: {answer}")
        if self._last_heard > after:
            return LifeSign(self._last_heard, "it sent a message after the window")
        if device is not self.device:
            return None
        if self._plain_call is None or self._plain_call.done():
            self._plain_call = asyncio.create_task(self._call_plainly())
        return await self._plain_call

    # --- its own

    async def _call_plainly(self) -> LifeSign | None:
        role = self.spec.profile.device.roles[0]
        flow = await self.drive(plain_call(role, self.spec.profile), role, "udp", urgent=True)
        came = flow.select(received=True)
        if not came:
            return None
        at = came[0].seat
        arrived = "it placed a plain call" if role == "uac" else "it passed on a plain call"
        return LifeSign(came[0].time, arrived if at == "callee" else f"it answered a plain call: {came[0].start_line}")

    async def _guard_backup(self) -> BoundSeat:
        async def start() -> BoundSeat:
            places = Places(self.new_token(), {BACKUP.name: self.lab.pool.lease()})
            return await self.bench.seat(self.spec.name, BACKUP, places, self._dispatch, "backup")

        seat = await self.bench.on_free_port(start, self.lab.pool)
        self._open.push_async_callback(seat.stop)
        return seat

    def _dispatch(self, heard: Heard) -> None:
        self.heard(heard)
        head = heard.traced.raw.partition("\r\n\r\n")[0]
        for token in re.findall(rf"{self._prefix}\d{{4}}", head):
            if token in self._by_token:
                self._by_token[token].hear(heard)
                return

    def _alive_at(self, moment: float) -> None:
        self._last_heard = max(self._last_heard, moment)

    def _lock_fixed_address(self) -> None:
        """Two runs must not share a device: one would see the other's calls."""
        fixed = self.spec.profile.lab.address
        if "{" in fixed:
            return
        lock = try_lock(lock_folder() / f"device-{fixed.replace(':', '-')}.lock")
        if lock is None:
            raise SetupError(
                f"{self.spec.name} at {fixed} is being tested by another run on this machine",
                "wait until that run has ended",
            )
        self._open.callback(lock.close)
