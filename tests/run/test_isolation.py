"""``[isolation]``: runs in networks of their own, side by side, of which nothing is left."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.device import load_profile
from harness.doctor.device import device_checks
from harness.errors import ProfileError, SetupError
from harness.system import isolation
from harness.system.isolation import Isolation
from tests.run.suite import ROOT, command, left_behind, run_suite

NETWORKS = '[isolation]\nnetworks = ["10.77.0.0/16", "fd00:77::/64"]\nsources = ["10.77.0.1", "fd00:77::1"]\n'
PROFILE = f"""
[device]
name = "isolated"
roles = ["uac"]
families = ["ipv4", "ipv6"]
max_calls = 20
[pics]
follows_redirects = true
{NETWORKS}
[lab]
address = "10.77.0.1:5060"
tester = "10.77.1.1-10.77.1.40"
ports = "5060-5061"
[over.udp6]
lab = {{ address = "[fd00:77::1]:5060", tester = "fd00:77::100-fd00:77::140" }}
[process]
argv = ["{{python}}", "-m", "harness.devices.reference", "--transport", "{{transport}}", "--listen", "{{address}}"]
env = {{ PYTHONPATH = "{{suite}}", PYTHONUNBUFFERED = "1" }}
[ready]
stdout = "READY"
timeout_s = 30.0
[stimulus]
kind = "stdin"
call = "call {{uri}}"
hangup = "hangup {{uri}}"
"""
ASKED = ("--", "-k", "test_contact_is_called")
SOCKETS = """
import json, os, socket
from harness.system.isolation import Isolation, set_up
set_up(Isolation(("10.77.0.0/16", "fd00:77::/64"), ("10.77.0.1", "fd00:77::1")))
came = []
for family, at in ((socket.AF_INET, "10.77.3.4"), (socket.AF_INET6, "fd00:77::44")):
    heard, says = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_DGRAM)
    heard.bind((at, 5060))
    says.sendto(b"x", (at, 5060))
    came.append(heard.recvfrom(1)[1][0])
    listens, calls = socket.socket(family), socket.socket(family)
    listens.bind((at, 5060))
    listens.listen()
    calls.connect((at, 5060))
    came.append(calls.getsockname()[0])
print(json.dumps(came))
"""

needs_a_network = pytest.mark.skipif(bool(why := isolation.why_not()), reason=why)


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "device.toml"
    path.write_text(PROFILE)
    return path


def _networks() -> set[int]:
    """The network namespaces that some process of this machine is in."""
    found = set()
    for namespace in Path("/proc").glob("[0-9]*/ns/net"):
        with contextlib.suppress(OSError):  # it has just ended
            found.add(namespace.stat().st_ino)
    return found


@needs_a_network
def test_two_runs_of_one_fixed_address_go_on_side_by_side_and_leave_nothing(profile: Path) -> None:
    before = subprocess.run(["ip", "address"], capture_output=True, text=True, check=True).stdout
    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(lambda name: run_suite(profile.parent / name, "--device", str(profile), *ASKED), "ab"))
    for run in runs:
        assert run.status == 0, run.output
        assert {(line["family"], line["verdict"]) for line in run.records} == {("ipv4", "pass"), ("ipv6", "pass")}
        assert left_behind(run.out) == []
    flows = [json.loads(path.read_text()) for path in runs[0].folder.glob("flows/*.json")]
    hosts = {seat["address"]["host"] for flow in flows if flow["family"] == "ipv6" for seat in flow["seats"]}
    assert len(hosts) > 1, "over IPv6, too, each endpoint has an address of its own"
    assert subprocess.run(["ip", "address"], capture_output=True, text=True, check=True).stdout == before


@needs_a_network
def test_a_killed_run_leaves_nothing(profile: Path) -> None:
    with subprocess.Popen(
        command(profile.parent / "runs", "--device", str(profile)), cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout
        assert any("driven" in line for line in run.stdout)  # it is in the middle of it
        inside = Path(f"/proc/{run.pid}/ns/net").stat().st_ino
        assert str(inside) != isolation.namespace()
        run.kill()
    deadline = time.monotonic() + 20
    while inside in _networks():
        assert time.monotonic() < deadline, "the network is still there"
        time.sleep(0.1)
    assert left_behind(profile.parent / "runs") == []


@needs_a_network
def test_whoever_binds_no_address_sends_from_the_one_that_the_profile_names() -> None:
    label = Isolation(("10.77.0.0/16", "fd00:77::/64"), ("10.77.0.1", "fd00:77::1")).label
    done = subprocess.run(
        [*isolation.unshare(), "--", sys.executable, "-c", SOCKETS],
        cwd=ROOT,
        env={**os.environ, "SIPVERDICT_ISOLATION": f"{isolation.namespace()} {label} /tmp"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == ["10.77.0.1", "10.77.0.1", "fd00:77::1", "fd00:77::1"]


def test_the_network_of_the_machine_is_never_changed() -> None:
    asked = Isolation(("10.77.0.0/16",))
    os.environ["SIPVERDICT_ISOLATION"] = f"{isolation.namespace()} {asked.label} /tmp"
    try:
        assert not isolation.is_entered(asked)
        with pytest.raises(SetupError, match="no network of its own"):
            isolation.set_up(asked)
    finally:
        del os.environ["SIPVERDICT_ISOLATION"]


def test_where_the_machine_gives_no_network_nothing_is_tested_and_nothing_is_a_verdict(
    profile: Path, tmp_path: Path
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sipp", "ip"):
        (programs / name).symlink_to(shutil.which(name) or "/nowhere")
    run = run_suite(tmp_path / "runs", "--device", str(profile), *ASKED, PATH=str(programs))
    assert {line["verdict"] for line in run.records} == {"not_tested"}, run.output
    assert "no unshare" in run.records[0]["reason"]
    checks = subprocess.run(
        [sys.executable, "-m", "sipverdict", "doctor", "--device", str(profile)],
        cwd=ROOT,
        env={**os.environ, "PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert "network of its own: it is not tested here: this machine has no unshare" in " ".join(checks.split())


def test_two_networks_do_not_fit_into_one_run(profile: Path, tmp_path: Path) -> None:
    run = run_suite(tmp_path / "runs", "--device", str(profile), "--device", "reference", *ASKED)
    assert run.status == 3
    assert "cannot be tested in one run" in run.output


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('networks = ["10.77.0.1/16"]', "isolation.networks.0: expected a network"),
        ('networks = ["127.9.0.0/16"]', "isolation.networks.0: expected another network than loopback"),
        ('networks = ["10.0.0.0/8"]\nsources = ["192.0.2.1"]', "expected addresses of isolation.networks"),
        ('networks = ["10.0.0.0/8"]\nsources = ["10.0.0.1", "10.0.0.2"]', "one address of each IP family"),
        ("networks = []", "isolation.networks"),
    ],
)
def test_what_is_no_network(profile: Path, text: str, wanted: str) -> None:
    profile.write_text(PROFILE.replace(NETWORKS, f"[isolation]\n{text}\n"))
    with pytest.raises(ProfileError) as caught:
        load_profile(profile)
    assert wanted in caught.value.cause


def test_the_doctor_looks_for_none_of_its_addresses_outside(profile: Path) -> None:
    names = {check.name: check.state for check in device_checks(load_profile(profile))}
    assert "isolated: network of its own" in names
    assert not [name for name in names if "address" in name]
