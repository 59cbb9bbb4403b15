"""What ``sipverdict doctor`` notices before a run in a lab, each under the real condition: no message is imagined."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from harness.device import load_profile
from harness.doctor.check import Check
from harness.doctor.device import device_checks
from tests.run.suite import ROOT

HOST = "127.201.78.1"
"""Hosts from 127.200 on are never leased."""
PBX = ROOT / "tests" / "device" / "toys" / "pbx.py"
MANAGER = """
[secrets]
MANAGER_SECRET = { env = "SIPVERDICT_TEST_SECRET" }
[stimulus]
kind = "ami"
control = "{host}:5038"
username = "tester"
secret = "{secret:MANAGER_SECRET}"
channel = "PJSIP/sipverdict/{uri}"
application = "Wait"
"""
EVENT_SOCKET = """
[secrets]
MANAGER_SECRET = { env = "SIPVERDICT_TEST_SECRET" }
[stimulus]
kind = "esl"
control = "{host}:5038"
password = "ClueCon-{secret:MANAGER_SECRET}"
dial = "sofia/external/{uri}"
"""
WEB = """
[stimulus]
kind = "http"
call = "http://phone.lab.example/call?number={uri}"
"""
CALLED = '[stimulus]\nkind = "sipp"\n'
SCRIPT = """
import dataclasses, json, sys
from harness.device import load_profile
from harness.doctor.device import device_checks
print(json.dumps([dataclasses.asdict(check) for check in device_checks(load_profile(sys.argv[1]))]))
"""
NAME_SERVER = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
    server.bind(("127.0.0.1", 53))
    print("READY", flush=True)
    while True:
        query, there = server.recvfrom(4096)
        if sys.argv[1] == "no such name":
            server.sendto(query[:2] + bytes([0x81, 0x83]) + query[4:6] + bytes(6) + query[12:], there)
"""
IN_A_ROOM = """
set -e
ip link set lo up
echo "nameserver 127.0.0.1" > "$1/resolv.conf"
echo "hosts: files dns" > "$1/nsswitch.conf"
mount --bind "$1/resolv.conf" /etc/resolv.conf
mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf
if [ "$2" != nobody ]; then
    "$4" "$1/name_server.py" "$2" > "$1/ready" &
    trap "kill $!" EXIT
    until grep -q READY "$1/ready"; do :; done
fi
"$4" -c "$5" "$3"
"""


def profile(folder: Path, rest: str, role: str = "uac", lab: str = "", port: int = 5060) -> Path:
    path = folder / "device.toml"
    head = f'[device]\nname = "phone"\nroles = ["{role}"]\n[lab]\naddress = "{HOST}:{port}"\n{lab}\n'
    path.write_text(head + rest)
    return path


def checked(path: Path) -> dict[str, Check]:
    return {check.name.removeprefix("phone: "): check for check in device_checks(load_profile(str(path)))}


@contextlib.contextmanager
def bound(port: int, kind: socket.SocketKind = socket.SOCK_DGRAM) -> Iterator[None]:
    with socket.socket(socket.AF_INET, kind) as held:
        held.bind((HOST, port))
        if kind == socket.SOCK_STREAM:
            held.listen()
        yield


def is_open(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex((HOST, port)) == 0


@pytest.fixture
def pbx(request: pytest.FixtureRequest) -> Iterator[None]:
    command = [sys.executable, str(PBX), request.param, f"{HOST}:5060", f"{HOST}:5038"]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}) as process:
        try:
            deadline = time.monotonic() + 30
            while not is_open(5038):
                assert time.monotonic() < deadline
                assert process.poll() is None
            yield
        finally:
            process.terminate()


# --- secrets and logins


def test_secret_that_is_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIPVERDICT_TEST_SECRET", raising=False)
    checks = checked(profile(tmp_path, MANAGER))
    assert checks["secrets"].state == "problem"
    assert "the environment variable SIPVERDICT_TEST_SECRET is not set" in checks["secrets"].found
    assert checks["secrets"].todo == "export SIPVERDICT_TEST_SECRET=... before the run"


@pytest.mark.parametrize(
    ("pbx", "text", "found"),
    [
        ("ami", MANAGER, "refused the login on its manager interface 127.201.78.1:5038: Authentication failed"),
        ("esl", EVENT_SOCKET, "refused the login on its event socket 127.201.78.1:5038: -ERR invalid"),
    ],
    indirect=["pbx"],
    ids=["ami", "esl"],
)
@pytest.mark.usefixtures("pbx")
def test_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, found: str) -> None:
    path = profile(tmp_path, text)
    kind = "ami" if text == MANAGER else "esl"
    monkeypatch.setenv("SIPVERDICT_TEST_SECRET", "not this one")
    wrong = checked(path)
    assert wrong["secrets"].state == "ok"
    assert wrong[kind].state == "problem"
    assert found in wrong[kind].found
    assert "stimulus." in wrong[kind].todo
    monkeypatch.setenv("SIPVERDICT_TEST_SECRET", "s3cret")
    assert checked(path)[kind].state == "ok"


def test_control_port_that_nobody_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIPVERDICT_TEST_SECRET", "s3cret")
    told = checked(profile(tmp_path, MANAGER))["ami"]
    assert told.state == "problem"
    assert "nothing answers there in 3 s" in told.found
    assert "is the interface enabled there" in told.todo


# --- the device


def test_device_that_is_off_and_one_that_says_nothing(tmp_path: Path) -> None:
    off = checked(profile(tmp_path, CALLED, "uas"))["address"]
    assert off.state == "problem"
    assert f"{HOST}:5060 (UDP), reached from 127." in off.found
    assert "nothing listens there" in off.found
    assert "switch it on" in off.todo
    with bound(5060):
        mute = checked(profile(tmp_path, CALLED, "uas"))["address"]
    assert mute.state == "warn"
    assert "does not answer an OPTIONS in 2 s" in mute.found


def test_device_that_listens_for_connections_only(tmp_path: Path) -> None:
    path = profile(tmp_path, CALLED, "uas")
    path.write_text(path.read_text().replace("[lab]", 'transports = ["tcp"]\n[lab]'))
    assert checked(path)["address"].state == "problem"
    with bound(5060, socket.SOCK_STREAM):
        assert checked(path)["address"].state == "warn", "it listens, and says nothing"


@contextlib.contextmanager
def server_of_tls(folder: Path, authority: trustme.CA) -> Iterator[None]:
    """A device at port 5061 that wants a certificate of its authority, and answers the first request on each line."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.private_key_pem.write_to_path(folder / "ca.key")

    class Answering(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError), context.wrap_socket(self.request, server_side=True) as line:
                head = line.recv(4096).decode().partition("\r\n")[2]
                line.sendall(f"SIP/2.0 200 OK\r\n{head}".encode())

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server((HOST, 5061), Answering) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield
        server.shutdown()
        serving.join()


MUTUAL = """
[lab.tls]
authority = "ca.pem"
authority_key = "ca.key"
demanded = true
"""


def test_device_that_wants_a_certificate(tmp_path: Path) -> None:
    path = profile(tmp_path, CALLED, "uas", port=5061)
    text = path.read_text().replace("[lab]", 'transports = ["tls"]\n[lab]')
    with server_of_tls(tmp_path, trustme.CA()):
        path.write_text(text)
        unknown = checked(path)["address"]
        path.write_text(f"{text}{MUTUAL}")
        known = checked(path)["address"]
    assert unknown.state == "warn"
    assert f"{HOST}:5061 (TLS)" in unknown.found
    assert "TLS handshake: tlsv1 alert unknown ca" in unknown.found
    assert "[lab.tls] names an authority that both know" in unknown.todo
    assert (known.state, known.found.partition(", answers")[2]) == ("ok", " an OPTIONS: SIP/2.0 200 OK")


def test_each_transport_is_looked_at(tmp_path: Path) -> None:
    path = profile(tmp_path, CALLED, "b2bua", 'exchange = "127.201.78.1:5070"')
    path.write_text(path.read_text().replace("[lab]", 'transports = ["udp", "tcp"]\n[lab]'))
    path.write_text(f'{path.read_text()}[over.tcp]\nlab.address = "{HOST}:5080"\n')
    with bound(5080, socket.SOCK_STREAM):
        checks = [check for check in device_checks(load_profile(str(path))) if check.name == "phone: address"]
    assert [(check.state, check.found.split(", ")[0]) for check in checks] == [
        ("problem", f"{HOST}:5060 (UDP)"),
        ("warn", f"{HOST}:5080 (TCP)"),
    ]
    assert "device.transports" in checks[0].todo


def test_gateway_whose_other_side_has_no_address_of_its_own(tmp_path: Path) -> None:
    path = profile(tmp_path, CALLED, "proxy")
    alone = path.read_text()
    path.write_text(alone.replace("[lab]", 'transports = ["tcp", "tcp-to-udp"]\n[lab]'))
    with bound(5060, socket.SOCK_STREAM):
        checks = [check for check in device_checks(load_profile(str(path))) if check.name == "phone: address"]
    assert [check.state for check in checks] == ["warn", "problem"], checks
    assert "if it listens for UDP elsewhere: [over.udp.lab] names the address" in checks[1].todo
    path.write_text(alone)
    assert "[over." not in checked(path)["address"].todo


def test_server_of_the_web_that_has_no_websocket_there(tmp_path: Path) -> None:
    """It has answered: no call will get through."""
    path = profile(tmp_path, CALLED, "proxy", port=5090)
    path.write_text(path.read_text().replace("[lab]", 'transports = ["ws"]\n[lab]'))

    class Web(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

    with ThreadingHTTPServer((HOST, 5090), Web) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        told = checked(path)["address"]
        server.shutdown()
        serving.join()
    assert "HTTP 501" in told.found
    assert told.state == "problem"
    assert "is lab.websocket_path what its server wants" in told.todo


# --- the suite's own addresses


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_exchange_that_another_program_has(tmp_path: Path, transport: str) -> None:
    path = profile(tmp_path, CALLED, "b2bua", f'exchange = "{HOST}:5070"')
    path.write_text(path.read_text().replace("[lab]", f'transports = ["{transport}"]\n[lab]'))
    with bound(5070, socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM):
        told = checked(path)["lab.exchange"]
    assert told.state == "problem"
    assert f"{transport.upper()} {HOST}:5070 is held by" in told.found
    assert f"(process {os.getpid()})" in told.found
    assert "change the port of lab.exchange" in told.todo
    assert checked(path)["lab.exchange"].state == "ok"


def test_each_address_of_a_trunk_is_looked_at(tmp_path: Path) -> None:
    lab = f'exchange = "{HOST}:5070"\nfurther_exchanges = ["{HOST}:5072", "{HOST}:5074"]'
    path = profile(tmp_path, CALLED, "b2bua", lab)
    with bound(5074):
        checks = [check for check in device_checks(load_profile(str(path))) if "exchange" in check.name]
    told = [(check.name.rpartition("lab.")[2], check.state, check.found.split()[1]) for check in checks]
    assert told == [
        ("exchange", "ok", f"{HOST}:5070"),
        ("further_exchanges", "ok", f"{HOST}:5072"),
        ("further_exchanges", "problem", f"{HOST}:5074"),
    ]
    assert "change the port of lab.further_exchanges" in checks[-1].todo


def test_exchange_is_on_the_side_of_the_devices_own_calls(tmp_path: Path) -> None:
    path = profile(tmp_path, CALLED, "b2bua", f'exchange = "{HOST}:5070"')
    path.write_text(path.read_text().replace("[lab]", 'transports = ["tcp-to-udp"]\n[lab]'))
    with bound(5070, socket.SOCK_STREAM):
        checks = [check for check in device_checks(load_profile(str(path))) if "exchange" in check.name]
    assert [(check.state, check.found) for check in checks] == [("ok", f"UDP {HOST}:5070 is free")]


def test_exchange_of_another_machine(tmp_path: Path) -> None:
    lab = 'exchange = "192.0.2.10:5070"\nbackup = "192.0.2.10:5071"\ntester = "192.0.2.10"'
    path = profile(tmp_path, CALLED, "b2bua", lab)
    path.write_text(path.read_text().replace(HOST, "192.0.2.7"))
    checks = checked(path)
    for key in ("lab.exchange", "lab.backup", "the suite's addresses"):
        assert checks[key].state == "problem", checks[key]
        assert "192.0.2.10" in checks[key].found
        assert "of this machine" in checks[key].todo


@pytest.mark.parametrize(
    ("ports", "calls", "state", "found"),
    [
        ("5060-5063", 1, "problem", "room for 0 endpoints beside 4 reserved ones; "),
        ("5060-5067", 1, "warn", "tests do not fit"),
        ("5060-5087", 9, "warn", "9 calls at once need 27"),
        ("5060-5099", 8, "ok", "room for 36 endpoints"),
    ],
)
def test_range_that_is_too_small(tmp_path: Path, ports: str, calls: int, state: str, found: str) -> None:
    path = profile(tmp_path, CALLED, "proxy", f'tester = "{HOST}"\nports = "{ports}"', port=6060)
    path.write_text(path.read_text().replace("[lab]", f"max_calls = {calls}\n[lab]"))
    told = checked(path)["the suite's addresses"]
    assert told.state == state, told
    assert found in told.found
    assert ("name" in told.todo) == (state != "ok")


# --- names


@pytest.mark.parametrize(
    ("server", "found"),
    [
        ("nobody", "DNS does not answer for phone.lab.example"),
        ("silent", "DNS does not answer for phone.lab.example in 5 s"),
        ("no such name", "DNS knows no address for phone.lab.example"),
    ],
)
def test_name_that_dns_does_not_know(tmp_path: Path, server: str, found: str) -> None:
    path = profile(tmp_path, WEB)
    (tmp_path / "name_server.py").write_text(NAME_SERVER)
    room = ["unshare", "--net", "--mount", "sh", "-c", IN_A_ROOM, "sh"]
    done = subprocess.run(
        [*room, str(tmp_path), server, str(path), sys.executable, SCRIPT],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "unshare" in done.stderr:
        pytest.skip(f"no network of its own can be had here: {done.stderr.strip()}")
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert checks["phone: DNS"]["state"] == "problem", done.stdout
    assert checks["phone: DNS"]["found"].startswith(found)
    assert "/etc/hosts" in checks["phone: DNS"]["todo"]


def test_name_that_is_known(tmp_path: Path) -> None:
    path = profile(tmp_path, WEB.replace("phone.lab.example", "localhost"))
    told = checked(path)["DNS"]
    assert told.state == "ok"
    assert told.found.startswith("localhost is ")
