"""Bad input gets a clear error, and nothing is lost: wrong options, full disks, devices that misbehave as programs.

Every run is a process of its own.  Those that wait for nothing but time are started side by side.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from harness.commands.replay import replay
from harness.net.loopback import LoopbackPool
from harness.store.stored_run import read_run
from tests.run.suite import ROOT, Finished, command, left_behind, run_suite

DEVICES = Path(__file__).parent / "devices"
REFERENCE = ROOT / "harness" / "devices" / "reference" / "device.toml"
FINAL = "suites/uac/test_decline_is_final.py::test_decline_is_final"
ACKED = "suites/transaction/test_ack.py"
Runs = dict[str, Future[Finished]]
Run = Callable[[Path], Finished]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Finished]]]:
    """Every run of this file, begun at once: the longest first, and a few at a time."""
    with ThreadPoolExecutor(4) as pool:
        begun = {}
        for name, run in (DEVICE_RUNS | MACHINE_RUNS | USAGE_RUNS).items():
            begun[name] = pool.submit(run, tmp_path_factory.mktemp("run"))
        yield begun
        pool.shutdown(cancel_futures=True)


def is_clean(run: Finished) -> bool:
    return "Traceback" not in run.output and "INTERNALERROR" not in run.output and "never retrieved" not in run.output


def only_reason(run: Finished) -> str:
    (record,) = run.records
    return str(record["reason"])


# --- usage


def _profile(folder: Path, old: str, new: str) -> Path:
    text = REFERENCE.read_text()
    assert old in text
    path = folder / "phone.toml"
    path.write_text(text.replace(old, new))
    return path


def _fake_sipp(folder: Path, version: str) -> Path:
    program = folder / "sipp"
    real = shutil.which("sipp")
    program.write_text(f'#!/bin/sh\n[ "$1" = -v ] && {{ echo " SIPp v{version}-TLS."; exit 99; }}\nexec {real} "$@"\n')
    program.chmod(0o755)
    return program


# What is given, and what the message must name: the culprit, and what to do.
USAGE: dict[str, tuple[Callable[[Path], list[str]], Callable[[Path], dict[str, str]], tuple[str, ...]]] = {
    "unknown device": (lambda _: ["--device=refrence"], lambda _: {}, ("'refrence'", "known: reference")),
    "profile that is not there": (lambda _: ["--device=no/such.toml"], lambda _: {}, ("no/such.toml", "no such file")),
    "unknown fault": (lambda _: ["--fault=redial_at_once"], lambda _: {}, ("'redial_at_once'", "redials_at_once")),
    "fault for a real device": (
        lambda _: ["--device=baresip", "--fault=no_ack"],
        lambda _: {},
        ("baresip cannot be given faults", "--device reference"),
    ),
    "wrong key": (
        lambda folder: [f"--device={_profile(folder, 'max_calls', 'max_cals')}"],
        lambda _: {},
        ("phone.toml: device.max_cals", "device.max_calls"),
    ),
    "wrong type": (
        lambda folder: [f"--device={_profile(folder, 'max_calls = 200', 'max_calls = true')}"],
        lambda _: {},
        ("phone.toml: device.max_calls", "expected a whole number; got true"),
    ),
    "wrong address": (
        lambda folder: [f"--device={_profile(folder, '{lease}', '192.0.2.7:99999')}"],
        lambda _: {},
        ("phone.toml: lab.address", "IPv4:port", "192.0.2.7:99999"),
    ),
    "no TOML": (
        lambda folder: [f"--device={_profile(folder, '[device]', '[device')}"],
        lambda _: {},
        ("phone.toml: is not TOML", "line"),
    ),
    "no SIPp where it is said to be": (
        lambda _: [],
        lambda _: {"SIPVERDICT_SIPP": "/nonexistent"},
        ("SIPp was not found at /nonexistent", "SIPVERDICT_SIPP"),
    ),
    "no SIPp in PATH": (lambda _: [], lambda folder: {"PATH": str(folder)}, ("SIPp was not found in PATH", "install")),
    "old SIPp": (
        lambda _: [],
        lambda folder: {"SIPVERDICT_SIPP": str(_fake_sipp(folder, "3.5"))},
        ("is SIPp 3.5", "3.6.1 is the oldest"),
    ),
    "no SIPp at all": (lambda _: [], lambda _: {"SIPVERDICT_SIPP": "/bin/true"}, ("/bin/true", "as SIPp")),
    "nothing chosen": (lambda _: ["-k", "zzz"], lambda _: {}, ("nothing to run: -k 'zzz'", "list purposes")),
    "no such window": (lambda _: ["--window=long"], lambda _: {}, ("--window", "'long'", "standard")),
    "option without its value": (lambda _: ["--device"], lambda _: {}, ("--device", "expected one argument")),
    "unknown option": (lambda _: ["--wndow=quick"], lambda _: {}, ("--wndow=quick",)),
    "no such file": (lambda _: ["suites/uac/test_nope.py"], lambda _: {}, ("not found: ", "suites/uac/test_nope.py")),
}


def _run_last(out: Path, *arguments: str, **environment: str) -> Finished:
    """As :func:`run_suite`, with the arguments behind ``--out``."""
    done = subprocess.run(
        [*command(out)[:4], "--out", str(out), *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return Finished(done.returncode, done.stdout + done.stderr, out)


def _used(name: str, folder: Path) -> Finished:
    arguments, environment, _ = USAGE[name]
    return _run_last(folder / "out", *arguments(folder), **environment(folder))


USAGE_RUNS = {name: partial(_used, name) for name in USAGE}


@pytest.mark.parametrize("name", USAGE)
def test_wrong_use_is_said_in_a_sentence_and_leaves_nothing_behind(name: str, runs: Runs) -> None:
    run = runs[name].result()
    for part in USAGE[name][2]:
        assert part in run.output
    assert run.status == 3, run.output
    assert is_clean(run), run.output
    assert len(run.output.strip().splitlines()) <= 6, run.output
    assert not run.out.exists() or [path.name for path in run.out.iterdir() if path.name != ".pytest_cache"] == []


# --- this machine


def _unsupported_sipp(folder: Path) -> Finished:
    return run_suite(folder / "out", FINAL, "-k", "uac-udp", SIPVERDICT_SIPP=str(_fake_sipp(folder, "3.7.2")))


def test_sipp_that_is_not_supported_is_warned_of_and_used(runs: Runs) -> None:
    run = runs["unsupported SIPp"].result()
    assert "WARNING: SIPp 3.7.2-TLS is not supported" in run.output
    assert run.status == 0, run.output


def _file_as_folder(folder: Path) -> Finished:
    (folder / "out").write_text("mine")
    return run_suite(folder / "out", FINAL)


def test_file_where_the_output_folder_should_be(runs: Runs) -> None:
    run = runs["file as folder"].result()
    assert run.status == 3
    assert f"cannot write {run.out}" in run.output
    assert is_clean(run), run.output
    assert run.out.read_text() == "mine"


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A small file system of its own; skips where mounting is not permitted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
    done = subprocess.run(mount, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _read_only(folder: Path) -> Finished:
    with mounted(folder / "disk", "ro,size=1m") as disk:
        return run_suite(disk / "out", FINAL)


def test_output_folder_that_is_not_writable(runs: Runs) -> None:
    run = runs["read-only"].result()
    assert run.status == 3
    assert f"cannot write {run.out}: Read-only file system" in run.output
    assert "choose another folder" in run.output
    assert is_clean(run), run.output


def fill(disk: Path) -> None:
    with (disk / "filler").open("ab", buffering=0) as filler:
        for size in (65536, 4096, 1):
            with suppress(OSError):
                while True:
                    filler.write(b"x" * size)


def _full_disk(folder: Path) -> Finished:
    with mounted(folder / "disk", "size=256k") as disk:
        fill(disk)
        return run_suite(disk / "out", FINAL)


def test_disk_that_is_full_from_the_beginning(runs: Runs) -> None:
    run = runs["full disk"].result()
    assert run.status == 3, run.output
    assert "No space left on device" in run.output
    assert is_clean(run), run.output


def _disk_that_fills(folder: Path) -> Finished:
    with mounted(folder / "disk", "size=4m") as disk:
        process = subprocess.Popen(
            # The first of them has no window: it is judged while the other one's is open.
            command(disk / "out", "--window=standard", "suites/uac/test_after_decline.py", FINAL, "-k", "uac-udp"),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            verdicts = disk / "out" / "latest" / "verdicts.jsonl"
            wait_for(lambda: verdicts.is_file() and verdicts.read_text().count("\n") == 2)
            fill(disk)
            output, _ = process.communicate(timeout=150)
        finally:
            process.kill()
        shutil.copytree((disk / "out" / "latest").resolve(), folder / "kept" / "latest")
    return Finished(process.returncode, output, folder / "kept")


def test_disk_that_fills_up_in_mid_run_loses_nothing_that_was_judged(runs: Runs) -> None:
    run = runs["disk that fills"].result()
    assert run.status == 3, run.output
    assert "is full" in run.output or "No space left" in run.output
    assert is_clean(run), run.output
    judged = read_run(run.folder, cut_off=True)
    assert judged.records[0].purpose == "uac/after_decline/next_call_after_a_decline_works"
    first, *rest = [record.verdict for record in judged.records]
    assert first == "pass"
    assert {*rest} <= {"pass", "inconclusive"}
    for flow in judged.evidence:
        judged.flow(flow)


HOLDER = """
import fcntl, os, socket, struct, sys
lo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(lo, 0x8914, struct.pack("16sh", b"lo", 1 | 64))  # up and running, in this network of its own
lo.bind(("0.0.0.0", 5060))
lo.set_inheritable(True)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Takes the port as another program would, and becomes the run itself."""


def _port_taken(folder: Path) -> Finished:
    # In a network of its own: the port is to be taken from nobody else's run.
    chosen = (FINAL, "suites/uac/test_redirect_is_followed.py", "-k", "udp and (final or worked_out)")
    alone = ["unshare", "--net", sys.executable, "-c", HOLDER, *command(folder / "out", *chosen)]
    done = subprocess.run(alone, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    if "unshare" in done.stderr:
        pytest.skip(f"no network of its own can be had here: {done.stderr.strip()}")
    return Finished(done.returncode, done.stdout + done.stderr, folder / "out")


def test_port_that_another_program_holds_is_not_needed(runs: Runs) -> None:
    run = runs["port taken"].result()
    assert set(run.verdicts().values()) == {"pass"}, run.output
    assert len(run.records) > 2
    for path in (run.folder / "flows").glob("*.json"):
        flow = json.loads(path.read_text())
        # 5072: on one host with another endpoint.
        assert {seat["address"]["port"] for seat in flow["seats"]} <= {5062, 5072}


def test_port_that_is_taken_in_mid_run_is_left() -> None:
    """What is leased next is free, and the run stays at the port it has moved on to."""
    pool = LoopbackPool()
    try:
        first = pool.lease()
        nearby = str(ipaddress.IPv4Address(first.host) + 1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((nearby, first.port))
            second = pool.lease()
        assert second.host == nearby
        assert second.port != first.port
        assert pool.beside(second).host == second.host
        assert pool.lease().port == second.port
    finally:
        pool.close()


MACHINE_RUNS: dict[str, Run] = {
    "disk that fills": _disk_that_fills,
    "port taken": _port_taken,
    "unsupported SIPp": _unsupported_sipp,
    "full disk": _full_disk,
    "read-only": _read_only,
    "file as folder": _file_as_folder,
}


# --- devices


def _toy(name: str, *chosen: str) -> Run:
    return lambda folder: run_suite(folder / "out", f"--device={DEVICES / name}.toml", *chosen)


DEVICE_RUNS: dict[str, Run] = {
    "mute": _toy("mute", FINAL),
    "flood": _toy("flood", FINAL),
    "dies": _toy("dies", FINAL),
    "garbage": _toy("garbage", FINAL, ACKED, "-k", "decline_is_final or is_acknowledged"),
    "never": _toy("never", FINAL),
}


def test_device_that_never_becomes_ready(runs: Runs) -> None:
    run = runs["never"].result()
    assert run.status == 2, run.output
    assert "toy-never was not ready in 15 s" in run.output
    assert "waiting for the moon" in run.output, "its last words"
    assert is_clean(run), run.output


def test_device_that_dies_in_the_call(runs: Runs) -> None:
    run = runs["dies"].result()
    assert run.status == 1, run.output
    (record,) = run.records
    assert record["requirements"][0]["code"] == "device-lost"
    assert "the device ended with status 3 after message 2" in record["reason"]
    assert is_clean(run), run.output


def test_device_that_does_not_call(runs: Runs) -> None:
    run = runs["mute"].result()
    assert run.status == 2, run.output
    assert "toy-mute was not tested as uac: not even a plain call could be made" in only_reason(run)
    assert "the device did not call" in only_reason(run)
    assert [path.name in only_reason(run) for path in (run.folder / "flows").glob("*.json")] == [True], "its evidence"
    assert is_clean(run), run.output


def test_garbage_of_a_device_is_kept_and_the_run_goes_on(runs: Runs) -> None:
    run = runs["garbage"].result()
    assert is_clean(run), run.output
    final = next(r for r in run.records if r["purpose"] == "uac/decline_is_final/decline_is_final")
    assert final["verdict"] == "pass", run.output
    unreadable = read_run(run.folder).flow(Path(final["evidence"][0]).stem).unreadable
    assert any("GET / HTTP/1.1" in one.text for one in unreadable)
    assert any("INVITE nonsense" in one.text for one in unreadable)
    assert run.lines[-1]["executed"] == run.lines[0]["planned"]
    assert replay(str(run.folder)) == run.status


def test_flood_of_a_device_is_its_fail_and_the_evidence_stays_small(runs: Runs) -> None:
    run = runs["flood"].result()
    assert run.status == 1, run.output
    assert is_clean(run), run.output
    for path in (run.folder / "flows").glob("*.json"):
        flow = read_run(run.folder).flow(path.stem)
        assert len(flow.events) <= 800
        assert any("more came than a flow keeps" in trouble.text for trouble in flow.troubles)
        assert sum(file.stat().st_size for file in (path, path.with_suffix(".record"))) < 500_000
    assert left_behind(run.out) == []


# --- helpers


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.05)
