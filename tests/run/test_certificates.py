"""Runs over TLS with certificates: what a device that checks them does, and a lab with an authority of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from harness.model.outcome import SKIPPED
from tests.run.suite import ROOT, Finished, run_suite

DESK = "127.201.80.1"
TESTER = "127.201.80.10-127.201.80.13"
"""Hosts from 127.200 on are never leased."""
PROFILE = f"""
[device]
name = "desk"
roles = ["uac"]
transports = ["tls"]
max_calls = 4
[pics]
follows_redirects = true
verifies_certificates = true
[lab]
address = "{DESK}:5061"
tester = "{TESTER}"
ports = "20000-20009"
[lab.tls]
{{tls}}
[stimulus]
kind = "tcp"
control = "{DESK}:6000"
call = "call {{uri}}"
hangup = "hangup {{uri}}"
"""
ASKED = "test_contact_is_called or certificate"


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    made.private_key_pem.write_to_path(tmp_path / "ca.key")
    made.issue_cert(DESK).private_key_and_cert_chain_pem.write_to_path(tmp_path / "desk.pem")
    return made


@contextlib.contextmanager
def on_a_desk(folder: Path) -> Iterator[None]:
    """A device that nobody starts for a run, and that trusts the authority of the lab alone."""
    argv = [sys.executable, "-m", "harness.devices.reference", "--transport", "tls", "--listen", f"{DESK}:5061"]
    argv += ["--certificate", str(folder / "desk.pem"), "--authority", str(folder / "ca.pem")]
    argv += ["--control", f"{DESK}:6000"]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as device:
        assert device.stdout
        assert device.stdout.readline() == b"READY\n"
        try:
            yield
        finally:
            device.terminate()


def run_on(folder: Path, tls: str) -> Finished:
    (folder / "device.toml").write_text(PROFILE.replace("{tls}", tls))
    with on_a_desk(folder):
        return run_suite(folder / "runs", "--device", str(folder / "device.toml"), "--", "-k", ASKED)


def handshakes(run: Finished) -> list[dict[str, Any]]:
    flows = (json.loads(path.read_text()) for path in run.folder.glob("flows/*.json"))
    of_seats = (one for flow in flows for seat in flow["seats"] for one in seat["connections"])
    return [one["handshake"] for one in of_seats if one["handshake"] and one["opened_by"] == "device"]


def test_a_device_on_a_desk_that_checks_certificates_is_tested_with_those_of_the_lab(
    tmp_path: Path, authority: trustme.CA
) -> None:
    run = run_on(tmp_path, 'authority = "ca.pem"\nauthority_key = "ca.key"\ndemanded = true')
    verdicts = [(line["purpose"].rpartition("/")[2], line["verdict"]) for line in run.records]
    assert {verdict for name, verdict in verdicts if "dns" not in name and "sip_uri" not in name} == {"pass"}, (
        run.output
    )
    assert ("expired_certificate_is_refused", "pass") in verdicts
    subjects = {one["peer_subject"] for one in handshakes(run)}
    assert subjects, "no connection was established"
    assert all(subjects), "a device that shows no certificate got a connection"


def test_without_the_key_of_the_authority_wrong_certificates_are_not_tested(
    tmp_path: Path, authority: trustme.CA
) -> None:
    own = authority.issue_cert(*(f"127.201.80.{number}" for number in range(10, 14)))
    own.cert_chain_pems[0].write_to_path(tmp_path / "own.pem")
    own.private_key_pem.write_to_path(tmp_path / "own.key")
    run = run_on(tmp_path, 'authority = "ca.pem"\ncertificate = "own.pem"\nkey = "own.key"')
    said = {line["purpose"].rpartition("/")[2]: (line["verdict"], line["reason"]) for line in run.records}
    assert said["contact_is_called"][0] == "pass", run.output
    assert said["certificate_of_an_unknown_authority_is_refused"][0] == "pass"
    assert "lab.tls.authority_key" in said["expired_certificate_is_refused"][1]


def test_an_authority_that_the_device_does_not_know_is_no_verdict(tmp_path: Path, authority: trustme.CA) -> None:
    stranger = trustme.CA()
    stranger.cert_pem.write_to_path(tmp_path / "other.pem")
    stranger.private_key_pem.write_to_path(tmp_path / "other.key")
    run = run_on(tmp_path, 'authority = "other.pem"\nauthority_key = "other.key"')
    assert {line["verdict"] for line in run.records} == {"inconclusive", "not_applicable"}, run.output
    assert "TLS handshake: " in run.output  # an alert, or a reset
    assert "lab.tls" in run.output
    assert run.status != 0


def test_a_certificate_names_an_ipv6_host_as_a_uri_does(tmp_path: Path) -> None:
    chosen = ("--transport", "tls", "--family", "6", "-k", "uac-tls6 and (to_a_certificate or every_2xx)")
    run = run_suite(tmp_path, "--device", "reference:base", *chosen)
    assert {record["verdict"] for record in run.records} <= {"pass", *SKIPPED}, run.output
    assert sum(record["verdict"] == "pass" for record in run.records) > 3, run.output
