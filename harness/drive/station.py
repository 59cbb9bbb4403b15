"""One device of a run: ready from the beginning of the block to its end, and what is known of it across its drives."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType

from harness.device.profile.secrets import secret_values
from harness.device.spec import DeviceSpec
from harness.drive.backup import Backup
from harness.drive.bench import Bench
from harness.drive.blanking import blanked
from harness.drive.context import Controls, DriveContext
from harness.drive.devices import Devices
from harness.drive.drive import Drive
from harness.drive.lab import Lab
from harness.drive.life import Life
from harness.drive.names import Names
from harness.drive.plain import plain_call
from harness.drive.priority import PriorityGate
from harness.drive.vigil import Vigil
from harness.errors import SetupError
from harness.live.progress import Progress
from harness.model.flow import Flow, LifeSign, Loss
from harness.model.plan import Plan
from harness.model.weather import Weather
from harness.model.windows import Window
from harness.net.address import Transport
from harness.system.locks import lock_folder, try_lock


class Station:
    """A device that is ready, until the block is left.

    async with Station(spec, bench, window, progress) as station:
        flow = await station.drive(plan, "uac", "udp", attempt=0)
    """

    context: DriveContext
    """What its drives are given; from the moment the block is entered."""

    def __init__(
        self, spec: DeviceSpec, bench: Bench, window: Window, progress: Progress, weather: Weather | None = None
    ) -> None:
        self.spec = spec
        self._bench = bench
        self._window = window
        self._progress = progress
        self._weather = weather or Weather()
        self._open = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Station:
        try:
            self.context = await self._opened()
            if not self.spec.profile.device.per_plan:
                self._open.push_async_callback(self._end_shared)
                await self.context.devices.start_shared()
                watch = asyncio.ensure_future(self.context.vigil.keep(lambda: self.context.devices.shared))
                self._open.callback(watch.cancel)
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

    def prepare(
        self,
        plan: Plan,
        role: str,
        transport: Transport,
        attempt: int = 0,
        *,
        urgent: bool = False,
        suspicion: Loss | None = None,
    ) -> Drive:
        """A drive of ``plan`` that has yet to be run.  ``attempt`` 1 is the confirming one.

        ``urgent``: others wait for it, so it is set up before all that are not.  ``suspicion``: how the device was lost
        in another drive of the plan, after which this one is made alone.
        """
        return Drive(self.context, plan, role, transport, attempt, urgent, suspicion)

    @property
    def gone(self) -> str:
        """Why the device cannot be had any more; "" while it can."""
        return self.context.vigil.gone

    async def drive(
        self,
        plan: Plan,
        role: str,
        transport: Transport,
        attempt: int = 0,
        *,
        urgent: bool = False,
        suspicion: Loss | None = None,
    ) -> Flow:
        """Drive ``plan`` and return the evidence, whatever happened.

        SetupError if nothing can be said of it, because this machine could not keep the evidence.
        """
        return self.without_secrets(
            await self.prepare(plan, role, transport, attempt, urgent=urgent, suspicion=suspicion).run()
        )

    def without_secrets(self, flow: Flow) -> Flow:
        """``flow`` as it may be kept and shown."""
        return blanked(flow, secret_values(self.spec.profile))

    async def _opened(self) -> DriveContext:
        self._lock_fixed_address()
        spec, bench = self.spec, self._bench
        names = Names(spec.name, spec.profile.lab.prefix)
        life = Life(bench.prober, self._call_plainly)
        lab = await self._open.enter_async_context(Lab.open(spec.profile, bench, names.tokens, life.heard))
        life.prober = lab.prober
        vigil = Vigil(spec.name, lab.prober, lambda: life.last_heard, self._progress.news.append)
        backup: Backup | None = None
        if spec.profile.lab.backup is not False:
            backup = Backup(names, life.heard)
            await backup.open(bench, lab.pool, spec.name)
            self._open.push_async_callback(backup.close)
        carries = spec.profile.calls_at_once
        return DriveContext(
            bench=bench,
            lab=lab,
            devices=Devices(spec, bench, lab, vigil, self._progress.person, backup.address if backup else None),
            life=life,
            vigil=vigil,
            names=names,
            controls=Controls(),
            progress=self._progress,
            window=self._window,
            slots=asyncio.Semaphore(carries),
            # One more than it can carry: a drive that is ready and waits for a slot must not keep others waiting.
            setting_up=PriorityGate(carries + 1),
            backup=backup,
            weather=self._weather,
        )

    async def _end_shared(self) -> None:
        if self.context.devices.shared is not None:
            await self.context.devices.shared.stop()

    async def _call_plainly(self) -> LifeSign | None:
        role = self.spec.profile.device.roles[0]
        flow = await self.drive(plain_call(role, self.spec.profile), role, "udp", urgent=True)
        came = flow.select(received=True)
        if not came:
            return None
        at = came[0].seat
        arrived = "it placed a plain call" if role == "uac" else "it passed on a plain call"
        return LifeSign(came[0].time, arrived if at == "callee" else f"it answered a plain call: {came[0].start_line}")

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
