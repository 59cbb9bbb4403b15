"""A device that dies in the middle of a run: its death is a verdict of its own, and nobody else's."""

from __future__ import annotations

from pathlib import Path

from tests.run.suite import run_suite


def test_device_that_dies_fails_what_it_must_and_is_started_again(tmp_path: Path) -> None:
    run = run_suite(tmp_path, "--fault=dies_after_603", "-k", "uac-udp and (after_decline or contact_is_called)")
    verdicts = {record["purpose"]: record["verdict"] for record in run.records}
    assert verdicts.pop("uac/after_decline/next_call_after_a_decline_works") == "fail", run.output
    assert set(verdicts.values()) <= {"pass", "inconclusive"}, run.output
    assert run.status == 1
    assert "ended with status 1" in run.output
