"""Silence in real runs: each of its conditions is taken away while the run goes on, and the verdict says which.

The reference device does nothing wrong here, so that a purpose which took "nothing was seen" for "nothing happened"
would pass.  A disturbed drive is made a second time: what is taken away is taken away in both.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.run.suite import ROOT, Finished, command, run_suite

POINTING = "suites/uac/test_decline_extras.py::test_contact_of_a_decline_is_not_called"
FINAL = "suites/uac/test_decline_is_final.py::test_decline_is_final"
DRIVES = 2
DEADLINE_S = 30.0

Strike = Callable[[Path, str], None]


def acknowledged(out: Path) -> set[str]:
    """The flows whose 603 has been acknowledged by now: only their window is left."""
    logs = out.glob("*/work/*/traces/*-callee.messages.log")
    said = {log.name.removesuffix("-callee.messages.log"): log.read_bytes() for log in logs}
    return {flow for flow, text in said.items() if b"SIP/2.0 603 " in text and b"\nACK " in text}


def kill_guard(out: Path, flow: str) -> None:
    """SIGKILL to the SIPp at the address that the Contact points to."""
    _kill(lambda process: any(f"{flow}-other.xml" in part and str(out) in part for part in process.cmdline()))


def kill_device(out: Path, _flow: str) -> None:
    """SIGKILL to the device: it works in a folder of the run."""
    _kill(lambda process: "harness.devices.reference" in process.cmdline() and process.cwd().startswith(str(out)))


def _kill(wanted: Callable[[psutil.Process], bool]) -> None:
    struck = 0
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if wanted(process):
                os.kill(process.pid, signal.SIGKILL)
                struck += 1
    assert struck == 1


def struck(out: Path, purpose: str, strike: Strike) -> Finished:
    """A run of ``purpose`` in which ``strike`` comes down in the window of every drive."""
    run = subprocess.Popen(
        command(out, purpose, "-k", "uac-udp"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    seen: set[str] = set()
    try:
        deadline = time.monotonic() + DEADLINE_S
        while len(seen) < DRIVES and run.poll() is None:
            assert time.monotonic() < deadline, "waited in vain for the drives"
            for flow in acknowledged(out) - seen:
                seen.add(flow)
                strike(out, flow)
            threading.Event().wait(0.05)  # nobody tells of a message in a log of another process
        output, _ = run.communicate(timeout=DEADLINE_S)
    finally:
        run.kill()
    assert len(seen) == DRIVES, output
    return Finished(run.returncode, output, out)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Finished]]]:
    def out() -> Path:
        return tmp_path_factory.mktemp("silence")

    with ThreadPoolExecutor(4) as pool:
        yield {
            "guard": pool.submit(struck, out(), POINTING, kill_guard),
            "device": pool.submit(struck, out(), FINAL, kill_device),
            "control": pool.submit(run_suite, out(), POINTING, "--fault=ignores_302", "-k", "uac-udp"),
            "proven": pool.submit(
                run_suite,
                out(),
                FINAL,
                POINTING,
                "suites/uac/test_redirect_is_followed.py",
                "-k",
                "uac-udp and (final or decline or is_called)",
            ),
        }


def only(run: Finished) -> tuple[str, str]:
    (record,) = run.records
    assert "Traceback" not in run.output, run.output
    return record["verdict"], record["reason"]


def test_guard_that_stopped_listening_proves_nothing(runs: dict[str, Future[Finished]]) -> None:
    run = runs["guard"].result()
    verdict, reason = only(run)
    assert verdict == "inconclusive", run.output
    assert "other (127." in reason
    assert "stopped listening" in reason
    assert "trouble of this machine or the suite: the SIPp at other ended by itself" in reason
    assert "1 of 4: every guard listens" in run.output
    assert run.status == 2


def test_silence_of_a_dead_device_proves_nothing(runs: dict[str, Future[Finished]]) -> None:
    run = runs["device"].result()
    verdict, reason = only(run)
    assert verdict == "inconclusive", run.output
    assert "no sign of life after the window" in reason
    assert "trouble of the device: the device was ended by SIGKILL" in reason
    assert "4 of 4: the device is alive" in run.output
    assert run.status == 2


def test_silence_where_the_device_was_never_seen_to_go_proves_nothing(runs: dict[str, Future[Finished]]) -> None:
    run = runs["control"].result()
    verdict, reason = only(run)
    assert verdict == "inconclusive", run.output
    assert "no positive control" in reason
    assert "follow a redirection" in reason
    assert "3 of 4: in this run the device is seen" in run.output
    assert run.status == 2


def test_silence_with_all_four_conditions_passes(runs: dict[str, Future[Finished]]) -> None:
    run = runs["proven"].result()
    verdicts = {record["purpose"]: record["verdict"] for record in run.records}
    assert verdicts["uac/decline_extras/contact_of_a_decline_is_not_called"] == "pass", run.output
    assert set(verdicts.values()) == {"pass"}, run.output
    assert run.status == 0
