"""The exit status survives every failure of the output.  A signal that ends a run leaves reports and nothing else."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.run.suite import ROOT, Finished, command, left_behind, run_suite

FINAL = "suites/uac/test_decline_is_final.py::test_decline_is_final"
SIPVERDICT = [sys.executable, "-m", "sipverdict"]
# How the output of `COMMAND` is lost.  The status of a pipeline is that of the command, not of its reader.
LOST = {
    "the reader reads one line": "{} | head -1; exit ${{PIPESTATUS[0]}}",
    "the reader reads nothing": "{} | true; exit ${{PIPESTATUS[0]}}",
    "stdout is closed": "{} >&-",
    "both are closed": "{} >&- 2>&-",
    "the disk is full": "{} >/dev/full",
    "the disk is full for both": "{} >/dev/full 2>&1",
}


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run with a fail, whose own output nobody reads."""
    out = tmp_path_factory.mktemp("run")
    line = " ".join(command(out, "--fault=redials_at_once", FINAL))
    done = subprocess.run(
        ["bash", "-c", LOST["the reader reads nothing"].format(line)], cwd=ROOT, capture_output=True, text=True
    )
    return Finished(done.returncode, done.stdout + done.stderr, out)


def test_a_run_whose_output_nobody_reads_has_its_status_and_its_reports(failed: Finished) -> None:
    assert failed.status == 1, failed.output
    assert {record["verdict"] for record in failed.records} == {"fail"}
    assert (failed.folder / "index.html").is_file()
    assert "Traceback" not in failed.output


@pytest.mark.parametrize("way", LOST)
@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["gate", "RUN", "--gate", "must"], 1),
        (["replay", "RUN"], 0),
        (["list", "requirements"], 0),
        (["explain", "no-such"], 3),
        (["verify", "no-such"], 4),
        (["--version"], 0),
    ],
    ids=["gate", "replay", "list", "explain", "verify", "version"],
)
def test_the_status_survives_the_output(failed: Finished, words: list[str], status: int, way: str) -> None:
    line = " ".join([*SIPVERDICT, *(str(failed.folder) if word == "RUN" else word for word in words)])
    plain = subprocess.run(line.split(), cwd=ROOT, capture_output=True, text=True)
    status = plain.returncode if words[0] == "replay" else status
    assert plain.returncode == status, plain.stdout + plain.stderr
    done = subprocess.run(["bash", "-c", LOST[way].format(line)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["run", FINAL], ["list", "requirements"]], ids=["run", "list"])
def test_a_full_disk_under_the_output_is_said_once(tmp_path: Path, words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*SIPVERDICT, *words, *(["--out", str(tmp_path)] if words[0] == "run" else [])],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 0
    assert done.stderr.count("the output is incomplete: No space left on device") == 1, done.stderr


# --- signals


def _begun(out: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(out, *arguments),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _nothing_left(out: Path) -> bool:
    deadline = time.monotonic() + 5
    while (left := left_behind(out)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left
    return not [*out.glob("*/work")]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_in_the_middle_keeps_what_was_judged(tmp_path: Path, name: str) -> None:
    # Verdicts come when the windows of the first plans are over; those of others are still open then.
    process = _begun(tmp_path, "-k", "uac-udp")
    deadline = time.monotonic() + 120
    while sum(file.read_text().count("\n") for file in tmp_path.glob("2*/verdicts.jsonl")) < 2:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(getattr(signal, name))
    output, _ = process.communicate(timeout=60)
    run = Finished(process.returncode, output, tmp_path)
    assert run.status == 2, output
    assert f"ended by {name}" in output
    assert "interrupted: " in output
    assert "Traceback" not in output
    assert "INTERNALERROR" not in output
    assert run.records
    for report in ("index.html", "junit.xml"):
        assert (run.folder / report).is_file(), report
    assert _nothing_left(tmp_path)


@pytest.mark.parametrize(
    ("name", "after"), [("SIGINT", 0.7), ("SIGTERM", 1.2), ("SIGHUP", 1.7), ("SIGTERM", 2.2), ("SIGINT", 3.0)]
)
def test_a_signal_while_the_run_begins_leaves_nothing(tmp_path: Path, name: str, after: float) -> None:
    process = _begun(tmp_path)
    # Whatever the run is doing just then: importing, collecting, or the first calls.
    time.sleep(after)
    assert process.poll() is None, process.communicate()[0]
    process.send_signal(getattr(signal, name))
    output, _ = process.communicate(timeout=60)
    assert process.returncode in (2, -getattr(signal, name)), output  # not one of ours: Python had not begun yet
    assert "Traceback" not in output
    assert "INTERNALERROR" not in output
    assert _nothing_left(tmp_path)
    for run in tmp_path.glob("2*"):
        assert (run / "verdicts.jsonl").is_file(), "the folder of a run that never began"


def test_a_second_signal_does_not_disturb_the_end(tmp_path: Path) -> None:
    process = _begun(tmp_path, FINAL)
    while not [*tmp_path.glob("*/work/*/sipp/*.xml")]:
        assert process.poll() is None
        time.sleep(0.02)
    for name in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(name)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2, output
    assert output.count("sipverdict: ended by ") == 1
    assert _nothing_left(tmp_path)


# --- paths that no file can have

LONG = "a" * 5000


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--device", LONG],
        ["run", "--device", f"/tmp/{LONG}.toml"],
        ["run", "--waivers", LONG],
        ["run", f"suites/{LONG}.py"],
        ["run", "--device", os.fsdecode(b"\xff\xfe.toml")],
        ["run", "--waivers", os.fsdecode(b"\xff\xfe.toml")],
        ["expect", LONG, "--device", LONG],
        ["keygen", "-o", LONG],
        ["gate", LONG],
        ["smoke", "--device", f"{LONG}:variant"],
    ],
    ids=lambda words: " ".join(words).replace(LONG, "LONG").encode("ascii", "replace").decode(),
)
def test_a_path_that_cannot_be_is_a_message(tmp_path: Path, words: list[str]) -> None:
    done = subprocess.run([*SIPVERDICT, *words], cwd=ROOT, capture_output=True, text=True, errors="replace")
    said = done.stdout + done.stderr
    assert done.returncode in (3, 4), said
    assert not any(word in said for word in ("Traceback", "INTERNALERROR", "bug in sipverdict")), said[:2000]


def test_a_profile_whose_expected_file_would_have_too_long_a_name_has_none(tmp_path: Path) -> None:
    profile = tmp_path / f"{'b' * 248}.toml"
    profile.write_text((ROOT / "harness" / "devices" / "reference" / "device.toml").read_text())
    run = run_suite(tmp_path, "--device", str(profile), "-k", "no_such_test")
    assert run.status == 3
    assert "selects no test" in run.output


# --- the ports of a lab


@contextlib.contextmanager
def _taken(host: str, ports: range) -> Iterator[None]:
    with contextlib.ExitStack() as held:
        for port in ports:
            held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind((host, port))
        yield


@pytest.mark.parametrize("left", [0, 2])
def test_a_lab_whose_ports_are_taken_is_a_matter_of_the_setup(tmp_path: Path, left: int) -> None:
    profile = tmp_path / "phone.toml"
    text = (ROOT / "harness" / "devices" / "reference" / "device.toml").read_text()
    assert "[lab]\n" in text
    profile.write_text(text.replace("[lab]\n", f'[lab]\ntester = "127.77.3.{left + 1}"\nports = "5060-5069"\n'))
    with _taken(f"127.77.3.{left + 1}", range(5060, 5070 - left)):
        run = run_suite(tmp_path, "--device", f"{profile}:base", FINAL)
    assert run.status == 3, run.output
    assert "lab.ports 5060-5069" in run.output
    assert "Traceback" not in run.output
