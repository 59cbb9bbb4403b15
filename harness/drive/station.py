"""One device of a run: ready during a block, with the knowledge that its drives share."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from types import TracebackType

from harness.device.profile.secrets import secret_values
from harness.device.spec import DeviceSpec
from harness.drive.afterwards import Afterwards
from harness.drive.backup import Backup
from harness.drive.bench import Bench
from harness.drive.blanking import blanked
from harness.drive.context import Controls, DriveContext
from harness.drive.devices import Devices
from harness.drive.drive import Drive
from harness.drive.lab import Lab
from harness.drive.life import Life
from harness.drive.line import LineCheck
from harness.drive.names import Names
from harness.drive.plain import plain_call
from harness.drive.priority import PriorityGate
from harness.drive.switchboard import Switchboard
from harness.drive.vigil import Vigil
from harness.endpoints.tap.tap import Listener
from harness.errors import SetupError
from harness.lab.exchange import Unclaimed
from harness.live.progress import Progress
from harness.model.flow import Flow, LifeSign, Loss
from harness.model.line import Line
from harness.model.plan import Plan
from harness.model.weather import Weather
from harness.model.windows import Window
from harness.net.address import UDP4, Address, Carrier
from harness.system.locks import lock_folder, try_lock


class Station:
    """A device that is ready, until the block is left.

    async with Station(spec, bench, window, progress) as station:
        flow = await station.drive(plan, "uac", attempt=0)
    """

    context: DriveContext
    """The context of its drives, available inside the block."""

    def __init__(
        self,
        spec: DeviceSpec,
        bench: Bench,
        window: Window,
        progress: Progress,
        weather: Weather | None = None,
        carrier: Carrier = UDP4,
    ) -> None:
        """``carrier``: what carries the SIP of its drives."""
        self.spec = spec
        self.carrier = carrier
        self._bench = bench
        self._window = window
        self._progress = progress
        self._weather = weather or Weather()
        self._drives: dict[str, Drive] = {}
        """Those that are over, by the id of their flow."""
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
        # A finished run cancels this instead of waiting, and the devices must be ended all the same.
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
        attempt: int = 0,
        *,
        urgent: bool = False,
        suspicion: Loss | None = None,
    ) -> Drive:
        """A new drive of ``plan``.  ``attempt`` 1 is the confirming one.

        ``urgent``: others wait for it, so it is set up before the rest.
        ``suspicion``: how the device was lost in another drive of the plan, after which this one is made alone.
        """
        return Drive(self.context, plan, role, self.carrier, attempt, urgent, suspicion)

    async def line(self) -> Line | None:
        """The line to the device if packets get lost on it; None if it is good, or cannot be measured."""
        line = await self.context.line.line()
        return line if line is not None and line.loses else None

    @property
    def line_unknown(self) -> bool:
        """Whether the line should have been measured, and could not be: the device answers no OPTIONS."""
        return self.context.line.unknown

    @property
    def gone(self) -> str:
        """Why the device cannot be had any more; "" while it can."""
        return self.context.vigil.gone

    async def drive(
        self,
        plan: Plan,
        role: str,
        attempt: int = 0,
        *,
        urgent: bool = False,
        suspicion: Loss | None = None,
    ) -> Flow:
        """Drive ``plan`` and return the evidence, even of a failed drive.

        SetupError if this machine could not store the evidence.
        """
        drive = self.prepare(plan, role, attempt, urgent=urgent, suspicion=suspicion)
        flow = self.without_secrets(await drive.run())
        self._drives[flow.id] = drive
        return flow

    def rely_on(self, flow: Flow) -> None:
        """Let other flows rest on the positive controls that ``flow`` shows: it is evidence of the run.

        A plain call's is none, nor one that was spoilt and driven again.
        """
        for control in flow.controls:
            if control.flow == flow.id:
                self.context.controls.note(control)

    def completed(self, flow: Flow) -> Flow:
        """``flow`` with what has come since its drive was over."""
        drive = self._drives.get(flow.id)
        late = drive.recorder.late() if drive else ()
        return self.without_secrets(dataclasses.replace(flow, late=late)) if late else flow

    def without_secrets(self, flow: Flow) -> Flow:
        """``flow`` without its secrets."""
        return blanked(flow, secret_values(self.spec.profile))

    async def _opened(self) -> DriveContext:
        self._lock_fixed_address()
        spec, bench = self.spec, self._bench
        names = Names(spec.name, spec.profile.lab.prefix, self.carrier)
        life = Life(bench.prober, self._call_plainly)
        board, afterwards = Switchboard(names), Afterwards()
        self._open.push_async_callback(afterwards.close)
        unclaimed = Unclaimed(board.hear, board.put_aside)
        lab = await self._open.enter_async_context(
            Lab.open(spec.profile, bench, self.carrier, names.tokens, life.heard, unclaimed)
        )
        life.prober = lab.prober
        vigil = Vigil(
            spec.name, lab.prober, lambda: life.last_heard, lambda text: self._progress.news.append(f"LOST  {text}")
        )
        line = LineCheck(lab.prober, lambda: self.context.devices.shared)
        self._open.callback(line.cancel)
        backup: Backup | None = None
        if (where := spec.profile.lab.backup) is not False:
            backup = Backup(board, Listener(board.hear, board.put_aside, life.heard))
            fixed = Address.parse(where, self.carrier.transport) if isinstance(where, str) else None
            await backup.open(bench, lab.pool, lab.authority, f"{spec.name}-{self.carrier.label}", fixed)
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
            # One more than it can carry, so that a ready drive that waits for a slot does not delay others.
            setting_up=PriorityGate(carries + 1),
            board=board,
            afterwards=afterwards,
            line=line,
            backup=backup,
            weather=self._weather,
        )

    async def _end_shared(self) -> None:
        if self.context.devices.shared is not None:
            await self.context.devices.shared.stop()

    async def _call_plainly(self) -> LifeSign | None:
        role = self.spec.profile.device.roles[0]
        flow = await self.drive(plain_call(role, self.spec.profile), role, urgent=True)
        came = flow.select(received=True)
        if not came:
            return None
        arrived = "it placed a plain call" if role == "uac" else "it passed on a plain call"
        return LifeSign(came[0].time, arrived if came[0].method else f"it answered a plain call: {came[0].start_line}")

    def _lock_fixed_address(self) -> None:
        """Lock the device: a second run would see the calls of the first."""
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
