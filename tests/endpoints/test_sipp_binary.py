"""Which SIPp is used, and which is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.endpoints.sipp.binary import VARIABLE, check_version, find_sipp
from harness.errors import SippError

PATH = Path("/opt/sipp")


def test_the_installed_one_is_found() -> None:
    found = find_sipp()
    assert found.path.name == "sipp"
    assert found.version[0] == "3"


@pytest.mark.parametrize("version", ["3.6.1-SCTP-PCAP-RTPSTREAM", "3.7.5", "3.7.7-TLS", "3.8.0", "4.0"])
def test_good_versions(version: str) -> None:
    assert check_version(PATH, f"\n SIPp v{version}.\n\n This program").warning == ""


@pytest.mark.parametrize("version", ["3.7.0", "3.7.3-TLS", "3.7.4"])
def test_versions_to_warn_of(version: str) -> None:
    found = check_version(PATH, f"SIPp v{version}.")
    assert version in found.warning
    assert found.version == version


@pytest.mark.parametrize("version", ["3.6.0", "3.5.2-TLS", "2.0"])
def test_versions_too_old(version: str) -> None:
    with pytest.raises(SippError, match=r"3\.6\.1 is the oldest"):
        check_version(PATH, f"SIPp v{version}.")


def test_a_missing_one_is_an_error_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/nowhere/sipp")
    with pytest.raises(SippError) as caught:
        find_sipp()
    assert "/nowhere/sipp" in caught.value.cause
    assert "apt-get install sip-tester" in caught.value.hint


def test_another_program_is_refused() -> None:
    with pytest.raises(SippError, match="does not identify itself as SIPp"):
        find_sipp("true")


@pytest.mark.parametrize(
    ("version", "step_s"), [("3.6.1-SCTP", 0.0), ("3.7.4", 0.0), ("3.7.7-TLS", 0.02), ("3.8.0", 0.02)]
)
def test_versions_that_lose_what_comes_between_two_steps(version: str, step_s: float) -> None:
    assert check_version(PATH, f"SIPp v{version}.").step_s == step_s
