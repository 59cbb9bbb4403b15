"""Calls from one IP family to the other: who is asked, where its endpoints are, and who is not asked, and why."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from harness.device import load_profile
from harness.doctor.lab import lab_checks
from harness.errors import ProfileError
from harness.evidence.rejudge import rejudge
from harness.purposes.discovery import all_purposes
from harness.requirements.catalogue import Catalogue
from harness.store.stored_run import read_run
from tests.run.suite import ROOT, Finished, command, run_suite

ASKED = ("--", "-k", "contact_of_the_other_family_is_called or next_contact_may_be_of_the_other_family")
PROFILE = """
[device]
name = "both"
roles = ["uac"]
families = ["ipv4", "ipv6"]
max_calls = 20
[pics]
follows_redirects = true
multi_contact = true
both_families = true
[isolation]
networks = ["10.77.0.0/16", "fd00:77::/64"]
[lab]
address = "10.77.0.1:5060"
tester = "10.77.1.1-10.77.1.20"
ports = "5060-5061"
[over.udp6]
lab = { address = "[fd00:77::1]:5060", tester = "fd00:77::100-fd00:77::120" }
[process]
argv = ["{python}", "-m", "harness.devices.reference", "--transport", "{transport}", "--listen", "{address}"]
other_family_argv = ["--also", "{other_address}"]
env = { PYTHONPATH = "{suite}", PYTHONUNBUFFERED = "1" }
[ready]
stdout = "READY"
timeout_s = 30.0
[stimulus]
kind = "stdin"
call = "call {uri}"
"""
NO_TESTER = ', tester = "fd00:77::100-fd00:77::120"'


def profile(folder: Path, *changes: tuple[str, str]) -> Path:
    text = PROFILE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "device.toml"
    path.write_text(text)
    return path


def rejudged(run: Finished) -> list[str]:
    """What judging the stored run again says otherwise."""
    found = rejudge(read_run(run.folder), Catalogue.load(), all_purposes())
    return [difference.why for difference in found.differences]


def flows(run: Finished) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in run.folder.glob("flows/*.json")]


@pytest.mark.parametrize("families", ["--family=4", "--family=6"])
def test_a_target_is_where_the_plan_says_and_everything_else_where_the_drive_is(families: str, tmp_path: Path) -> None:
    run = run_suite(tmp_path, "--device=reference:base", families, *ASKED)
    assert {line["verdict"] for line in run.records} == {"pass"}, run.output
    reached = set()
    for flow in flows(run):
        across = {one["name"] for one in flow["plan"]["endpoints"] if one["crosses"]}
        for seat in flow["seats"]:
            is_ipv6 = ":" in seat["address"]["host"]
            assert is_ipv6 == ((flow["family"] == "ipv6") != (seat["name"] in across))
        reached |= {(flow["family"], one["seat_kind"], ":" in one["address"]["host"]) for one in flow["controls"]}
    assert {is_ipv6 for _, kind, is_ipv6 in reached if kind == "target"} == {True, False}
    assert {is_ipv6 == (family == "ipv6") for family, kind, is_ipv6 in reached if kind == "callee"} == {True}
    assert rejudged(run) == []


def test_a_lab_has_addresses_of_both(tmp_path: Path) -> None:
    run = run_suite(tmp_path, f"--device={profile(tmp_path)}", *ASKED)
    assert [(line["family"], line["verdict"]) for line in run.records] == [
        (family, "pass") for family in ("ipv4", "ipv6") for _ in range(2)
    ], run.output
    hosts = {seat["address"]["host"] for flow in flows(run) for seat in flow["seats"]}
    assert {host.startswith(("10.77.1.", "fd00:77::1")) for host in hosts} == {True}


def test_a_lab_with_addresses_of_one_is_not_asked(tmp_path: Path) -> None:
    declared = 'families = ["ipv4"]\nfurther_families = ["ipv6"]'
    one = profile(tmp_path, (NO_TESTER, ""), ('families = ["ipv4", "ipv6"]', declared))
    run = run_suite(tmp_path, f"--device={one}", *ASKED)
    assert {(line["verdict"], line["reason"]) for line in run.records} == {
        ("not_tested", "the profile of both names no address of this machine over IPv6: lab.tester in [over.udp6]")
    }
    assert rejudged(run) == []


def test_doctor_says_whether_there_are_both(tmp_path: Path) -> None:
    declared = 'families = ["ipv4"]\nfurther_families = ["ipv6"]'
    one = profile(tmp_path, (NO_TESTER, ""), ('families = ["ipv4", "ipv6"]', declared))
    told = {check.state: check.found for check in lab_checks(load_profile(str(one))) if "IPv6" in check.name}
    assert list(told) == ["warn"]
    assert "lab.tester in [over.udp6]" in told["warn"]
    [check] = [check for check in lab_checks(load_profile("reference")) if "IPv6" in check.name]
    assert check.state == "ok"


def test_who_does_not_claim_both_is_not_asked(tmp_path: Path) -> None:
    run = run_suite(tmp_path, f"--device={profile(tmp_path, ('both_families = true', ''))}", "--family=4", *ASKED)
    for line in run.records:
        assert line["verdict"] == "not_applicable"
        assert "the device does not declare" in line["reason"]
        assert "both_families" in line["reason"]


@pytest.mark.skipif(not shutil.which("unshare"), reason="needs unshare (util-linux)")
def test_a_machine_without_ipv6_is_the_reason(tmp_path: Path) -> None:
    without = "ip link set lo up && sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.lo.disable_ipv6=1"
    if subprocess.run(["unshare", "-Urn", "sh", "-c", without], check=False, capture_output=True).returncode:
        pytest.skip("this machine gives no network namespace")
    asked = command(tmp_path, "--device=reference:base", "--role=uac", "--window=quick") + list(ASKED)
    done = subprocess.run(
        ["unshare", "-Urn", "sh", "-c", f'{without} && exec "$@"', "sh", *asked],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "no endpoint can be reached over the other IP family: IPv6 loopback" in done.stdout, done.stderr
    assert "2 not tested" in done.stdout


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('["ipv4", "ipv6"]', '["ipv4"]'), 'pics.both_families: claimed, but .* name only "ipv4": expected both'),
        (('"{other_address}"]', '"[::1]:5060"]'), "process.other_family_argv: expected {other_address} in it"),
        (('"{address}"]', '"{address}", "{other_address}"]'), "process.argv: {other_address} is not always there"),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused(change: tuple[str, str], says: str, tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=says):
        load_profile(str(profile(tmp_path, change)))
