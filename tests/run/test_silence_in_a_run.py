"""Silence in real runs: each of its conditions is taken away while the run goes on, and the verdict says which.

The reference device does nothing wrong here, so that a purpose which took "nothing was seen" for "nothing happened"
would pass.  A drive that met a trouble is made a second time: what is taken away is taken away in both.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from harness.endpoints.sipp.timer_slack import REST_NS
from harness.net.address import Address
from harness.net.sockets import inode_of
from tests.run.suite import ROOT, Finished, command, run_suite

POINTING = "suites/uac/test_decline_extras.py::test_contact_of_a_decline_is_not_called"
FINAL = "suites/uac/test_decline_is_final.py::test_decline_is_final"
DEADLINE_S = 60.0

Strike = Callable[[Path, str], None]


def acknowledged(out: Path) -> set[str]:
    """The flows whose 603 has been acknowledged by now: their callee's SIPp rests, and only their window is left."""
    flows = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            scenarios = [Path(part) for part in process.cmdline() if part.startswith(str(out))]
            name = next((path.name for path in scenarios if path.name.endswith("-callee.xml")), "")
            if name and Path(f"/proc/{process.pid}/timerslack_ns").read_text().strip() == str(REST_NS):
                flows.add(name.removesuffix("-callee.xml"))
    return flows


def flood_guard(out: Path, flow: str) -> None:
    """More keepalives than this machine can take, to the address that the Contact points to."""
    [scenario] = {path.resolve() for path in out.glob(f"*/work/*/sipp/{flow}-callee.xml")}
    found = re.search(r"SIP/2\.0 603.*?Contact: <sip:[^@>]*@([\d.]+):(\d+)", scenario.read_text(), re.DOTALL)
    assert found
    address = Address(found[1], int(found[2]))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        deadline = time.monotonic() + DEADLINE_S
        while not dropped(address):
            assert time.monotonic() < deadline, "nothing was dropped"
            for _ in range(20_000):
                wire.sendto(b"\0", (address.host, address.port))


def dropped(address: Address) -> int:
    """How many datagrams the kernel has dropped at ``address``."""
    inode = str(inode_of(address))
    rows = (line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:])
    return next(int(row[12]) for row in rows if row[9] == inode)


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


def struck(out: Path, purpose: str, strike: Strike, drives: int) -> Finished:
    """A run of ``purpose`` in which ``strike`` comes down in the window of each of its ``drives``."""
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
        while len(seen) < drives and run.poll() is None:
            assert time.monotonic() < deadline, "waited in vain for the drives"
            for flow in acknowledged(out) - seen:
                seen.add(flow)
                strike(out, flow)
            threading.Event().wait(0.05)  # nothing announces what another process does
        output, _ = run.communicate(timeout=DEADLINE_S)
    finally:
        run.kill()
    assert len(seen) == drives, output
    return Finished(run.returncode, output, out)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Finished]]]:
    def out() -> Path:
        return tmp_path_factory.mktemp("silence")

    with ThreadPoolExecutor(4) as pool:
        yield {
            "guard": pool.submit(struck, out(), POINTING, flood_guard, 1),
            "device": pool.submit(struck, out(), FINAL, kill_device, 1),
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


def test_guard_where_something_was_dropped_proves_nothing(runs: dict[str, Future[Finished]]) -> None:
    run = runs["guard"].result()
    verdict, reason = only(run)
    assert verdict == "inconclusive", run.output
    assert re.search(r"this machine dropped \d+ datagrams that arrived at other \(127\.", reason)
    assert "1 of 4: every guard listens, and this machine takes" in run.output
    assert run.status == 2


def test_silence_of_a_dead_device_proves_nothing(runs: dict[str, Future[Finished]]) -> None:
    run = runs["device"].result()
    verdict, reason = only(run)
    assert verdict == "inconclusive", run.output
    assert "not repeatable: the device was ended by SIGKILL after message " in reason
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
