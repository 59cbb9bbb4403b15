"""A pytest plugin: end a run as soon as one case fails; what else the device does wrong is not asked."""

from __future__ import annotations

import pytest

from harness.run.publisher import PAYLOAD
from harness.store.codec import load
from harness.store.verdict_lines import VerdictLine


class Stop:
    """Ends the session after the first case that fails."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Look at the record that came with the report."""
        payload = getattr(report, PAYLOAD, None)
        if payload is None:
            return
        record = load(VerdictLine, payload["record"], report.nodeid)
        if record.verdict == "fail":
            self._session.shouldstop = f"{record.purpose} failed"


def pytest_sessionstart(session: pytest.Session) -> None:
    """Listen to the reports of this session."""
    session.config.pluginmanager.register(Stop(session), "mutants-stop-at-fail")
