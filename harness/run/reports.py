"""The pytest hooks of the process that publishes a run: what its verdicts amount to, and the files pytest writes."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from _pytest.junitxml import xml_key

from harness.errors import SetupError
from harness.report.junit import by_device
from harness.run.execution import Run
from harness.run.publisher import Publisher
from harness.store.files import cannot_write
from harness.system.signals import ended_by


class Reports:
    """The hooks that only the publishing process has."""

    def __init__(self, publisher: Publisher, run: Run | None) -> None:
        self._publisher = publisher
        self._run = run

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object | None) -> None:
        """xdist: a worker ended; with an error if it did so by itself, with or without something left to do."""
        if error is not None:
            self._publisher.crashed.append(f"worker {node.gateway.id}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Publish the record of a report."""
        self._publisher.take(report)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None, object, object]:
        """Planned must be executed; the exit status says what the run amounts to."""
        result: object = None
        junit: Any = session.config.stash.get(xml_key, None)
        for loss in self._publisher.losses if junit else ():
            junit.add_global_property("sipverdict.device_lost", loss.sentence)
        for sentence in self._publisher.conditions if junit else ():
            junit.add_global_property("sipverdict.conditions", sentence)
        try:
            result = yield
            if junit:
                by_device(Path(junit.logfile))
        except OSError as error:  # of what pytest writes itself: junit.xml
            self._publisher.trouble(cannot_write(Path(error.filename or self._publisher.folder.path), error))
        except SetupError as error:
            self._publisher.trouble(error)
        # They came in the order of their verdicts; people look for them in the suite's.
        if reporter := session.config.pluginmanager.get_plugin("terminalreporter"):
            for reports in reporter.stats.values():
                reports.sort(key=lambda report: self._publisher.place(getattr(report, "nodeid", "")))
        for trouble in self._run.troubles if self._run else ():
            self._publisher.trouble(trouble)
        interrupted = exitstatus == pytest.ExitCode.INTERRUPTED or bool(ended_by())
        status = self._publisher.close(self._run.flows if self._run else {}, interrupted=interrupted)
        if session.config.option.contract_exit and exitstatus in (
            pytest.ExitCode.OK,
            pytest.ExitCode.TESTS_FAILED,
            pytest.ExitCode.INTERRUPTED,
        ):
            session.exitstatus = int(status)
        elif exitstatus == pytest.ExitCode.OK and status:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return result

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
        """The table at the end."""
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            self._publisher.say_nothing_chosen(terminalreporter)
        self._publisher.summarise(terminalreporter)
