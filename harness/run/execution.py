"""The executing side of a run, inside the pytest process that runs the purposes: items, cases, the session."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import gc
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence

import pytest

from harness.device import Profile
from harness.drive.domain import redirects_strangers
from harness.endpoints.sipp.binary import SippBinary
from harness.errors import SetupError, SipverdictError
from harness.judge.observed import Glimpse, glimpses
from harness.model.axes import Axes
from harness.model.finding import Record
from harness.model.flow import Flow
from harness.model.plan import Plan
from harness.model.verdict import Verdict
from harness.purposes.case import Case
from harness.purposes.discovery import all_purposes
from harness.purposes.purpose import NOT_RELAYED, Purpose, applicable_rows, purpose_of
from harness.purposes.troubles import troubles_told
from harness.requirements.catalogue import Catalogue, Row
from harness.run.items import axes_of
from harness.run.session import Options, Session, Settled
from harness.run.settings import Settings
from harness.run.suite_check import check_suite
from harness.store.folder import RunFolder


class Run:
    """What the purposes of one pytest process are run with."""

    def __init__(self, settings: Settings, folder: RunFolder, sipp: SippBinary) -> None:
        self.settings = settings
        self.sipp = sipp
        self.folder = folder
        self.catalogue = Catalogue.load()
        self.session: Session | None = None
        self.troubles: list[str] = []
        """What is wrong with this machine or the set-up, found while the run went on; its exit status says so."""
        self.work = folder.path / "work" / str(os.getpid())
        self._looked_at: set[str] = set()
        self._cases: dict[str, Case] = {}
        self._by_purpose: dict[str, dict[str, Case]] = {}

    # --- collection

    def cases_for(self, purpose: Purpose) -> dict[str, Case]:
        """Every case of ``purpose`` by the parameter id of its item, those that do not apply included."""
        if purpose.name not in self._by_purpose:
            cases = {case.id.item: case for case in self._make_cases(purpose)}
            self._by_purpose[purpose.name] = dict(sorted(cases.items()))
        return self._by_purpose[purpose.name]

    def _make_cases(self, purpose: Purpose) -> Iterator[Case]:
        roles = purpose.roles or tuple(dict.fromkeys(r for row in purpose.requirements for r in self._roles(row)))
        for name, spec in self.settings.specs.items():
            pics = spec.profile.all_pics()
            for axes in (axes for axes in axes_of(spec) if axes.role in roles):
                rows, why_not = applicable_rows(purpose, self.catalogue, axes, pics)
                left_out = self._left_out(purpose, name, axes.role)
                why_not = why_not or self._cannot(purpose, name, axes.role, left_out)
                yield Case(purpose, name, axes, () if why_not else rows, why_not, () if why_not else left_out)

    def _roles(self, row: str) -> Sequence[str]:
        return self.catalogue[row].roles if row in self.catalogue else ()

    def _left_out(self, purpose: Purpose, device: str, role: str) -> tuple[Plan, ...]:
        """The plans that cannot be driven, where others can and are judged without them."""
        profile, plans = self.settings.specs[device].profile, purpose.plans_for(role)
        cannot = tuple(plan for plan in plans if _cannot_call(plan, profile, device, role))
        return cannot if purpose.each_alone and len(cannot) < len(plans) else ()

    def _cannot(self, purpose: Purpose, device: str, role: str, left_out: Sequence[Plan]) -> str:
        """Why a purpose that applies cannot be run on ``device``; "" if it can."""
        window = self.settings.window
        if purpose.least_window > window.seconds:
            return f"needs a window of {purpose.least_window:g} s; this run's is {window.seconds:g} s ({window.name})"
        profile = self.settings.specs[device].profile
        missing = purpose.acts - profile.stimulus.acts
        if role == "uac" and missing:
            return f"the profile of {device} has no stimulus to {' or to '.join(sorted(missing))}"
        plans = (plan for plan in purpose.plans_for(role) if plan not in left_out)
        return next(filter(None, (_cannot_call(plan, profile, device, role) for plan in plans)), "")

    def check(self, items: Iterable[pytest.Item]) -> None:
        """Check the suite as collected: PlanError or SetupError names what is wrong with it."""
        purposes = {id(p): p for item in items if (p := purpose_of(getattr(item, "obj", None)))}
        check_suite(purposes.values(), self.catalogue)

    def wanted(self, item: pytest.Item) -> bool:
        """Whether ``item`` is to be run: all are, unless only what did not pass in another run is run again."""
        again, case = self.settings.again, self._case_of(item)
        return again is None or case is None or case.id in again.cases

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
        """The case of ``item``; None for an item that is of no purpose."""
        purpose = purpose_of(getattr(item, "obj", None))
        if purpose is None or not isinstance(item, pytest.Function):
            return None
        parameters = item.callspec.params
        return self.cases_for(purpose)[str(parameters.get("flow", parameters.get("flows")))]

    def calls_by_hand(self) -> int:
        """How many calls a person must place in this run, if none has to be repeated: equal plans share theirs."""
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
            [case for purpose in all_purposes().values() for case in self.cases_for(purpose).values()] if alone else []
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
            # What has been loaded and collected stays: the garbage collector need not look through it again and again.
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
                background=self._background(),
            )
            self.session = Session(self.settings.specs, tuple(self._cases.values()), self.catalogue, options)
            # A worker of xdist, which is told its devices one by one, has no terminal.
            self.session.progress.person.attended = devices is None
        for device in devices if devices is not None else {case.device: None for case in self._cases.values()}:
            self.session.begin(device)
        return self.session

    def _store(self, flow: Flow) -> None:
        try:
            self.folder.write_flow(flow)
        except SetupError as error:
            self.trouble(error)

    def trouble(self, error: SetupError) -> None:
        """Remember ``error``, once."""
        if str(error) not in self.troubles:
            self.troubles.append(str(error))

    def pending(self, item: pytest.Item) -> concurrent.futures.Future[Settled] | None:
        """What the verdict of ``item`` will come of; None if there is nothing to wait for."""
        case = self._cases.get(item.nodeid)
        return None if case is None or case.skip or self.session is None else self.session.result(case)

    def settle(self, nodeid: str) -> Settled:
        """The verdict of an item; waits for it.  Never raises for a device."""
        case = self._cases[nodeid]
        if case.skip:
            return Settled(case, self._record(case, case.skip, applicable=False), ())
        try:
            # An xdist worker is told its items one by one: there a device is begun by the first of them.
            return self.begin((case.device,)).result(case).result()
        except SipverdictError as error:
            if isinstance(error, SetupError):
                self.trouble(error)
            return Settled(case, self._record(case, error.cause, Verdict.INCONCLUSIVE, hint=error.hint), ())
        except (asyncio.CancelledError, concurrent.futures.CancelledError):
            return Settled(case, self._record(case, "the run was stopped", Verdict.INCONCLUSIVE), ())
        except Exception as error:
            # A mistake of ours in one purpose: it is shown as what it is, and its verdict is not missing.
            reason = f"the suite itself broke: {type(error).__name__}: {error}"
            return Settled(case, self._record(case, reason, Verdict.INCONCLUSIVE), (), error)

    def glimpses(self, flows: Iterable[Flow]) -> dict[str, dict[str, Glimpse]]:
        """What each of ``flows`` shows of the device's features, by flow; a flow is said but once."""
        fresh = {flow.id: glimpses(flow) for flow in flows if flow.id not in self._looked_at}
        self._looked_at |= fresh.keys()
        return fresh

    def _record(
        self, case: Case, reason: str, verdict: Verdict = Verdict.NONE, *, applicable: bool = True, hint: str = ""
    ) -> Record:
        return Record(
            purpose=case.purpose.name,
            device=case.device,
            role=case.role,
            transport=case.transport,
            family=case.family,
            verdict=verdict,
            applicable=applicable,
            reason=" ".join((f"{reason} ({hint})" if hint else reason).split()),
            requirements=(),
            window_s=self.settings.window.seconds,
            drives=0,
            evidence=(),
        )

    def end(self) -> None:
        """Stop everything.  SIPp's own files go: what they say is in the flows."""
        if self.session is not None:
            self.session.close()
            shutil.rmtree(self.work, ignore_errors=True)
            # The last of several xdist workers finds the folder around it empty.
            with contextlib.suppress(OSError):
                self.work.parent.rmdir()


def _cannot_call(plan: Plan, profile: Profile, device: str, role: str) -> str:
    """Why the calls of ``plan`` cannot be made through ``device``; "" if they can."""
    if unnamed := [name for name in plan.numbers if name not in profile.all_numbers()]:
        return f"the profile of {device} names no number for it: lab.numbers.{' and lab.numbers.'.join(unnamed)}"
    if plan.bindings and not profile.lab.registrar and not all(call.numbers for call in plan.calls):
        return f"nothing can be registered with {device}: its profile does not say lab.registrar = true"
    met_at_home = role == "proxy" and profile.lab.registrar and not profile.claims("relays_foreign")
    if met_at_home and redirects_strangers(plan):
        return NOT_RELAYED.format(device)
    return ""


def troubles_of(settled: Settled) -> str:
    """What was in the way of a verdict, and whose trouble that is; "" if nothing was or the reason says it already."""
    record = settled.record
    return troubles_told(record.verdict, record.reason, record.drives, settled.flows)


def with_troubles(settled: Settled) -> Settled:
    """``settled`` with a reason that says what :func:`troubles_of` says."""
    if troubles := troubles_of(settled):
        record = dataclasses.replace(settled.record, reason=f"{settled.record.reason} - {troubles}")
        return dataclasses.replace(settled, record=record)
    return settled
