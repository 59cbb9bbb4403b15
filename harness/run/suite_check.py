"""Checks of the suite itself, at collection: a mistake in a purpose shows before any device is called."""

from __future__ import annotations

from collections.abc import Iterable

from harness.devices.reference.faults import FAULTS
from harness.endpoints.sipp.scenario import render_answer, render_call
from harness.errors import PlanError
from harness.model.plan import NUMBERS, Places, Plan
from harness.net.address import Address
from harness.purposes.purpose import Purpose
from harness.requirements.catalogue import Catalogue

_SAMPLE = Address("127.0.0.1")


def check_suite(purposes: Iterable[Purpose], catalogue: Catalogue) -> None:
    """PlanError listing everything that is wrong with ``purposes``."""
    known_faults = {fault.name for fault in FAULTS}
    wrong: list[str] = []
    names: set[str] = set()
    rendered: set[object] = set()
    for purpose in purposes:
        if purpose.name in names:
            wrong.append(f"{purpose.name}: two purposes have this name")
        names.add(purpose.name)
        if not purpose.requirements:
            wrong.append(f"{purpose.name}: it decides no requirement")
        unknown = [row for row in purpose.requirements if row not in catalogue]
        wrong += [f"{purpose.name}: {row} is not in the catalogue" for row in unknown]
        missing = [fault for fault in purpose.faults if fault not in known_faults]
        wrong += [f"{purpose.name}: the reference device has no fault {fault}" for fault in missing]
        if not purpose.summary:
            wrong.append(f"{purpose.name}: its docstring does not say the rule")
        for plan in purpose.plans:
            if plan not in rendered:
                rendered.add(plan)
                wrong += [f"{purpose.name}: {problem}" for problem in _problems(plan)]
    if wrong:
        raise PlanError("the suite is not in order:\n  " + "\n  ".join(wrong), "correct these purposes")


def _problems(plan: Plan) -> list[str]:
    seats = {endpoint.name: _SAMPLE for endpoint in plan.endpoints}
    places = Places("70000000", seats, _SAMPLE, dict.fromkeys(NUMBERS, f"sip:{_SAMPLE}"))
    problems = []
    for call in plan.calls:
        try:
            render_call(call, places, _SAMPLE, plan.bindings)
        except PlanError as error:
            problems.append(error.cause)
    for endpoint in plan.endpoints:
        try:
            render_answer(endpoint, places, _SAMPLE, {call.method for call in plan.calls})
        except PlanError as error:
            problems.append(error.cause)
    return problems
