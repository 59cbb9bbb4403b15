"""Runs as a user makes them: what they say, what they leave behind, and what happens when they are cut off."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.commands.replay import replay
from tests.run.suite import ROOT, Finished, command, left_behind, run_suite


@pytest.fixture(scope="module")
def faultless(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return run_suite(tmp_path_factory.mktemp("runs"))


def test_faultless_device_passes_everything_it_claims(faultless: Finished) -> None:
    assert {record["verdict"] for record in faultless.records} == {"pass", "not_tested", "not_applicable"}, (
        faultless.output
    )
    assert faultless.status == 0
    assert faultless.lines[0]["planned"] == faultless.lines[-1]["executed"] == len(faultless.records)


def test_every_verdict_names_its_grounds(faultless: Finished) -> None:
    """A pass names the message that it rests on, or what was seen; a case that was not asked says why."""
    found = [(one["purpose"], row) for one in faultless.records for row in one["requirements"]]
    assert [name for name, row in found if row["message"] is None and not row["actual"]] == []
    assert [one["purpose"] for one in faultless.records if not one["requirements"] and not one["reason"]] == []


def test_run_leaves_its_contract_behind_and_nothing_else(faultless: Finished) -> None:
    kept = {path.name for path in faultless.folder.iterdir()}
    assert kept == {"verdicts.jsonl", "flows", "allure-results", "junit.xml", "index.html"}
    assert left_behind(faultless.out) == []


def test_replay_reaches_the_same_verdicts_without_sipp(faultless: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert replay(str(faultless.folder)) == 0


def test_replay_notices_a_verdict_that_the_evidence_does_not_bear(faultless: Finished, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(faultless.folder), str(copy)], check=True)
    lines = [json.loads(line) for line in (copy / "verdicts.jsonl").read_text().splitlines()]
    record = next(line for line in lines if line.get("verdict") == "pass" and "purpose" in line)
    record["verdict"] = record["requirements"][0]["verdict"] = "warn"
    lines[-1]["counts"]["pass"] -= 1
    lines[-1]["counts"] = {"warn": 1, **lines[-1]["counts"]}
    lines[-1]["verdict"] = "warn"
    (copy / "verdicts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert replay(str(copy)) == 4


def test_two_workers_reach_the_same_verdicts_and_one_device_stays_on_one(tmp_path: Path, faultless: Finished) -> None:
    asked = ("--fault=ack_with_body", "--fault=ack_contact_request_uri", "-k", "uac-udp and test_ack.py")
    both = run_suite(tmp_path, "-n2", *asked)
    assert both.lines[0]["planned"] == both.lines[-1]["executed"]
    alone = run_suite(tmp_path / "alone", *asked)
    assert "fail" in both.verdicts().values()
    assert both.verdicts() == alone.verdicts()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_run_that_is_cut_off_leaves_no_process_and_keeps_what_was_judged(tmp_path: Path, how: signal.Signals) -> None:
    process = subprocess.Popen(
        command(tmp_path, "-k", "uac-udp"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Workers of pytest-xdist ignore SIGINT, and who ignores it passes that on: a user's shell does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        wait_for(lambda: len(left_behind(tmp_path)) > 20)
        process.send_signal(how)
        output, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    wait_for(lambda: left_behind(tmp_path) == [])
    lines = (tmp_path / "latest" / "verdicts.jsonl").read_text().splitlines()
    assert "executed" not in lines[-1], "a run that was cut off has no footer"
    if how is signal.SIGINT:
        assert process.returncode == 2
        assert "incomplete" in output


def test_two_runs_at_once_do_not_meet(tmp_path: Path) -> None:
    runs = [
        subprocess.Popen(
            command(tmp_path / name, "-k", "uac-udp and decline"), cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for name in ("one", "two")
    ]
    assert [(run.communicate(timeout=120)[0][-300:], run.returncode)[1] for run in runs] == [0, 0]


def test_retry_at_33_seconds_passes_quick_with_its_window_stated(tmp_path: Path) -> None:
    """That it fails in the standard window is a cell of the fault table."""
    only = ("--fault=redials_at_33s", "-k", "decline_is_final and uac-udp and test_decline_is_final.py")
    quick = run_suite(tmp_path / "quick", *only)
    decided = {r["purpose"]: r for r in quick.records}["uac/decline_is_final/decline_is_final"]
    assert decided["verdict"] == "pass"
    assert "5 s (quick window)" in decided["reason"]


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Poll: there is no event for "no process mentions this folder any more"."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.05)
