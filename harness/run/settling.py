"""From flows to verdicts: a fail is confirmed by another drive, an invariant is judged over all that was heard.

It asks the jobs for flows, hands them to the judges, and keeps the results until pytest asks for them.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.endpoints.sipp.binary import SippBinary
from harness.live.progress import Progress
from harness.model.axes import Axes, CaseId
from harness.model.finding import Record, Ruled
from harness.model.flow import Control, Flow
from harness.model.line import Line
from harness.model.outcome import NOT_TESTED
from harness.model.plan import Plan
from harness.model.verdict import Verdict
from harness.model.weather import Weather
from harness.model.windows import Window
from harness.purposes.case import Case
from harness.purposes.doing import doing_of
from harness.purposes.everywhere import Heard, Overall, overall
from harness.purposes.line import MOST_DRIVES
from harness.purposes.settle import Assessment, assess, conclude, lacks_control, wants_another
from harness.requirements.catalogue import Catalogue
from harness.requirements.ruling import Ruling
from harness.run.job import Job
from harness.run.lines import Lines
from harness.smoke.plain import Unusable

CONFIRMING_ROUNDS = 3
"""How often plans are driven again for what breaks an invariant: another round takes another window."""


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


@dataclass
class Settling:
    """Settles cases.  Belongs to the loop of a session."""

    results: Mapping[CaseId, concurrent.futures.Future[Settled]]
    """Of each case; pytest's thread waits for them."""
    catalogue: Catalogue
    options: Options
    progress: Progress
    lines: Lines
    _judging: asyncio.Lock = field(default_factory=asyncio.Lock)
    _controls_of: dict[str, tuple[Control, ...]] = field(default_factory=dict)
    """Those of the flows to which positive controls were added when all was driven, by id."""

    def fail(self, case: Case, error: BaseException) -> None:
        """``case`` cannot be settled."""
        if not self.results[case.id].done():
            self.results[case.id].set_exception(error)

    def unusable(self, cases: Sequence[Case], unusable: Unusable) -> None:
        """Nothing is tested where no plain call can be made; but what the device sent meanwhile may break an invariant.

        That an invariant held in these few calls counts only beside one that did not.
        """
        heard = Heard(unusable.flows)
        said = {case.id: self._overall(case, heard, final=True) for case in cases if case.purpose.everywhere}
        broken = any(one.verdict is Verdict.FAIL for one in said.values())
        for flow in unusable.flows[:-1] if broken else ():
            self.options.on_flow(flow)
        for case in cases:
            if broken and case.id in said:
                self._conclude_everywhere(case, said[case.id], unusable.flows)
            else:
                self.fail(case, unusable.error)

    async def settle(self, case: Case, jobs: Sequence[Job], controls: asyncio.Task[tuple[Control, ...]]) -> None:
        """Settle ``case``, whose plans ``jobs`` drive; ``controls`` come when all plans of its device were driven."""
        result = self.results[case.id]
        try:
            repeat = self.options.repeat
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
            self.fail(case, error)

    async def _despite_the_line(
        self, case: Case, jobs: Sequence[Job], flows: list[Flow], judged: Assessment
    ) -> tuple[list[Flow], Assessment]:
        """``flows`` with the line to their device, and what they say then, if anything but a pass was seen on it."""
        if judged.verdict in (Verdict.PASS, Verdict.NONE) or judged.lost:
            return flows, judged
        line = await self.lines.line(jobs[0].station)
        if line is None:
            return flows, judged
        flows = [self.lines.on(line, flow, self._controls_of) for flow in flows]
        return flows, self._assess(case, flows)

    async def everywhere(self, axes: Axes, cases: Sequence[Case], jobs: Mapping[tuple[Plan, Axes], Job]) -> None:
        """Settle the invariants of one point of the axes, over all flows that were driven there.

        All of them together: what one has driven again is judged by the others, too, as in a replay.  A flow to which
        something has come late is stored once more, as it is judged here.
        """
        here = {plan: job for (plan, of), job in jobs.items() if of == axes}
        try:
            line: Line | None = None
            for number in itertools.count():
                flows = [self._as_stored(flow) for job in here.values() for flow in await job.completed()]
                flows = [self.lines.on(line, flow, self._controls_of) for flow in flows] if line else flows
                said = await self._said(cases, heard := Heard(tuple(flows)))
                if line is None and any(one.verdict not in (Verdict.PASS, Verdict.NONE) for one in said.values()):
                    line = await self.lines.line(next(iter(here.values())).station)
                    if line:
                        flows = [self.lines.on(line, flow, self._controls_of) for flow in flows]
                        said = await self._said(cases, heard := Heard(tuple(flows)))
                again = [plan for one in said.values() for plan in one.again]
                rounds = MOST_DRIVES if line else CONFIRMING_ROUNDS
                if not again or number == rounds or self.options.repeat > 1:
                    break
                self.progress.confirming += not number
                # On a bad line a plan is driven as often as that takes.
                await asyncio.gather(
                    *(here[plan].drive(here[plan].drives if line else 1, urgent=True) for plan in dict.fromkeys(again))
                )
            for flow in flows:
                if flow.late:
                    self.options.on_flow(flow)
            for case in cases:
                last = said[case.id]
                # What was to be driven again and was not is what this run has to say of it.
                last = self._overall(case, heard, final=True) if last.again else last
                self._conclude_everywhere(case, last, flows)
        except Exception as error:
            for case in cases:
                self.fail(case, error)

    def _conclude_everywhere(self, case: Case, said: Overall, flows: Sequence[Flow]) -> None:
        on = [flow for flow in flows if flow.id in said.flows]
        record = self._record(case, said.verdict, said.reason, said.ruled, 1, said.flows, on)
        self.progress.judged(record)
        about = {ruled.finding.flow for ruled in said.ruled}
        self.results[case.id].set_result(Settled(case, record, tuple(flow for flow in flows if flow.id in about)))

    async def _said(self, cases: Sequence[Case], heard: Heard) -> dict[CaseId, Overall]:
        """What the invariants say now, worked out beside the loop: others are still being driven there.

        One device at a time, so that no more than one thread keeps the taps waiting.
        """
        async with self._judging:
            return await asyncio.to_thread(lambda: {case.id: self._overall(case, heard, final=False) for case in cases})

    def _overall(self, case: Case, heard: Heard, *, final: bool) -> Overall:
        return overall(case.purpose, case.rows, heard, self.catalogue, self.options.ruling, final=final)

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
            window_s=self.options.window.seconds,
            drives=drives,
            evidence=tuple(evidence),
            doing=doing_of(verdict, ruled, drives, flows),
        )

    def _assess(self, case: Case, flows: Sequence[Flow]) -> Assessment:
        return assess(case.purpose, case.rows, flows, self.catalogue, self.options.ruling)

    def _as_stored(self, flow: Flow) -> Flow:
        """``flow`` with the positive controls that were added to it meanwhile: a replay judges it with them."""
        return dataclasses.replace(flow, controls=self._controls_of.get(flow.id, flow.controls))

    def _controlled(self, flow: Flow, controls: tuple[Control, ...]) -> Flow:
        """``flow`` with all positive controls of its device, stored so: it is judged again by what it holds."""
        if flow.controls == controls:
            return flow
        self._controls_of[flow.id] = controls
        whole = dataclasses.replace(flow, controls=controls, line=self.lines.of(flow))
        self.options.on_flow(whole)
        return whole
