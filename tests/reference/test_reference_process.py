"""The reference device as a process: how it begins, what it says, how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys

import pytest

from harness.devices.reference.__main__ import _ROLES
from harness.devices.reference.roles import ROLES

COMMAND = [sys.executable, "-m", "harness.devices.reference"]


def start(*arguments: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([*COMMAND, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, text=True)


@pytest.fixture
def port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.30.9", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize("ending", ["eof", signal.SIGTERM, signal.SIGINT])
def test_it_is_ready_when_bound_and_ends_silently(port: int, ending: str | signal.Signals) -> None:
    with start("--listen", f"127.0.30.9:{port}") as device:
        assert device.stdin is not None
        assert device.stdout is not None
        assert device.stdout.readline() == "READY\n"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken, pytest.raises(OSError):
            taken.bind(("127.0.30.9", port))
        if not isinstance(ending, str):
            # Past its start, so that the handler that is tested is the loop's: it has obeyed a command.
            device.stdin.write("nonsense\n")
            device.stdin.flush()
            assert device.stderr is not None
            assert "not a command" in device.stderr.readline()
            device.send_signal(ending)
        out, err = device.communicate(timeout=20)
    assert (device.returncode, out, err) == (0, "", "")


def test_a_port_that_is_taken_is_exit_status_2() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.30.9", 0))
        with start("--listen", f"127.0.30.9:{taken.getsockname()[1]}") as device:
            out, err = device.communicate(timeout=20)
    assert (device.returncode, out, err.count("\n")) == (2, "", 1)


def test_an_unknown_fault_is_exit_status_3(port: int) -> None:
    with start("--listen", f"127.0.30.9:{port}", "--fault", "ignore_302") as device:
        out, err = device.communicate(timeout=20)
    assert (device.returncode, out) == (3, "")
    assert "the nearest is ignores_302" in err


def test_every_role_is_offered_and_none_else(port: int) -> None:
    assert ROLES.keys() == set(_ROLES)
    with start("--listen", f"127.0.30.9:{port}", "--role", "prox") as device:
        out, err = device.communicate(timeout=20)
    assert (device.returncode, out) == (3, "")
    assert "'recursing-proxy'" in err


@pytest.mark.parametrize("role", [role for role in _ROLES if role != "ua"])
def test_every_role_answers_an_options(port: int, role: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        caller.bind(("127.0.31.9", 0))
        caller.settimeout(20)
        with start("--listen", f"127.0.30.9:{port}", "--role", role) as device:
            assert device.stdout is not None
            assert device.stdout.readline() == "READY\n"
            uri, own = f"sip:127.0.30.9:{port}", f"127.0.31.9:{caller.getsockname()[1]}"
            lines = [
                f"OPTIONS {uri} SIP/2.0",
                f"Via: SIP/2.0/UDP {own};branch=z9hG4bKo",
                f"From: <sip:{own}>;tag=1",
                f"To: <{uri}>",
                "Call-ID: 1",
                "CSeq: 1 OPTIONS",
            ]
            caller.sendto("\r\n".join([*lines, "", ""]).encode(), ("127.0.30.9", port))
            assert caller.recv(65535).startswith(b"SIP/2.0 200 OK")
            out, err = device.communicate(timeout=20)
    assert (device.returncode, out, err) == (0, "", "")


def test_a_proxy_takes_no_commands(port: int) -> None:
    with start("--listen", f"127.0.30.9:{port}", "--role", "proxy") as device:
        out, err = device.communicate("call sip:700@127.0.31.9\n", timeout=20)
    assert (device.returncode, out) == (0, "READY\n")
    assert "there are none in this role" in err


def test_faults_are_listed_as_json() -> None:
    listed = json.loads(subprocess.run([*COMMAND, "--list-faults"], capture_output=True, check=True).stdout)
    roles = {row["name"]: row["roles"] for row in listed}
    assert (roles["dies_after_603"], roles["hides_603"]) == (["uac", "b2bua"], ["b2bua"])
    assert all(row["sentence"].endswith(".") for row in listed)


def test_dies_after_603(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as callee:
        callee.bind(("127.0.31.9", 0))
        callee.settimeout(20)
        with start("--listen", f"127.0.30.9:{port}", "--fault", "dies_after_603") as device:
            assert device.stdin is not None
            device.stdin.write(f"call sip:700@127.0.31.9:{callee.getsockname()[1]}\n")
            device.stdin.flush()
            invite, source = callee.recvfrom(65535)
            head = invite.decode().partition("Contact:")[0].partition("\r\n")[2]
            callee.sendto(f"SIP/2.0 603 Decline\r\n{head}\r\n".encode(), source)
            assert callee.recv(65535).startswith(b"ACK ")
            assert device.wait(timeout=20) == 1
