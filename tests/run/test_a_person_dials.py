"""A whole run with ``stimulus.kind = "manual"``: what a person sees on a terminal, and when nobody dials."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.net.address import Address
from harness.net.loopback import LoopbackPool
from tests.run.suite import ROOT, Finished, command, left_behind

PURPOSES = "suites/uac/test_decline_is_final.py"
PROFILE = """
[device]
name = "desk phone"
roles = ["uac"]
max_calls = 4
[lab]
address = "ADDRESS"
[ready]
options = true
[stimulus]
kind = "manual"
phone = "the white desk phone, line 2"
reaction_s = SECONDS
"""


@contextlib.contextmanager
def desk_phone() -> Iterator[Address]:
    """A reference device that runs already, as a phone on a desk does; its keys are its control port."""
    pool = LoopbackPool()
    try:
        address = pool.lease()
        argv = ["-m", "harness.devices.reference", "--listen", str(address), "--control", f"{address.host}:4444"]
        with subprocess.Popen(
            [sys.executable, *argv], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as phone:
            try:
                assert phone.stdout
                assert phone.stdout.readline() == "READY\n"
                yield address
            finally:
                phone.terminate()
    finally:
        pool.close()


def press(phone: Address, uri: str) -> None:
    """Dial, as soon as the phone takes it."""
    deadline = time.monotonic() + 10
    while True:
        try:
            with socket.create_connection((phone.host, 4444), timeout=10) as keys:
                keys.sendall(f"call {uri}\n".encode())
                assert keys.recv(100) == b"ok\n"
                return
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def screen_of(argv: list[str], phone: Address) -> tuple[int, str]:
    """Run ``argv`` on a terminal, dial whatever it asks for, and return its status and all that was on the screen."""
    parent, child = pty.openpty()
    with subprocess.Popen(
        argv, cwd=ROOT, env={**os.environ, "TERM": "xterm", "COLUMNS": "120"}, stdin=child, stdout=child, stderr=child
    ) as run:
        os.close(child)
        screen, dialled = "", set()
        try:
            with contextlib.suppress(OSError):  # EIO: the other side has gone
                while data := os.read(parent, 65536):
                    screen += data.decode(errors="replace")
                    for uri in re.findall(r"DIAL .*?(sip:\d+@[\d.:]+)", screen, re.DOTALL):
                        if uri not in dialled:
                            dialled.add(uri)
                            press(phone, uri)
            return run.wait(60), screen
        finally:
            run.kill()
            os.close(parent)


def test_a_session_on_a_terminal(tmp_path: Path) -> None:
    with desk_phone() as phone:
        profile = tmp_path / "device.toml"
        profile.write_text(PROFILE.replace("ADDRESS", str(phone)).replace("SECONDS", "60.0"))
        names = f"{PURPOSES}::test_decline_is_final", f"{PURPOSES}::test_unwanted_is_final"
        status, screen = screen_of(command(tmp_path, "--device", str(profile), "--", *names), phone)
    print(screen)
    assert "you will be asked to place 5 calls, one after the other" in screen
    for number in range(1, 6):
        [digits] = re.findall(
            rf"call {number} of 5   on: the white desk phone, line 2\s+DIAL     ([\d ]+\d)\r?\n", screen
        )
        assert re.search(rf"\n +{digits.replace(' ', '')}\r?\n +sip:{digits.replace(' ', '')}@", screen)
    assert screen.count("the call has arrived, thank you") == 5
    assert re.search(r"waiting for the call: \d+ s left", screen)
    assert status == 0
    records = Finished(status, screen, tmp_path).records
    assert [record["verdict"] for record in records] == ["pass", "pass"]
    assert not left_behind(tmp_path)


@pytest.mark.parametrize("arguments", [(), ("-n", "1")])
def test_nobody_dials(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with desk_phone() as phone:
        profile = tmp_path / "device.toml"
        profile.write_text(PROFILE.replace("ADDRESS", str(phone)).replace("SECONDS", "0.5"))
        name = f"{PURPOSES}::test_decline_is_final"
        run = subprocess.run(
            command(tmp_path, "--device", str(profile), "--", name, *arguments),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    print(run.stdout, run.stderr)
    finished = Finished(run.returncode, run.stdout + run.stderr, tmp_path)
    assert run.returncode == 2
    assert [record["verdict"] for record in finished.records] == ["inconclusive"]
    if arguments:
        assert "cannot ask a person to call at the white desk phone" in finished.records[0]["reason"]
    else:
        assert re.search(r"call 1 of 4: dial \d+ \(sip:.*\) on the white desk phone, line 2, within", finished.output)
        assert "no person placed the call: sip:" in finished.records[0]["reason"]
    assert "Traceback" not in finished.output


def test_smoke_asks_the_person_for_three_calls(tmp_path: Path) -> None:
    with desk_phone() as phone:
        profile = tmp_path / "phone.toml"
        profile.write_text(PROFILE.replace("ADDRESS", str(phone)).replace("SECONDS", "20"))
        argv = [sys.executable, "-m", "sipverdict", "smoke", f"--device={profile}"]
        status, screen = screen_of(argv, phone)
    assert status == 0, screen
    assert "you will be asked to place 3 calls" in screen
    assert "call 3 of 3   on: the white desk phone, line 2" in screen
    for answer in (200, 302, 603):
        assert re.search(rf"{answer}  \S*ok .*arrived, answered, acknowledged", screen), screen
