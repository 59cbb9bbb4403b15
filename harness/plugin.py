"""The pytest hooks.  They only connect: options to a run, items to cases, verdicts to reports.

A pytest process executes purposes (:class:`harness.run.execution.Run`), talks to the person
(:class:`harness.run.publisher.Publisher`), or does both; under pytest-xdist workers do the one and the controller the
other.  Both are absent when what is run is not the suite (the harness's own tests, for one).
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest
from _pytest.junitxml import xml_key

from harness.endpoints.sipp.binary import find_sipp
from harness.errors import SetupError, SipverdictError
from harness.live.line import LiveLine
from harness.paths import SUITES
from harness.purposes.purpose import ROBUSTNESS, purpose_of
from harness.report.steps import times_of
from harness.report.text import text_of
from harness.run import allure_result
from harness.run.allure_files import listen
from harness.run.execution import Run, troubles_of, with_troubles
from harness.run.item_order import run_items
from harness.run.options import add_to_pytest
from harness.run.publisher import PAYLOAD, Publisher
from harness.run.pytest_outcome import junit_properties, settle
from harness.run.reports import Reports
from harness.run.selection import MARKERS, marks
from harness.run.settings import Settings
from harness.run.settling import Settled
from harness.store.codec import dump
from harness.store.folder import RunFolder
from harness.store.verdict_lines import VerdictLine
from harness.system.signals import ends_as_asked
from harness.system.terminal import write_plainly

_RUN = pytest.StashKey[Run]()
PUBLISHER = pytest.StashKey[Publisher]()
_LIVE = pytest.StashKey[LiveLine]()
_SETTLED = pytest.StashKey[Settled]()
_SHOWN = pytest.StashKey[set[str]]()
_FOLDER = "sipverdict_folder"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of a run."""
    add_to_pytest(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Check the options before anything is collected: a wrong one is a usage error, not a traceback."""
    if not _runs_suite(config):
        return
    write_plainly()
    try:
        settings, sipp = Settings.of(config), find_sipp()
        folder = getattr(config, "workerinput", {}).get(_FOLDER)
        if folder is None and not config.option.collectonly:
            publisher = config.stash[PUBLISHER] = Publisher(settings, sipp)
            config.option.xmlpath = config.option.xmlpath or str(publisher.folder.junit)
            if sipp.warning:
                sys.stderr.write(f"WARNING: {sipp.warning}\n")
            folder = publisher.folder.path
        for marker, meaning in MARKERS.items():
            config.addinivalue_line("markers", f"{marker}: {meaning}")
        run = config.stash[_RUN] = Run(settings, RunFolder(Path(folder or settings.out)), sipp)
        if folder is not None:
            listen(config, run.folder.allure_results, run.trouble)
    except SipverdictError as error:
        raise pytest.UsageError(str(error)) from None


def _runs_suite(config: pytest.Config) -> bool:
    """Whether any of the paths that pytest was given lies in the suite."""
    if config.option.help or config.option.version:
        return False
    return any(path.is_relative_to(SUITES) or SUITES.is_relative_to(path) for path in _paths(config))


def _paths(config: pytest.Config) -> list[Path]:
    """The paths that pytest was given."""
    return [(config.invocation_params.dir / str(arg).split("::")[0]).resolve() for arg in config.args]


# --- collection


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What is run apart is collected where it is asked for, by an option or by its path."""
    option = config.option
    if collection_path != SUITES / ROBUSTNESS or option.robustness or option.robustness_rounds:
        return None
    return None if any(path.is_relative_to(collection_path) for path in _paths(config)) else True


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A purpose is one item per device, point of the axes, named by a string so that histories stay comparable."""
    purpose = purpose_of(metafunc.function)
    run = metafunc.config.stash.get(_RUN, None)
    if purpose is not None and run is not None:
        fixture = "flows" if "flows" in metafunc.fixturenames else "flow"
        cases = run.cases_for(purpose).items()
        made = [pytest.param(name, id=name, marks=marks(case.id, run.rows(case), run.profiles)) for name, case in cases]
        metafunc.parametrize(fixture, made)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Check the suite before it is run: unique names, known requirements and faults, plans that render."""
    if run := config.stash.get(_RUN, None):
        try:
            run.check(items)
        except SipverdictError as error:
            raise pytest.UsageError(str(error)) from None
        # A purpose for roles that no device of this run has: pytest makes an item of it that could only be skipped.
        others = [item for item in items if purpose_of(getattr(item, "obj", None)) and item.name.endswith("[NOTSET]")]
        others += [item for item in items if item not in others and not run.wanted(item)]
        if others:
            config.hook.pytest_deselected(items=others)
            items[:] = [item for item in items if item not in others]


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is left after deselection is what this run has planned."""
    run = session.config.stash.get(_RUN, None)
    if run is None or session.config.option.collectonly:
        return
    planned = run.plan(session.items)
    if publisher := session.config.stash.get(PUBLISHER, None):
        _plan(session.config, publisher, planned)
        if terminal := session.config.pluginmanager.get_plugin("terminalreporter"):
            for sentence in run.foreseen():
                terminal.write_line(f"PROFILE  {sentence}")


def _plan(config: pytest.Config, publisher: Publisher, items: Iterable[str]) -> None:
    try:
        publisher.plan(items)
    except SetupError as error:
        raise pytest.UsageError(str(error)) from None
    if junit := config.stash.get(xml_key, None):
        junit.add_global_property("window", str(publisher.settings.window))
        junit.add_global_property("limits", publisher.scope.window)
        junit.add_global_property("scope", publisher.scope.cases)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """xdist: tell a worker where the run is stored."""
    if publisher := node.config.stash.get(PUBLISHER, None):
        node.workerinput[_FOLDER] = str(publisher.folder.path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: list[str]) -> None:
    """xdist: what the workers collected is what is planned."""
    if publisher := node.config.stash.get(PUBLISHER, None):
        _plan(node.config, publisher, [nodeid for nodeid in ids if "[" in nodeid])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object | None:
    """xdist: one device stays on one worker."""
    publisher = config.stash.get(PUBLISHER, None)
    if publisher is None:
        return None
    from harness.run.scheduling import DevicePerWorker

    return DevicePerWorker(config, log, publisher.items)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """A signal ends the collection wherever it strikes."""
    with ends_as_asked():
        return (yield)


# --- execution


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Leave nothing behind after the last test."""
    config = session.config
    run = config.stash.get(_RUN, None)
    executes = run is not None and not config.option.collectonly and not _is_controller(config)
    try:
        with ends_as_asked():
            return (yield)
    finally:
        if run is not None and executes:
            if live := config.stash.get(_LIVE, None):
                live.clear()
            run.end()


@pytest.hookimpl(specname="pytest_runtestloop", tryfirst=True)
def pytest_runtestloop_of_a_run(session: pytest.Session) -> bool | None:
    """Drive all devices at once, and take the items in the order in which their verdicts come."""
    config = session.config
    run = config.stash.get(_RUN, None)
    # An xdist worker is told its items one by one: there a device is begun by the first of them.  What else there is to
    # do (nothing at all, or to complain of what could not be collected) is done by pytest's own loop.
    others = config.option.collectonly or session.testsfailed or _is_controller(config)
    if run is None or others or hasattr(config, "workerinput"):
        return None
    driving = run.begin()
    live = config.stash[_LIVE] = LiveLine(config, driving.progress, run.calls_by_hand())
    run_items(session, run.pending, driving.progress.calling, live.tick)
    return True


def _is_controller(config: pytest.Config) -> bool:
    return config.pluginmanager.hasplugin("dsession")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Wait for the verdict of a purpose, and say it in pytest's words."""
    __tracebackhide__ = True
    if purpose_of(pyfuncitem.obj) is None:
        return None
    run = pyfuncitem.config.stash[_RUN]
    settled = run.settle(pyfuncitem.nodeid)
    troubles = troubles_of(settled)
    settled = with_troubles(settled)
    pyfuncitem.stash[_SETTLED] = settled
    line = VerdictLine.of(settled.record)
    pyfuncitem.user_properties += junit_properties(line, run.rows(settled.case))
    if settled.error is not None:
        raise settled.error
    source = run.settings.specs[settled.case.device].source
    text = text_of(line, run.catalogue, source, run.settings.window.name, run.settings.columns)
    text += f"\n{troubles}" if troubles else ""
    # Drawing ladders that nobody keeps takes longer than judging (-p no:allure_pytest).
    if pyfuncitem.config.pluginmanager.hasplugin("allure_listener"):
        allure_result.report(pyfuncitem, line, settled.flows, run.rows(settled.case), text)
    settle(line, text)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Send the record along with the report, and show a finding as it is, without the harness's own frames."""
    report = yield
    settled = item.stash.get(_SETTLED, None)
    if settled is not None and call.when == "call":
        if settled.flows:
            began, ended, report.duration = times_of(settled.flows)
            allure_result.set_times(item, began, ended)
        run = item.config.stash[_RUN]
        waited = run.session.progress.waited if run.session else 0.0
        line = VerdictLine.of(settled.record)
        losses = [dump(one) for one in run.session.losses] if run.session else []
        conditions = list(run.session.conditions) if run.session else []
        payload = {"record": dump(line), "verdict": line.verdict, "waited": waited, "troubles": run.troubles}
        setattr(
            report,
            PAYLOAD,
            payload | {"glimpses": run.glimpses(settled.flows), "losses": losses, "conditions": conditions},
        )
        if (
            report.failed
            and call.excinfo is not None
            and isinstance(call.excinfo.value, AssertionError | SipverdictError)
        ):
            text = str(call.excinfo.value)
            # What kept a device from being used at all is shown once.
            shown = item.config.stash.setdefault(_SHOWN, set())
            report.longrepr = "the same as above" if not settled.record.drives and text in shown else text
            shown.add(text)
    return report


# --- reporting


def pytest_sessionstart(session: pytest.Session) -> None:
    """Let the publisher hear every test report."""
    if publisher := session.config.stash.get(PUBLISHER, None):
        run = session.config.stash.get(_RUN, None)
        session.config.pluginmanager.register(Reports(publisher, run), "sipverdict-reports")


def pytest_unconfigure(config: pytest.Config) -> None:
    """A run that was ended before it was planned leaves no folder: pytest calls no other hook then."""
    if publisher := config.stash.get(PUBLISHER, None):
        publisher.discard_unplanned()


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """No dots for purposes: the live line tells how far the run is."""
    payload = getattr(report, PAYLOAD, None)
    if payload is None or report.when != "call":
        return None
    if report.skipped:
        return "skipped", "", payload["verdict"].replace("_", " ").upper()
    verdict = payload["verdict"]
    category = {"fail": "failed", "inconclusive": "failed", "none": "skipped"}.get(verdict, "passed")
    return category, "", verdict.upper()
