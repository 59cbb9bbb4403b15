"""Products with defects of the field, of which their profiles say nothing: no pass, and no certificate.

Three devices (devices/defective.toml): a gateway with sixteen defects at once, a B2BUA that reports every 6xx as 503,
and a proxy that acknowledges only its first branch.  One run in the standard window drives them side by side, with two
that have no defect and are certified.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from tests.run.suite import Finished, committed_suite, run_suite

DEVICES = Path(__file__).parent / "devices" / "defective.toml"
LIMIT_S = 900.0

DEFECTS = {
    "redials_after_ringing": {("RFC3261-21.6-01", "called-again"), ("RFC3261-21.6-01", "redialled")},
    "unknown_6xx_as_4xx": {("RFC3261-8.1.3.2-01", "redialled"), ("RFC8197-4-01", "redialled")},
    "retries_after_503": {("RFC3261-8.1.3.4-03", "target-tried-again")},
    "acts_on_second_final": {("RFC3261-17.1.1.2-06", "second-final-followed")},
    "no_ack_of_487": {("RFC3261-17.1.1.2-01", "no-ack")},
    "ack_without_max_forwards": {("RFC3261-8.1.1-01", "no-max-forwards")},
    "two_max_forwards": {("RFC3261-7.3.1-02", "header-twice")},
    "never_repeats_invite": {("RFC3261-17.1.1.2-08", "not-repeated")},
    "constant_from_tag": {("RFC3261-19.3-01", "tag-reused")},
    "routes_by_record_route": {("RFC3261-12.1-01", "route-from-redirection")},
    "repeats_cseq_in_dialog": {("RFC3261-12.2.1.1-02", "cseq-not-raised-in-dialog")},
    "answers_bye_500": {("RFC3261-12.2.2-01", "bye-refused")},
    "byes_to_redirector": {("INT-302-200-01", "bye-astray"), ("RFC3261-12.2.1.1-03", "astray")},
    "ends_one_leg": {("INT-B2BUA-LEGS-01", "other-leg-stays")},
    "rport_without_received": {("RFC3581-4-01", "no-received")},
    "sends_no_100": {("RFC3261-17.2.1-07", "no-trying")},
}
"""What each of the sixteen must be found by: a requirement, and the code of the defect."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("defective")
    device = (f"--device={DEVICES}", "--window=standard", "--tb=no", "-p", "no:allure_pytest")
    return run_suite(folder / "out", *device, timeout=LIMIT_S, suite=committed_suite(folder / "suite"))


def failures(run: Finished, device: str) -> list[dict[str, Any]]:
    return [
        row
        for record in run.records
        if record["device"] == device
        for row in record["requirements"]
        if row["verdict"] == "fail"
    ]


def test_none_of_them_conforms(run: Finished) -> None:
    assert run.status == 1, run.output
    assert "sixteen: not conforming" in run.output


def test_each_of_sixteen_defects_is_found_though_there_are_fifteen_others(run: Finished) -> None:
    assert DEVICES.read_text().count('"--fault"') == len(DEFECTS) + 2 == 18
    found = {(row["id"], row["code"]) for row in failures(run, "sixteen")}
    missed = {fault: wanted for fault, wanted in DEFECTS.items() if not wanted & found}
    assert not missed, f"{missed}\n{found}"


def test_b2bua_that_hides_a_6xx_is_found(run: Finished) -> None:
    found = {(row["id"], row["code"]) for row in failures(run, "sixteen:hides")}
    assert found == {("INT-B2BUA-6XX-01", "6xx-shown-as-5xx")}, run.output


def test_proxy_that_acknowledges_one_branch_is_found(run: Finished) -> None:
    found = {(row["id"], row["code"]) for row in failures(run, "sixteen:one-branch")}
    assert found == {("RFC3261-17.1.1.2-01", "no-ack")}, run.output


@pytest.mark.parametrize("device", ["sixteen", "sixteen:hides", "sixteen:one-branch"])
def test_findings_say_what_a_vendor_needs(run: Finished, device: str) -> None:
    for row in failures(run, device):
        assert all(row[part] for part in ("expected", "actual", "where", "means", "look_at")), row


@pytest.mark.parametrize(
    ("device", "profile", "because"),
    [
        ("sixteen", "ua-decline", "RFC3261-21.6-01 is fail"),
        ("sixteen", "ua-redirect", "RFC3261-8.1.3.4-03 is fail"),
        ("sixteen:hides", "ua-decline", "INT-B2BUA-6XX-01 is fail"),
        ("sixteen:one-branch", "proxy-3xx-6xx", "RFC3261-17.1.1.2-01 is fail"),
    ],
)
def test_no_certificate(
    run: Finished, device: str, profile: str, because: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keygen", "-o", str(tmp_path / "lab")]) == 0
    capsys.readouterr()
    certify = ["certify", str(run.folder), "--device", device, "--profile", profile]
    assert main([*certify, "--key", str(tmp_path / "lab.key"), "-o", str(tmp_path / "certificate")]) == 1
    told = capsys.readouterr()
    reasons = [line for line in (told.out + told.err).splitlines() if line.lstrip().startswith("- ")]
    # Nothing else keeps the certificate back: the run is whole, its suite committed, its evidence sound.
    assert all(" is fail, " in line for line in reasons), reasons
    assert any(because in line for line in reasons), reasons
    assert not (tmp_path / "certificate").exists()


@pytest.mark.parametrize(
    ("device", "profile"),
    [
        ("sixteen:sound-agent", "ua-decline"),
        ("sixteen:sound-agent", "ua-redirect"),
        ("sixteen:sound-proxy", "proxy-3xx-6xx"),
    ],
)
def test_certificate_of_a_device_without_a_defect(
    run: Finished, device: str, profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keygen", "-o", str(tmp_path / "lab")]) == 0
    capsys.readouterr()
    certify = ["certify", str(run.folder), "--device", device, "--profile", profile]
    assert main([*certify, "--key", str(tmp_path / "lab.key"), "-o", str(tmp_path / "certificate")]) == 0, (
        capsys.readouterr()
    )
