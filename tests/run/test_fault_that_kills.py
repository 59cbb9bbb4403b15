"""A device that is lost in the middle of a run: what killed it fails, the rest is tested again, and it is said once."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.run.suite import ROOT, Finished, command, run_suite

ECCENTRIC = Path(__file__).parent / "devices" / "eccentric.toml"
ELSEWHERE = Path(__file__).parent / "devices" / "elsewhere.toml"
KILLER = "uac/redirect_is_followed/maddr_takes_the_place_of_the_host"
SOME = "uac-udp and (redirect_is_followed or after_decline or contact_is_called)"


def losses(run: Finished) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run.lines[-1]["losses"]
    return found


@pytest.mark.parametrize(
    ("way", "how"), [("dies", "was ended by SIGSEGV"), ("hangs", "answered nothing for 5 s")], ids=["dies", "hangs"]
)
def test_only_what_kills_the_device_fails(tmp_path: Path, way: str, how: str) -> None:
    run = run_suite(tmp_path, "--device", f"{ECCENTRIC}:{way}", "-k", SOME)
    verdicts = {record["purpose"]: record["verdict"] for record in run.records}
    assert verdicts.pop(KILLER) == "fail", run.output
    assert set(verdicts.values()) == {"pass"}, run.output
    assert run.status == 1
    [loss] = losses(run)
    assert (loss["how"], loss["ruling"]) == (how, "killed")
    assert "SIP/2.0 302" in loss["after"]
    # Once at the end; the live line says it at the moment in which it happens.
    assert len(re.findall(rf"^LOST .*{how} at ", run.output, re.MULTILINE)) == 1
    for report in ("index.html", "junit.xml"):
        text = (run.folder / report).read_text()
        assert text.count(f"{how} at ") == 1, report
    [row] = next(record for record in run.records if record["purpose"] == KILLER)["requirements"]
    assert row["flow"]
    page = (run.folder / "index.html").read_text()
    assert page.index(f"Ladder of flow {row['flow']}") == page.index("Ladder of flow"), "the flow in which it was lost"
    again = subprocess.run(
        [sys.executable, "-m", "sipverdict", "replay", str(run.folder)], cwd=ROOT, capture_output=True, text=True
    )
    assert "every verdict is the same" in again.stdout, again.stdout + again.stderr


def test_a_slow_device_is_not_lost(tmp_path: Path) -> None:
    run = run_suite(tmp_path, "--device", f"{ECCENTRIC}:slow", "-k", SOME)
    # An ACK that comes so late is warned; what the device is asked meanwhile is answered when it goes on.
    assert {record["verdict"] for record in run.records} <= {"pass", "warn"}, run.output
    assert losses(run) == []


def test_device_that_dies_of_a_decline_is_started_again(tmp_path: Path) -> None:
    run = run_suite(tmp_path, "--fault=dies_after_603", "-k", "uac-udp and (after_decline or redirect_is_followed)")
    verdicts = {record["purpose"]: record["verdict"] for record in run.records}
    assert verdicts.pop("uac/after_decline/next_call_after_a_decline_works") == "fail", run.output
    assert set(verdicts.values()) <= {"pass", "fail"}, run.output
    assert run.status == 1
    assert "ended with status 1" in run.output


def test_a_run_whose_device_was_killed_once_is_never_conforming(tmp_path: Path) -> None:
    process = start(tmp_path, "--device", "reference", "-k", SOME)
    wait_for_seats(process, tmp_path)
    os.kill(devices_of(process.pid)[0], signal.SIGKILL)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 2, output
    run = Finished(2, output, tmp_path)
    [loss] = losses(run)
    assert loss["how"] == "was ended by SIGKILL"
    # Whether a call was under way just then is chance.  If one was, its plan is suspected and stays undecided; if none
    # was, every test is driven again by the next device, and the run alone is inconclusive.
    left = {"once": {"pass", "inconclusive"}, "idle": {"pass"}}
    assert {record["verdict"] for record in run.records} == left[loss["ruling"]], output


def test_a_device_that_the_suite_did_not_start_is_missed_within_3_s(tmp_path: Path) -> None:
    device = subprocess.Popen(
        [sys.executable, "-m", "harness.devices.reference", "--role", "proxy", "--listen", "127.77.1.1:5060"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert device.stdout
    assert device.stdout.readline().startswith("READY")
    process = start(tmp_path, "--device", str(ELSEWHERE))
    wait_for_seats(process, tmp_path)
    killed_at, said_at, output = time.monotonic(), 0.0, ""
    device.kill()
    for line in process.stdout or ():
        output += line
        if line.startswith("LOST") and not said_at:
            said_at = time.monotonic()
    device.wait()
    assert process.wait(120) == 2, output
    assert 0 < said_at - killed_at < 3, output
    run = Finished(2, output, tmp_path)
    [loss] = losses(run)
    assert (loss["how"], loss["ruling"]) == ("closed its port (ICMP port unreachable)", "gone")
    # No verdict rests on it, and what was not tested is one line.
    assert len(re.findall(r"^INCONCLUSIVE  \d+ tests: elsewhere closed its port", output, re.MULTILINE)) <= 2


def wait_for_seats(process: subprocess.Popen[str], out: Path) -> None:
    """Return in the middle of the run: a dozen seats are taken."""
    while len([*out.glob("*/work/*/sipp/*.xml")]) < 12:
        assert process.poll() is None
        time.sleep(0.02)


def start(out: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(out, *arguments),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def devices_of(pid: int) -> list[int]:
    return [
        one.pid for one in psutil.Process(pid).children(recursive=True) if "harness.devices.reference" in one.cmdline()
    ]
