"""A run: every case of every device, driven side by side, judged as soon as its flow is complete.

The session stands between driving and judging and is the only one that knows both: it asks the driver for flows,
hands them to the purposes' judges, has a fail confirmed by a second drive, and keeps the verdicts until pytest
asks for them.  It runs one asyncio loop in a thread beside pytest.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import itertools
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.device.spec import DeviceSpec
from harness.drive.bench import Bench
from harness.drive.priority import priority_of
from harness.drive.station import Station
from harness.endpoints.sipp.binary import SippBinary
from harness.live.progress import Progress
from harness.model.axes import Axes, CaseId
from harness.model.finding import Record, Ruled
from harness.model.flow import Control, Flow, Line
from harness.model.outcome import NOT_TESTED
from harness.model.plan import Plan
from harness.model.verdict import Verdict
from harness.model.weather import Weather
from harness.model.windows import Window
from harness.net.address import Carrier
from harness.purposes.case import Case
from harness.purposes.doing import doing_of
from harness.purposes.everywhere import Heard, Overall, overall
from harness.purposes.line import MOST_DRIVES
from harness.purposes.settle import Assessment, assess, conclude, lacks_control, wants_another
from harness.requirements.catalogue import Catalogue
from harness.requirements.ruling import Ruling
from harness.run.inquest import Inquest
from harness.run.job import Job
from harness.run.lines import Lines
from harness.smoke.plain import Unusable, smoked
from harness.store.verdict_lines import LostLine
from harness.system.timekeeper import Interruption

CONFIRMING_ROUNDS = 3
"""How often plans are driven again for what breaks an invariant: another round takes another window."""
SIDE_BY_SIDE = 12
"""How many devices are tested at one time: a product takes memory, and their calls wait for one queue anyhow."""


@dataclass(frozen=True)
class Options:
    """What a run is asked for."""

    window: Window
    ruling: Ruling
    sipp: SippBinary
    work: Path
    """Where SIPp and the devices write while the run lasts."""
    on_flow: Callable[[Flow], None] = lambda _flow: None
    smoke: bool = True
    """Whether a plain call is made first; what needs a role in which none can be made is not driven."""
    repeat: int = 1
    """How many times every case is driven; differing results are reported as flaky."""
    key_log: Path | None = None
    """Where the keys of TLS connections are written, so that a capture can be read."""
    weather: Weather = field(default_factory=Weather)
    """What the taps do to messages on purpose."""
    background: Mapping[tuple[str, Axes], tuple[Plan, ...]] = field(default_factory=dict)
    """What is driven beside the plans of the cases, by device: for invariants that were chosen alone."""


@dataclass(frozen=True)
class Settled:
    """A case with its verdict and the evidence."""

    case: Case
    record: Record
    flows: tuple[Flow, ...]
    error: Exception | None = None
    """What broke in the harness or the suite while it was settled; the record is then inconclusive."""


class Session:
    """Drives and judges ``cases``; :meth:`begin` a device, then :meth:`result` of each of its cases."""

    def __init__(
        self, specs: Mapping[str, DeviceSpec], cases: Sequence[Case], catalogue: Catalogue, options: Options
    ) -> None:
        self.progress = Progress(sum(not case.skip for case in cases), options.window)
        self._specs = specs
        self._cases = [case for case in cases if not case.skip]
        self._catalogue = catalogue
        self._options = options
        self._results: dict[CaseId, concurrent.futures.Future[Settled]] = {
            case.id: concurrent.futures.Future() for case in self._cases
        }
        self._inquests: list[Inquest] = []
        self.conditions: list[str] = []
        """What was wrong with the time of this machine and with the lines to the devices, a sentence each."""
        self._lines = Lines(options.on_flow, self.progress, self.conditions)
        self._begun: set[str] = set()
        self._controls_of: dict[str, tuple[Control, ...]] = {}
        """Those of the flows to which positive controls were added when all was driven, by id."""
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
        await asyncio.gather(*(self._run_over(device, *some, at_one_time) for some in by_carrier.items()))

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
                    self._settle_unusable([case for case in cases if case.role == role], unusable)
                await self._settle_all(station, [case for case in cases if case.role not in failed])
        except BaseException as error:
            for case in cases:
                _fail(self._results[case.id], error)
            if not isinstance(error, Exception):
                raise

    def _settle_unusable(self, cases: Sequence[Case], unusable: Unusable) -> None:
        """Nothing is tested where no plain call can be made; but what the device sent meanwhile may break an invariant.

        That an invariant held in these few calls counts only beside one that did not.
        """
        heard = Heard(unusable.flows)
        said = {case.id: self._overall(case, heard, final=True) for case in cases if case.purpose.everywhere}
        broken = any(one.verdict is Verdict.FAIL for one in said.values())
        for flow in unusable.flows[:-1] if broken else ():
            self._options.on_flow(flow)
        for case in cases:
            if broken and case.id in said:
                self._conclude_everywhere(case, said[case.id], unusable.flows)
            else:
                _fail(self._results[case.id], unusable.error)

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
                self._settle(case, [jobs[plan, case.axes] for plan in case.plans], controls)
                for case in cases
                if not case.purpose.everywhere
            ),
            controls,
        )
        by_axes: dict[Axes, list[Case]] = {axes: [] for _, axes in jobs}
        for case in cases:
            if case.purpose.everywhere:
                by_axes.setdefault(case.axes, []).append(case)
        await asyncio.gather(*(self._settle_everywhere(axes, some, jobs) for axes, some in by_axes.items()))

    async def _controls(self, station: Station, drives: Sequence[asyncio.Task[Flow]]) -> tuple[Control, ...]:
        """The positive controls of a device once all of its plans have been driven, however few calls it can carry."""
        await asyncio.gather(*drives, return_exceptions=True)
        return tuple(station.context.controls.seen.values())

    async def _settle(self, case: Case, jobs: Sequence[Job], controls: asyncio.Task[tuple[Control, ...]]) -> None:
        result = self._results[case.id]
        try:
            repeat = self._options.repeat
            driven: list[list[Flow]] = []
            rounds: list[Assessment] = []
            for attempt in range(repeat):
                driven.append(list(await asyncio.gather(*(job.drive(attempt) for job in jobs))))
                rounds.append(self._assess(case, driven[-1]))
            if any(map(lacks_control, rounds)):
                # The device may show in a later drive what this one cannot be judged without.
                seen = await asyncio.shield(controls)
                driven = [[self._controlled(flow, seen) for flow in flows] for flows in driven]
                rounds = [self._assess(case, flows) for flows in driven]
            for number, flows in enumerate(driven):
                driven[number], rounds[number] = await self._despite_the_line(case, jobs, flows, rounds[number])
            while repeat == 1 and wants_another(rounds):
                self.progress.confirming += len(rounds) == 1
                flows = list(await asyncio.gather(*(job.drive(len(rounds), urgent=True) for job in jobs)))
                judged = self._assess(case, flows)
                flows, judged = await self._despite_the_line(case, jobs, flows, judged)
                driven.append(flows)
                rounds.append(judged)
            assessment, all_flows = conclude(rounds, repeat), [flow for one in driven for flow in one]
            record = self._record(
                case,
                assessment.verdict,
                assessment.reason,
                assessment.ruled,
                len(driven),
                [flow.id for flow in all_flows],
                all_flows,
            )
            self.progress.judged(record)
            result.set_result(Settled(case, record, tuple(all_flows)))
        except Exception as error:
            # One case that cannot be settled must not take the others with it.
            _fail(result, error)

    async def _despite_the_line(
        self, case: Case, jobs: Sequence[Job], flows: list[Flow], judged: Assessment
    ) -> tuple[list[Flow], Assessment]:
        """``flows`` with the line to their device, and what they say then, if anything but a pass was seen on it."""
        if judged.verdict in (Verdict.PASS, Verdict.NONE) or judged.lost:
            return flows, judged
        line = await self._lines.line(jobs[0].station)
        if line is None:
            return flows, judged
        flows = [self._lines.on(line, flow, self._controls_of) for flow in flows]
        return flows, self._assess(case, flows)

    async def _settle_everywhere(
        self, axes: Axes, cases: Sequence[Case], jobs: Mapping[tuple[Plan, Axes], Job]
    ) -> None:
        """Settle the invariants of one point of the axes, over all flows that were driven there.

        All of them together: what one has driven again is judged by the others, too, as in a replay.  A flow to which
        something has come late is stored once more, as it is judged here.
        """
        here = {plan: job for (plan, of), job in jobs.items() if of == axes}
        try:
            line: Line | None = None
            for number in itertools.count():
                flows = [flow for job in here.values() for flow in await job.completed()]
                flows = [self._lines.on(line, flow, self._controls_of) for flow in flows] if line else flows
                said = self._said(cases, heard := Heard(tuple(flows)))
                if line is None and any(one.verdict not in (Verdict.PASS, Verdict.NONE) for one in said.values()):
                    line = await self._lines.line(next(iter(here.values())).station)
                    if line:
                        flows = [self._lines.on(line, flow, self._controls_of) for flow in flows]
                        said = self._said(cases, heard := Heard(tuple(flows)))
                again = [plan for one in said.values() for plan in one.again]
                rounds = MOST_DRIVES if line else CONFIRMING_ROUNDS
                if not again or number == rounds or self._options.repeat > 1:
                    break
                self.progress.confirming += not number
                # On a bad line a plan is driven as often as that takes.
                await asyncio.gather(
                    *(here[plan].drive(here[plan].drives if line else 1, urgent=True) for plan in dict.fromkeys(again))
                )
            for flow in flows:
                if flow.late:
                    controls = self._controls_of.get(flow.id, flow.controls)
                    self._options.on_flow(dataclasses.replace(flow, controls=controls))
            for case in cases:
                last = said[case.id]
                # What was to be driven again and was not is what this run has to say of it.
                last = self._overall(case, heard, final=True) if last.again else last
                self._conclude_everywhere(case, last, flows)
        except Exception as error:
            for case in cases:
                _fail(self._results[case.id], error)

    def _conclude_everywhere(self, case: Case, said: Overall, flows: Sequence[Flow]) -> None:
        on = [flow for flow in flows if flow.id in said.flows]
        record = self._record(case, said.verdict, said.reason, said.ruled, 1, said.flows, on)
        self.progress.judged(record)
        about = {ruled.finding.flow for ruled in said.ruled}
        self._results[case.id].set_result(Settled(case, record, tuple(flow for flow in flows if flow.id in about)))

    def _said(self, cases: Iterable[Case], heard: Heard) -> dict[CaseId, Overall]:
        return {case.id: self._overall(case, heard, final=False) for case in cases}

    def _overall(self, case: Case, heard: Heard, *, final: bool) -> Overall:
        return overall(case.purpose, case.rows, heard, self._catalogue, self._options.ruling, final=final)

    def _record(
        self,
        case: Case,
        verdict: Verdict,
        reason: str,
        ruled: tuple[Ruled, ...],
        drives: int,
        evidence: Iterable[str],
        flows: Sequence[Flow],
    ) -> Record:
        return Record(
            purpose=case.purpose.name,
            device=case.device,
            role=case.role,
            transport=case.transport,
            family=case.family,
            verdict=verdict,
            # What no flow gave an occasion for has not been tested: there is nothing to say of the device.
            skipped=NOT_TESTED if case.purpose.everywhere and verdict is Verdict.NONE else None,
            reason=reason,
            requirements=ruled,
            window_s=self._options.window.seconds,
            drives=drives,
            evidence=tuple(evidence),
            doing=doing_of(verdict, ruled, drives, flows),
        )

    def _assess(self, case: Case, flows: Sequence[Flow]) -> Assessment:
        return assess(case.purpose, case.rows, flows, self._catalogue, self._options.ruling)

    def _controlled(self, flow: Flow, controls: tuple[Control, ...]) -> Flow:
        """``flow`` with all positive controls of its device, stored so: it is judged again by what it holds."""
        if flow.controls == controls:
            return flow
        self._controls_of[flow.id] = controls
        whole = dataclasses.replace(flow, controls=controls, line=self._lines.of(flow))
        self._options.on_flow(whole)
        return whole

    def _store(self, drive: asyncio.Task[Flow]) -> None:
        if not drive.cancelled() and drive.exception() is None:
            self._options.on_flow(drive.result())

    async def _shutdown(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._open.aclose()


def _fail(result: concurrent.futures.Future[Settled], error: BaseException) -> None:
    if not result.done():
        result.set_exception(error)
