"""Checks of the suite itself, at collection: a mistake in a purpose shows before any device is called."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable, Iterator

from harness import judge
from harness.devices.reference.faults import FAULTS
from harness.endpoints.sipp.answer_scenario import render_answer
from harness.endpoints.sipp.call_scenario import render_call
from harness.errors import PlanError
from harness.model.finding_key import CODE_FORM
from harness.model.places import Places
from harness.model.plan import NUMBERS, Plan
from harness.net.address import Address
from harness.purposes.purpose import Purpose
from harness.requirements.catalogue import Catalogue

_SAMPLE = Address("127.0.0.1")
_BARE = re.compile(r"\s*sips?:(?![^<\"]*>)[^<>\"]*\{(?!token\b|domain\b)\w")
"""A Contact that names an endpoint, and has no brackets."""
_TRANSPORT_LOST = "without brackets ;transport is no parameter of the URI (20.10): the plan needs over=('udp',)"
_LATE = re.compile(r"sips?:[^@{]+\{token\}")
"""A number with digits before those of the drive."""
_NOT_FIRST = "a dial plan goes by the first digits, and those are lab.prefix: write {token} first"
_TWO = re.compile(r";transport=[^<>?]*;transport=", re.IGNORECASE)
_TWICE = "over TCP its URI has ;transport twice (19.1.1): write {target.host}:{target.port};transport={transport}"


def check_suite(purposes: Iterable[Purpose], catalogue: Catalogue) -> None:
    """Raise PlanError with every mistake in ``purposes``."""
    known_faults = {fault.name for fault in FAULTS}
    wrong: list[str] = []
    names: set[str] = set()
    rendered: set[object] = set()
    modules: set[str] = set()
    for purpose in purposes:
        modules.add(purpose.judge.__module__)
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
    wrong += [problem for name in sorted(modules | _judge_modules()) for problem in malformed_codes(name)]
    if wrong:
        raise PlanError("the suite is not in order:\n  " + "\n  ".join(wrong), "correct these purposes")


def _judge_modules() -> set[str]:
    return {f"{judge.__name__}.{module.name}" for module in pkgutil.iter_modules(judge.__path__)}


def malformed_codes(module: str) -> list[str]:
    """What is wrong with the codes of findings in the source of ``module``, each with its line.

    A judge writes a code as a literal in the finding that it yields, so codes are checked without a flow.
    """
    found = []
    for call in ast.walk(ast.parse(inspect.getsource(importlib.import_module(module)))):
        if isinstance(call, ast.Call):
            codes = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
            found += [
                f"{module}, line {text.lineno}: {text.value!r} is no code: words of a-z and 0-9 joined by hyphens"
                for code in codes
                for text in _results(code)
                if not CODE_FORM.fullmatch(str(text.value))
            ]
    return found


def _results(code: ast.expr) -> Iterator[ast.Constant]:
    """The literals that ``code`` may evaluate to.  A computed code is checked when the finding is made."""
    if isinstance(code, ast.IfExp):
        yield from (*_results(code.body), *_results(code.orelse))
    elif isinstance(code, ast.Constant):
        yield code


def _problems(plan: Plan) -> list[str]:
    seats = {endpoint.name: _SAMPLE for endpoint in plan.endpoints}
    places = Places("70000000", seats, _SAMPLE, dict.fromkeys(NUMBERS, f"sip:{_SAMPLE}"))
    problems = []
    if not plan.over:
        values = [
            value
            for endpoint in plan.endpoints
            for answer in endpoint.answers
            for response in answer.responses
            for value in response.contacts
        ]
        over_tcp = Places("70000000", dict.fromkeys(seats, Address("127.0.0.1", transport="tcp")))
        problems += [f"Contact {value}: {_TRANSPORT_LOST}" for value in values if _BARE.match(value)]
        problems += [f"Contact {value}: {_TWICE}" for value in values if _TWO.search(over_tcp.fill(value))]
    problems += [f"call of {call.to}: {_NOT_FIRST}" for call in plan.calls if _LATE.match(call.to)]
    for call in plan.calls:
        try:
            render_call(call, places, _SAMPLE)
        except PlanError as error:
            problems.append(error.cause)
    for endpoint in plan.endpoints:
        try:
            render_answer(endpoint, places, _SAMPLE, {call.method for call in plan.calls})
        except PlanError as error:
            problems.append(error.cause)
    return problems
