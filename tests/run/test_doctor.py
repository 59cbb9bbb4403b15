"""``sipverdict doctor`` and ``smoke`` as a user runs them, where something is wrong with machine, profile or device."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from harness import doctor as doctors
from harness.cli import main
from harness.device import load_profile
from harness.doctor import Check, examine
from tests.run.suite import ROOT, left_behind
from tests.run.test_bad_input import HOLDER

TOYS = Path(__file__).parent / "devices"
REFERENCE = (ROOT / "harness" / "devices" / "reference" / "device.toml").read_text()
FIXED = "127.201.77.1"
"""Hosts from 127.200 on are never leased."""


class Said:
    """What a command said and how it ended."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.status, self.text = done.returncode, done.stdout + done.stderr
        assert "Traceback" not in self.text, self.text

    def line(self, beginning: str) -> str:
        """The line in which ``beginning`` stands, and the next one: what to do about it."""
        lines = self.text.splitlines()
        at = next((at for at, line in enumerate(lines) if beginning in line), None)
        assert at is not None, self.text
        return "\n".join(lines[at : at + 2])


TEMPORARY = Path(tempfile.gettempdir()) / f"sipverdict-tests-{os.getpid()}"
"""Of these tests alone: another run on this machine must not look like something left behind."""


@pytest.fixture(scope="module", autouse=True)
def temporary() -> Iterator[None]:
    TEMPORARY.mkdir(exist_ok=True)
    yield
    shutil.rmtree(TEMPORARY, ignore_errors=True)


def said(*arguments: str, before: tuple[str, ...] = (), **environment: str) -> Said:
    command = [*before, sys.executable, "-m", "sipverdict", *arguments]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(TEMPORARY), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    return Said(done)


def profile(folder: Path, text: str) -> str:
    path = folder / "phone.toml"
    path.write_text(text)
    return str(path)


def far(text: str) -> str:
    """A profile of a device that is not on this machine."""
    return text.replace(f'"{FIXED}:', '"192.0.2.7:').replace("[lab]\n", '[lab]\ntester = "192.0.2.10"\n')


def running(port: int, role: str = "uas", more: str = "") -> str:
    """The profile of a device that the suite does not start, at FIXED."""
    return f"""
[device]
name = "phone"
roles = ["{role}"]
[lab]
address = "{FIXED}:{port}"
{more}
[stimulus]
kind = "sipp"
"""


def at_fixed(text: str, port: int) -> str:
    """The reference device's profile with a fixed address and without its variants."""
    base = text.partition("# What it is in the other roles")[0]
    return base.replace('"{lease}"', f'"{FIXED}:{port}"', 1)


WRONG_NUMBER = (
    REFERENCE.partition("# What it is in the other roles")[0]
    .replace('numbers = { blocked = "sip:21{token}@{device}" }\n', "")
    .replace('roles = ["uac", "b2bua"]', 'roles = ["uas"]')
    .replace(
        "backup = true", 'numbers = { redirects = "sip:603{token}@{device}", declines = "sip:603{token}@{device}" }'
    )
)
WRONG_NUMBER = WRONG_NUMBER.partition("[pics]")[0] + "[lab]" + WRONG_NUMBER.partition("[lab]")[2]
WRONG_NUMBER = WRONG_NUMBER.replace('"harness.devices.reference"', '"harness.devices.reference", "--role", "uas"')
WRONG_NUMBER = WRONG_NUMBER.replace('backup_argv = ["--backup", "{backup}"]\n', "").partition("[stimulus]")[0]
WRONG_NUMBER += '[stimulus]\nkind = "sipp"\n'
RINGS = WRONG_NUMBER.replace(
    'redirects = "sip:603{token}@{device}", declines = "sip:603{token}@{device}" }', ""
).replace("numbers = { ", 'prefix = "180"\nnumbers = { rings = "sip:{token}@{device}" }')
RINGS = RINGS.partition("[stimulus]")[0] + '[stimulus]\nkind = "stdin"\nreject = "reject {uri}"\n'


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Said]]]:
    """Every command of this file, a few at a time: most of them wait."""
    new = lambda: tmp_path_factory.mktemp("profile")  # noqa: E731
    gone = profile(new(), running(5999))
    alone = ("unshare", "--net", sys.executable, "-c", HOLDER)
    empty = str(new())
    with ThreadPoolExecutor(3) as pool:
        yield {
            "smoke stopped": pool.submit(said, "smoke", "--device", gone),
            "smoke mute": pool.submit(said, "smoke", "--device", str(TOYS / "mute.toml")),
            "doctor": pool.submit(said, "doctor", "--json", "--device", "reference:base"),
            "doctor no sipp": pool.submit(said, "doctor", PATH=empty),
            "doctor port": pool.submit(said, "doctor", before=alone),
            "smoke": pool.submit(said, "smoke", "--device", "reference", "--json"),
            "smoke transports": pool.submit(
                said, "smoke", "--device", "reference:base", "--transport", "tls,ws", "--family", "4,6", "--json"
            ),
            "smoke number": pool.submit(said, "smoke", "--device", profile(new(), WRONG_NUMBER)),
            "smoke rings": pool.submit(said, "smoke", "--device", profile(new(), RINGS)),
            "smoke port": pool.submit(said, "smoke", "--device", "reference:base", before=alone),
            "smoke fault": pool.submit(said, "smoke", "--device", "reference:base", "--fault", "no_ack"),
        }


def got(runs: dict[str, Future[Said]], name: str) -> Said:
    run = runs[name].result()
    if "unshare" in run.text:
        pytest.skip(f"no network of its own can be had here: {run.text.strip()}")
    return run


# --- doctor


def test_this_machine_is_fit(runs: dict[str, Future[Said]]) -> None:
    run = got(runs, "doctor")
    checks: list[dict[str, Any]] = json.loads(run.text)["checks"]
    assert run.status == 0, run.text
    states = {check["name"]: check["state"] for check in checks}
    for name in ("SIPp", "SIPp: a call", "SIPp: digest", "Python", "loopback", "permissions: sockets"):
        assert states[name] == "ok", run.text
    assert {"ports", "clock", "limits: files", "disk: runs", "load", "Node, Allure"} <= states.keys()
    assert states["reference: program"] == states["reference: address"] == "ok"


def test_doctor_without_sipp(runs: dict[str, Future[Said]]) -> None:
    run = got(runs, "doctor no sipp")
    assert run.status == 3
    assert "SIPp was not found in PATH" in run.line("problem  SIPp")
    assert "sip-tester" in run.line("problem  SIPp")
    assert "not ready for a run" in run.text
    assert "Python" in run.text, "the other checks are made all the same"


def test_doctor_where_the_port_is_taken(runs: dict[str, Future[Said]]) -> None:
    run = got(runs, "doctor port")
    assert run.status == 0, run.text
    told = run.line("warn     ports: UDP 5060 is held by")
    assert "(process " in told
    assert "go to port 5062" in told
    assert "end it" in told


@pytest.fixture
def taken(tmp_path: Path) -> Iterator[str]:
    """A profile of a device that is to be started at an address which we have ourselves."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind((FIXED, 5060))
        yield profile(tmp_path, at_fixed(REFERENCE, 5060))


def test_doctor_where_the_address_of_the_device_is_taken(taken: str) -> None:
    (told,) = [check for check in doctors.device_checks(load_profile(taken)) if check.name == "reference: address"]
    assert told.state == "problem"
    assert f"{FIXED}:5060 is held by " in told.found
    assert f"(process {os.getpid()})" in told.found
    assert "change lab.address" in told.todo


def test_doctor_of_a_device_that_is_not_there(tmp_path: Path) -> None:
    gone = load_profile(profile(tmp_path, running(5999)))
    (told,) = [check for check in doctors.device_checks(gone) if check.name == "phone: address"]
    assert told.state == "problem"
    assert f"{FIXED}:5999 (UDP), reached from 127." in told.found
    assert "switch it on" in told.todo


def test_doctor_of_a_profile_that_cannot_be_used(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctors, "machine_checks", lambda _out: [])
    monkeypatch.setattr(doctors, "sipp_checks", list)
    assert main(["doctor", "--device", "refrence"]) == 3
    told = capsys.readouterr().out
    assert told.startswith("problem  refrence: profile: no device is called 'refrence'\n         → known: reference")


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        (far(at_fixed(REFERENCE, 5060)), "reference: address", "is no address of this machine"),
        (far(running(5060)), "phone: the suite's addresses", "192.0.2.10 is no address of this machine"),
        (at_fixed(REFERENCE, 5061).replace('"{python}"', '"no-such-product"'), "reference: program", "no program"),
    ],
    ids=["an address of another machine", "a device elsewhere", "a product that is not installed"],
)
def test_doctor_of_other_profiles(tmp_path: Path, text: str, name: str, found: str) -> None:
    checks = {check.name: check for check in doctors.device_checks(load_profile(profile(tmp_path, text)))}
    assert checks[name].state == "problem", checks
    assert found in checks[name].found
    assert checks[name].todo


def test_doctor_where_the_resolver_of_the_lab_cannot_listen(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{other.getsockname()[1]}"
        found = {}
        for where in (place, "{lease}"):
            text = REFERENCE.replace('resolver = "{lease}"', f'resolver = "{where}"')
            checks = doctors.device_checks(load_profile(profile(tmp_path, text)))
            found[where] = next(check for check in checks if check.name == "reference: the lab's resolver")
    assert (found[place].state, found["{lease}"].state) == ("warn", "ok")
    assert f"another program has UDP {place}" in found[place].found
    assert found[place].todo


def test_doctor_where_runs_cannot_be_stored(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    (disk,) = [check for check in examine([], tmp_path / "out") if check.name == "disk: runs"]
    assert (disk.state, disk.todo) == ("problem", "choose another folder with --out")


def test_check_that_breaks_is_a_warning_and_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[Check]:
        raise ZeroDivisionError("so to speak")

    monkeypatch.setattr(doctors, "sipp_checks", broken)
    monkeypatch.setattr(doctors, "machine_checks", lambda _out: [("Python", lambda: [Check("Python", "ok", "3")])])
    told = list(examine([], Path()))
    assert [(check.name, check.state) for check in told] == [("SIPp", "warn"), ("Python", "ok")]
    assert "so to speak" in told[0].found


# --- smoke


def test_smoke_of_every_role(runs: dict[str, Future[Said]]) -> None:
    run = got(runs, "smoke")
    assert run.status == 0, run.text
    looks = {(look["device"], look["role"], look["status"]): look for look in json.loads(run.text)}
    assert len(looks) == 18
    assert {key for key, look in looks.items() if not look["ok"]} == {("reference:redirect", "redirect", 603)}
    assert all(look["seconds"] is not None for look in looks.values() if look["ok"])
    assert "caller received 603" in looks["reference:proxy", "proxy", 603]["result"]
    assert looks["reference:uas", "uas", 302]["result"] == "answered 302"


def test_smoke_over_what_carries_its_sip(runs: dict[str, Future[Said]]) -> None:
    run = got(runs, "smoke transports")
    assert run.status == 0, run.text
    looks = json.loads(run.text)
    assert {(look["transport"], look["family"]) for look in looks if look["ok"]} == {
        ("tls", "ipv4"),
        ("tls", "ipv6"),
        ("ws", "ipv4"),
        ("ws", "ipv6"),
    }
    assert len(looks) == 24


def test_smoke_without_sipp(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIPVERDICT_SIPP", "/nonexistent")
    assert main(["smoke"]) == 3
    told = capsys.readouterr().err
    assert "no call was made, because of this machine or the command line: SIPp was not found" in told


def test_smoke_of_no_device(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["smoke", "--device", "refrence"]) == 3
    assert "because of the profile: no device is called 'refrence'" in capsys.readouterr().err


def test_smoke_of_a_device_that_is_not_there(runs: dict[str, Future[Said]]) -> None:
    run = got(runs, "smoke stopped")
    assert run.status == 2, run.text
    assert "200  failed" in run.text
    assert "302  not made" in run.text
    assert "is not answered either" in run.text
    assert "blame  the device" in run.text
    assert f"try    is it running, and is {FIXED}:5999" in run.text


def test_smoke_of_a_device_that_is_not_told_rightly(runs: dict[str, Future[Said]]) -> None:
    run = got(runs, "smoke mute")
    assert run.status == 3, run.text
    assert "the device did not call" in run.text
    assert "blame  the profile" in run.text
    assert "[stimulus]" in run.line("try    ")


def test_smoke_with_the_wrong_number(runs: dict[str, Future[Said]]) -> None:
    run = got(runs, "smoke number")
    assert run.status == 3, run.text
    assert "200  ok" in run.text
    assert "603  ok" in run.text
    assert "was answered 603; expected 3xx" in run.line("302  failed")
    assert "blame  the profile" in run.text
    assert "correct lab.numbers.redirects" in run.text
    assert "SIP/2.0 603" in run.text or "603 Decline" in run.text, "the ladder"


def test_smoke_of_a_phone_that_rings_until_it_is_told_to_decline(runs: dict[str, Future[Said]]) -> None:
    run = got(runs, "smoke rings")
    assert run.status == 0, run.text
    assert "it rings: 180" in run.line("200  ok")
    assert "answered 603" in run.line("603  ok")


def test_smoke_where_the_address_of_the_device_is_taken(taken: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["smoke", "--device", taken]) == 3
    told = capsys.readouterr().out
    assert f"{FIXED}:5060 is taken by another program" in told
    assert "blame  this machine" in told


def test_smoke_of_a_program_that_listens_on_every_address(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As docs/attach-a-device.md has it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("0.0.0.0", 0))
        port = free.getsockname()[1]
    text = REFERENCE.partition("# What it is in the other roles")[0].replace('"{lease}"', f'"127.0.0.1:{port}"', 1)
    assert '"{address}"' in text
    everywhere = text.replace('"{address}"', f'"0.0.0.0:{port}"', 1)
    assert main(["smoke", "--device", profile(tmp_path, everywhere)]) == 0
    told = capsys.readouterr().out
    assert "302  ok" in told
    assert "went on to target" in told


def test_smoke_where_port_5060_is_taken(runs: dict[str, Future[Said]]) -> None:
    run = got(runs, "smoke port")
    assert run.status == 0, run.text


def test_smoke_of_a_device_that_does_not_acknowledge(runs: dict[str, Future[Said]]) -> None:
    run = got(runs, "smoke fault")
    assert run.status == 2, run.text
    assert "200  ok" in run.text
    assert "was answered 302, but no ACK arrived" in run.line("302  failed")
    assert "blame  the device" in run.text
    assert "302 Moved" in run.text, "the ladder"


def test_nothing_is_left_behind(runs: dict[str, Future[Said]]) -> None:
    for run in runs.values():
        run.result()
    assert left_behind(TEMPORARY / "sipverdict-smoke-") == []
    assert left_behind(TEMPORARY / "sipverdict-doctor-") == []
    assert shutil.which("sipp")
