"""A run: every case of every device, driven side by side, judged as soon as its flow is complete.

It opens what drives, makes a job of every plan, and has each case settled (:mod:`harness.run.settling`).  It runs one
asyncio loop in a thread beside pytest.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import threading
from collections.abc import Mapping, Sequence

from harness.device.spec import DeviceSpec
from harness.drive.bench import Bench
from harness.drive.priority import priority_of
from harness.drive.station import Station
from harness.live.progress import Progress
from harness.model.axes import Axes, CaseId
from harness.model.flow import Control, Flow
from harness.model.plan import Plan
from harness.net.address import Carrier
from harness.purposes.case import Case
from harness.requirements.catalogue import Catalogue
from harness.run.inquest import Inquest
from harness.run.job import Job
from harness.run.lines import Lines
from harness.run.settling import Options, Settled, Settling
from harness.smoke.plain import smoked
from harness.store.verdict_lines import LostLine
from harness.system.timekeeper import Interruption
from harness.system.together import together

SIDE_BY_SIDE = 12
"""How many devices are tested at one time: a product takes memory, and their calls wait for one queue anyhow."""


class Session:
    """Drives and judges ``cases``; :meth:`begin` a device, then :meth:`result` of each of its cases."""

    def __init__(
        self, specs: Mapping[str, DeviceSpec], cases: Sequence[Case], catalogue: Catalogue, options: Options
    ) -> None:
        self.progress = Progress(sum(not case.skip for case in cases), options.window)
        self._specs = specs
        self._cases = [case for case in cases if not case.skip]
        self._options = options
        self._results: dict[CaseId, concurrent.futures.Future[Settled]] = {
            case.id: concurrent.futures.Future() for case in self._cases
        }
        self._inquests: list[Inquest] = []
        self.conditions: list[str] = []
        """What was wrong with the time of this machine and with the lines to the devices, a sentence each."""
        lines = Lines(options.on_flow, self.progress, self.conditions)
        self._settling = Settling(self._results, catalogue, options, self.progress, lines)
        self._begun: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._bench: asyncio.Future[Bench] | None = None
        self._side_by_side = asyncio.Semaphore(SIDE_BY_SIDE)
        self._open = contextlib.AsyncExitStack()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="sipverdict-driver", daemon=True)
        self._thread.start()

    # --- called by pytest's thread

    def begin(self, device: str) -> None:
        """Start driving all cases of ``device``; a second call changes nothing."""
        if device not in self._begun:
            self._begun.add(device)
            self._loop.call_soon_threadsafe(self._spawn, device)

    def result(self, case: Case) -> concurrent.futures.Future[Settled]:
        """The verdict of ``case`` when it is there; SipverdictError if its device could not be used at all."""
        return self._results[case.id]

    @property
    def losses(self) -> list[LostLine]:
        """Every time that a device was lost, so far."""
        return [line for inquest in tuple(self._inquests) for line in inquest.lines]

    def close(self) -> None:
        """End what still runs, whatever its state, and leave nothing behind."""
        if not self._thread.is_alive():
            return
        # On a machine that is too busy even for this, what is left dies with this process: its group, its devices.
        with contextlib.suppress(concurrent.futures.TimeoutError):
            asyncio.run_coroutine_threadsafe(self._shutdown(), self._loop).result(timeout=30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        if not self._thread.is_alive():
            self._loop.close()

    # --- in the loop's thread

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _spawn(self, device: str) -> None:
        task = self._loop.create_task(self._run_device(device))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _get_bench(self) -> Bench:
        if self._bench is None:
            opening = self._open.enter_async_context(
                Bench.open(self._options.work, self._options.sipp, self._options.key_log)
            )
            self._bench = asyncio.ensure_future(opening)
        bench = await self._bench
        bench.time.on_news = self._interrupted
        return bench

    def _interrupted(self, one: Interruption) -> None:
        self.conditions.append(f"{one.sentence}: what was being driven just then was driven again")
        self.progress.news.append(f"CLOCK  {one.sentence}")

    async def _run_device(self, device: str) -> None:
        by_carrier: dict[Carrier, list[Case]] = {}
        for case in self._cases:
            if case.device == device:
                by_carrier.setdefault(case.axes.carrier, []).append(case)
        # A specimen is one: its calls over another transport would come on top of those that it can carry.
        at_one_time = asyncio.Semaphore(1 if self._specs[device].profile.is_one_specimen else len(by_carrier) or 1)
        await together(self._run_over(device, *some, at_one_time) for some in by_carrier.items())

    async def _run_over(
        self, device: str, carrier: Carrier, cases: Sequence[Case], at_one_time: asyncio.Semaphore
    ) -> None:
        """Settle the cases of one transport and family: what is seen there is evidence for nothing else."""
        options, spec = self._options, self._specs[device]
        spec = dataclasses.replace(spec, profile=spec.profile.over(carrier))
        try:
            bench = await self._get_bench()
            async with (
                at_one_time,
                self._side_by_side,
                Station(spec, bench, options.window, self.progress, options.weather, carrier) as station,
                smoked(station, {case.role for case in cases} if options.smoke else (), options.on_flow) as failed,
            ):
                for role, unusable in failed.items():
                    self._settling.unusable([case for case in cases if case.role == role], unusable)
                await self._settle_all(station, [case for case in cases if case.role not in failed])
        except BaseException as error:
            for case in cases:
                self._settling.fail(case, error)
            if not isinstance(error, Exception):
                raise

    async def _settle_all(self, station: Station, cases: Sequence[Case]) -> None:
        jobs: dict[tuple[Plan, Axes], Job] = {}
        inquest = Inquest(lambda: station.gone, station.spec.name, lambda: station.context.vigil.losses)
        self._inquests.append(inquest)
        for case in cases:
            for plan in case.plans:
                key = (plan, case.axes)
                jobs.setdefault(key, Job(station, *key, self._store, inquest))
        for (device, axes), plans in self._options.background.items():
            for plan in plans if (device, axes.carrier) == (station.spec.name, station.carrier) else ():
                jobs.setdefault((plan, axes), Job(station, plan, axes, self._store, inquest))
        for attempt in range(self._options.repeat):
            for job in sorted(jobs.values(), key=lambda job: priority_of(job.plan)):
                job.drive(attempt)
        first = [job.drive(attempt) for job in jobs.values() for attempt in range(self._options.repeat)]
        controls = asyncio.create_task(self._controls(station, first))
        await asyncio.gather(
            *(
                self._settling.settle(case, [jobs[plan, case.axes] for plan in case.plans], controls)
                for case in cases
                if not case.purpose.everywhere
            ),
            controls,
        )
        by_axes: dict[Axes, list[Case]] = {axes: [] for _, axes in jobs}
        for case in cases:
            if case.purpose.everywhere:
                by_axes.setdefault(case.axes, []).append(case)
        await asyncio.gather(*(self._settling.everywhere(axes, some, jobs) for axes, some in by_axes.items()))

    async def _controls(self, station: Station, drives: Sequence[asyncio.Task[Flow]]) -> tuple[Control, ...]:
        """The positive controls of a device once all of its plans have been driven, however few calls it can carry."""
        await asyncio.gather(*drives, return_exceptions=True)
        return tuple(station.context.controls.seen.values())

    def _store(self, drive: asyncio.Task[Flow]) -> None:
        if not drive.cancelled() and drive.exception() is None:
            self._options.on_flow(drive.result())

    async def _shutdown(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._open.aclose()
