"""The executing side of a run, inside the pytest process that runs the purposes: items, cases, the session."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import gc
import os
import shutil
from collections.abc import Iterable, Iterator

import pytest

from harness.endpoints.sipp.binary import SippBinary
from harness.errors import SetupError, SipverdictError
from harness.judge.glimpses import Glimpse, glimpses
from harness.model.axes import Axes
from harness.model.finding import Party, Record
from harness.model.flow import Flow
from harness.model.plan import Plan
from harness.model.verdict import Verdict
from harness.policy.profiles import load as load_profiles
from harness.purposes.case import Case
from harness.purposes.discovery import all_purposes
from harness.purposes.doing import doing_of_error
from harness.purposes.purpose import (
    KEEPS_REINVITES,
    Purpose,
    applicable_rows,
    purpose_of,
)
from harness.purposes.troubles import left_out_told, troubles_text
from harness.requirements.catalogue import Catalogue, Row
from harness.run.foresight import undecidable
from harness.run.items import roles_of
from harness.run.permitted import permitted
from harness.run.session import Session
from harness.run.settings import Settings
from harness.run.settling import Options, Settled
from harness.run.suite_check import check_suite
from harness.store.folder import RunFolder
from harness.system import isolation
from harness.system.isolation import NOT_ENTERED, is_entered


class Run:
    """The executing side of a run in one pytest process."""

    def __init__(self, settings: Settings, folder: RunFolder, sipp: SippBinary) -> None:
        self.settings = settings
        self.sipp = sipp
        self.folder = folder
        self.catalogue = Catalogue.load()
        self.profiles = tuple(load_profiles(self.catalogue).values())
        self.session: Session | None = None
        self.troubles: list[str] = []
        """Errors of this machine or the set-up that occurred during the run; they set the exit status."""
        self._unstored: dict[str, SetupError] = {}
        """Why a flow could not be stored, by its id."""
        self.flows: dict[str, Flow] = {}
        """Every flow that was stored, by id: the reports need not read them again."""
        self.work = folder.path / "work" / str(os.getpid())
        self._looked_at: set[str] = set()
        self._cases: dict[str, Case] = {}
        self._by_purpose: dict[str, dict[str, Case]] = {}

    # --- collection

    def cases_for(self, purpose: Purpose) -> dict[str, Case]:
        """Every case of ``purpose`` by the parameter id of its item, including skipped cases."""
        if purpose.name not in self._by_purpose:
            cases = {case.id.item: case for case in self._make_cases(purpose)}
            self._by_purpose[purpose.name] = dict(sorted(cases.items()))
        return self._by_purpose[purpose.name]

    def _make_cases(self, purpose: Purpose) -> Iterator[Case]:
        purpose = purpose.with_rounds(self.settings.rounds)
        roles = roles_of(purpose, self.catalogue)
        for name, spec in self.settings.specs.items():
            pics = spec.profile.all_pics()
            for axes in (axes for axes in spec.axes if axes.role in roles):
                rows, why_not = applicable_rows(purpose, self.catalogue, axes, pics)
                why_not = why_not or self._cannot(purpose, name, axes.role)
                plans, unnamed = permitted(purpose, axes, spec.profile, name)
                yield Case(purpose, name, axes, rows, why_not or unnamed, plans)

    def _cannot(self, purpose: Purpose, device: str, role: str) -> str:
        """Why a purpose that applies cannot be run on ``device``; "" if it can."""
        window = self.settings.window
        if purpose.least_window > window.seconds:
            return f"needs a window of {purpose.least_window:g} s; this run's is {window.seconds:g} s ({window.name})"
        profile = self.settings.specs[device].profile
        if (own := profile.isolation) and not is_entered(own.isolation):
            return f"{device} is tested in a network of its own, and {isolation.why_not() or NOT_ENTERED}"
        missing = purpose.acts - profile.stimulus.acts
        if role == "uac" and missing:
            return f"the profile of {device} has no stimulus to {' or to '.join(sorted(missing))}"
        if role == "b2bua" and "reinvite" in purpose.acts and not profile.claims("sends_reinvite"):
            return KEEPS_REINVITES.format(device)
        return ""

    def check(self, items: Iterable[pytest.Item]) -> None:
        """Check the collected suite; PlanError or SetupError names each mistake."""
        purposes = {id(p): p for item in items if (p := purpose_of(getattr(item, "obj", None)))}
        check_suite(purposes.values(), self.catalogue)

    def wanted(self, item: pytest.Item) -> bool:
        """Whether ``item`` is to be run: all that the options choose and, with ``--again``, did not pass before."""
        again, chosen, case = self.settings.again, self.settings.selection, self._case_of(item)
        if case is None:
            return not chosen.given
        return (again is None or case.id in again.cases) and chosen.wants(case.id, self.rows(case))

    def rows(self, case: Case) -> list[Row]:
        """The requirements that ``case`` is about: those that apply or, if none does, those of its purpose."""
        return [self.catalogue[row] for row in case.rows or case.purpose.requirements]

    def plan(self, items: Iterable[pytest.Item]) -> list[str]:
        """Remember the cases of ``items``, and return their ids."""
        for item in items:
            if case := self._case_of(item):
                self._cases[item.nodeid] = case
        return list(self._cases)

    def _case_of(self, item: pytest.Item) -> Case | None:
        """The case of ``item``; None for an item that belongs to no purpose."""
        purpose = purpose_of(getattr(item, "obj", None))
        if purpose is None or not isinstance(item, pytest.Function):
            return None
        parameters = item.callspec.params
        return self.cases_for(purpose)[str(parameters.get("flow", parameters.get("flows")))]

    def foreseen(self) -> Iterator[str]:
        """What ``--gate`` and ``--profile`` ask for and this run cannot decide, a sentence each."""
        settings = self.settings
        asked = {one.name: one for one in (*settings.selection.profiles, settings.gate.profile) if one}
        return undecidable(
            asked.values(),
            settings.specs.values(),
            all_purposes(),
            self.cases_for,
            self.catalogue,
            settings.window.seconds,
        )

    def calls_by_hand(self) -> int:
        """The number of calls that a person must place in this run, without repetitions.  Equal plans share a call."""
        specs = self.settings.specs
        asked = {
            (case.device, plan, case.axes)
            for case in self._cases.values()
            if not case.skip and case.role == "uac" and specs[case.device].profile.stimulus.by_hand
            for plan in case.plans
        }
        return sum(len(plan.calls) for _, plan, _ in asked)

    def _background(self) -> dict[tuple[str, Axes], tuple[Plan, ...]]:
        """The plans of the whole suite where only invariants were chosen: they are judged over what others drive."""
        there = {(case.device, case.axes) for case in self._cases.values() if not case.purpose.everywhere}
        alone = {(c.device, c.axes) for c in self._cases.values() if c.purpose.everywhere and not c.skip} - there
        cases = (
            [
                case
                for purpose in all_purposes().values()
                if not purpose.apart
                for case in self.cases_for(purpose).values()
            ]
            if alone
            else []
        )
        return {
            (device, axes): tuple(
                dict.fromkeys(
                    plan
                    for case in cases
                    if (case.device, case.axes) == (device, axes) and not case.skip
                    for plan in case.plans
                )
            )
            for device, axes in alone
        }

    def case(self, nodeid: str) -> Case:
        """The case of the item ``nodeid``."""
        return self._cases[nodeid]

    # --- execution

    def begin(self, devices: Iterable[str] | None = None) -> Session:
        """Start driving the cases of ``devices`` (None: of all)."""
        if self.session is None:
            # Loaded modules and collected items stay until the end, so the garbage collector need not scan them.
            gc.freeze()
            settings = self.settings
            options = Options(
                settings.window,
                settings.ruling,
                self.sipp,
                self.work,
                self._store,
                smoke=settings.smoke,
                repeat=settings.repeat,
                weather=settings.weather,
                key_log=self.folder.path / "tls-keys.log",
                background=self._background(),
            )
            self.session = Session(self.settings.specs, tuple(self._cases.values()), self.catalogue, options)
            # A worker of xdist receives its devices one by one and has no terminal.
            self.session.progress.person.attended = devices is None
        for device in devices if devices is not None else {case.device: None for case in self._cases.values()}:
            self.session.begin(device)
        return self.session

    def _store(self, flow: Flow) -> None:
        try:
            self.folder.write_flow(flow)
            self.flows[flow.id] = flow
        except SetupError as error:
            self._unstored[flow.id] = error
            self.trouble(error)

    def trouble(self, error: SetupError) -> None:
        """Remember ``error``, once."""
        if str(error) not in self.troubles:
            self.troubles.append(str(error))

    def pending(self, item: pytest.Item) -> concurrent.futures.Future[Settled] | None:
        """The future of the verdict of ``item``; None if there is nothing to wait for."""
        case = self._cases.get(item.nodeid)
        return None if case is None or case.skip or self.session is None else self.session.result(case)

    def settle(self, nodeid: str) -> Settled:
        """The verdict of an item; waits for it.  Never raises for a device."""
        case = self._cases[nodeid]
        if case.skip:
            return Settled(case, self._record(case, case.skip), ())
        try:
            # An xdist worker receives its items one by one: the first item of a device starts its drives.
            settled = self.begin((case.device,)).result(case).result()
            if lost := next((self._unstored[flow] for flow in settled.record.evidence if flow in self._unstored), None):
                reason = f"its evidence could not be stored: {lost.cause}"
                return Settled(
                    case, self._record(case, reason, Verdict.INCONCLUSIVE, hint=lost.hint, doing="harness"), ()
                )
            return settled
        except SipverdictError as error:
            if isinstance(error, SetupError):
                self.trouble(error)
            doing = doing_of_error(error)
            record = self._record(case, error.cause, Verdict.INCONCLUSIVE, hint=error.hint, doing=doing)
            return Settled(case, record, ())
        except (asyncio.CancelledError, concurrent.futures.CancelledError):
            return Settled(case, self._record(case, "the run was stopped", Verdict.INCONCLUSIVE, doing="harness"), ())
        except Exception as error:
            # A bug in one purpose gets a record that says so, so that no verdict is missing.
            reason = f"bug in the suite: {type(error).__name__}: {error}"
            return Settled(case, self._record(case, reason, Verdict.INCONCLUSIVE, doing="harness"), (), error)

    def glimpses(self, flows: Iterable[Flow]) -> dict[str, dict[str, Glimpse]]:
        """The features of the device that each of ``flows`` shows, by flow.  Each flow is reported once."""
        fresh = {flow.id: glimpses(flow) for flow in flows if flow.id not in self._looked_at}
        self._looked_at |= fresh.keys()
        return fresh

    def _record(
        self, case: Case, reason: str, verdict: Verdict = Verdict.NONE, *, hint: str = "", doing: Party = ""
    ) -> Record:
        return Record(
            purpose=case.purpose.name,
            device=case.device,
            role=case.role,
            transport=case.transport,
            family=case.family,
            verdict=verdict,
            skipped=case.skipped,
            reason=" ".join((f"{reason} ({hint})" if hint else reason).split()),
            requirements=(),
            window_s=self.settings.window.seconds,
            drives=0,
            evidence=(),
            doing=doing,
        )

    def end(self) -> None:
        """Stop everything and delete SIPp's own files: the flows hold their content."""
        if self.session is not None:
            self.session.close()
            shutil.rmtree(self.work, ignore_errors=True)
            # The last of several xdist workers finds the folder around it empty.
            with contextlib.suppress(OSError):
                self.work.parent.rmdir()


def troubles_of(settled: Settled) -> str:
    """The troubles that prevented a verdict, and their causes; "" without any, or if the reason names them already."""
    record = settled.record
    return troubles_text(record.verdict, record.reason, record.drives, settled.flows)


def with_troubles(settled: Settled) -> Settled:
    """``settled`` with a reason that says what :func:`troubles_of` says, and which plans were left out."""
    left_out = left_out_told(settled.case.purpose, settled.case.role, settled.flows)
    if told := [text for text in (troubles_of(settled), left_out) if text]:
        record = dataclasses.replace(settled.record, reason=" - ".join((settled.record.reason, *told)))
        return dataclasses.replace(settled, record=record)
    return settled
