"""``[lab.tls]``: files that are missing, broken, out of date or do not fit are said by key and file, before a run."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from device_bench import MINIMAL

from harness.device import load_profile
from harness.device.profile.certificates import MAKE, own_files
from harness.doctor.lab import lab_checks
from harness.errors import ProfileError
from harness.net.authority import Authority
from harness.paths import DOCS

PROFILE = MINIMAL.replace('roles = ["uac"]', 'roles = ["uac"]\nfurther_transports = ["tls"]')
ON_A_DESK = """
[device]
name = "desk"
roles = ["uac"]
transports = ["tls"]
[pics]
verifies_certificates = true
[lab]
address = "127.201.79.1:5061"
[stimulus]
kind = "manual"
phone = "the phone on the desk"
"""


def profile(folder: Path, tls: str, text: str = PROFILE) -> Path:
    path = folder / "device.toml"
    path.write_text(f"{text}\n[lab.tls]\n{tls}\n")
    return path


def files_in(folder: Path) -> trustme.CA:
    """An authority (``ca.pem``, ``ca.key``), a certificate (``own.pem``, ``own.key``), and some that are wrong."""
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.private_key_pem.write_to_path(folder / "ca.key")
    other.private_key_pem.write_to_path(folder / "other.key")
    own = authority.issue_cert("192.0.2.7")
    own.cert_chain_pems[0].write_to_path(folder / "own.pem")
    own.private_key_pem.write_to_path(folder / "own.key")
    past = datetime.now(UTC) - timedelta(days=3)
    old = authority.issue_cert("192.0.2.7", not_before=past - timedelta(days=30), not_after=past)
    old.cert_chain_pems[0].write_to_path(folder / "old.pem")
    old.private_key_pem.write_to_path(folder / "old.key")
    key = serialization.load_pem_private_key(own.private_key_pem.bytes(), None)
    locked = serialization.BestAvailableEncryption(b"word")
    form = serialization.PrivateFormat.PKCS8
    (folder / "locked.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, locked))
    (folder / "text.pem").write_text("no certificate")
    return authority


MAKES = 'authority = "ca.pem"\nauthority_key = "ca.key"'
OWN = 'certificate = "own.pem"\nkey = "own.key"'


@pytest.mark.parametrize(
    ("tls", "key", "file", "what"),
    [
        (MAKES.replace("ca.pem", "gone.pem"), "authority", "gone.pem", "cannot be read: No such file"),
        (MAKES.replace("ca.pem", "text.pem"), "authority", "text.pem", "has no certificate in it"),
        (MAKES.replace("ca.pem", "own.pem"), "authority", "own.pem", "is no certificate of an authority"),
        (MAKES.replace("ca.key", "gone.key"), "authority_key", "gone.key", "cannot be read"),
        (MAKES.replace("ca.key", "other.key"), "authority_key", "other.key", "is not the key of ca.pem"),
        (MAKES.replace("ca.key", "text.pem"), "authority_key", "text.pem", "has no key in it"),
        (OWN.replace("own.", "old."), "certificate", "old.pem", "expired on "),
        (OWN.replace("own.key", "locked.key"), "key", "locked.key", "is protected by a password"),
        (OWN.replace("own.key", "other.key"), "key", "other.key", "is not the key of own.pem"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, tls: str, key: str, file: str, what: str) -> None:
    files_in(tmp_path)
    desk = ON_A_DESK if "certificate" in tls else PROFILE
    loaded = load_profile(profile(tmp_path, tls, desk))
    with pytest.raises(ProfileError) as caught:
        own_files(loaded)
    assert f"lab.tls.{key}: {tmp_path / file} {what}" in caught.value.cause
    assert caught.value.hint
    [check] = [check for check in lab_checks(loaded) if check.name.endswith(": certificates")]
    assert (check.state, check.found) == ("problem", caught.value.cause)


@pytest.mark.parametrize(
    ("tls", "text", "wanted"),
    [
        ('authority_key = "ca.key"', PROFILE, "lab.tls.authority_key: needs lab.tls.authority"),
        ('authority = "ca.pem"', PROFILE, "lab.tls.authority: expected its key"),
        (f"{MAKES}\n{OWN}", ON_A_DESK, "lab.tls.certificate: expected this or lab.tls.authority_key"),
        ('certificate = "own.pem"', ON_A_DESK, "lab.tls.key: missing"),
        (f"{OWN}\ndemanded = true", ON_A_DESK, "lab.tls.demanded: needs lab.tls.authority"),
        (OWN, PROFILE, "lab.tls.certificate: is for a device that stands in the lab"),
        ("demanded = true", MINIMAL, "lab.tls: the device has no TLS"),
    ],
)
def test_keys_that_contradict_each_other(tmp_path: Path, tls: str, text: str, wanted: str) -> None:
    with pytest.raises(ProfileError) as caught:
        load_profile(profile(tmp_path, tls, text))
    assert wanted in caught.value.cause


def test_websockets_have_certificates_as_well(tmp_path: Path) -> None:
    files_in(tmp_path)
    loaded = load_profile(profile(tmp_path, MAKES, PROFILE.replace('"tls"', '"wss"')))
    assert own_files(loaded) is not None


def test_the_doctor_says_what_is_shown_and_what_a_device_on_a_desk_cannot_trust(tmp_path: Path) -> None:
    files_in(tmp_path)
    checks = lab_checks(load_profile(profile(tmp_path, f"{MAKES}\ndemanded = true")))
    [found] = [check.found for check in checks if check.state == "ok"]
    assert found == "the endpoints show certificates: made by ca.pem; the device must show one"
    (tmp_path / "device.toml").write_text(ON_A_DESK)
    [check] = [check for check in lab_checks(load_profile(tmp_path)) if check.name.endswith(": certificates")]
    assert check.state == "warn"
    assert "[lab.tls]" in check.todo


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on this machine")
def test_the_command_of_the_page_makes_an_authority(tmp_path: Path) -> None:
    page = (DOCS / "transports.md").read_text("utf-8").replace("\\\n        ", "")
    assert f"    {MAKE}\n" in page
    subprocess.run(["bash", "-c", MAKE], cwd=tmp_path, check=True, capture_output=True)
    made = own_files(load_profile(profile(tmp_path, 'authority = "lab-ca.pem"\nauthority_key = "lab-ca.key"')))
    assert made is not None
    assert made.authority == tmp_path / "lab-ca.pem"
    assert Authority(tmp_path / "tls", own=made).files_for("127.0.0.1")
