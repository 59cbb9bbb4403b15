"""Who gets a certificate, who does not and why, and what it says."""

from __future__ import annotations

import io
import os
import shutil
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pypdf
import pytest
from handmade import ACKED, DEVICE, FINAL, PURPOSE_NAMES, WAIVED, WHOLE, Maker, redials, redials_once

from harness.cli import main
from harness.commands.certify import certify
from harness.evidence.keys import generate, load_private, load_public
from harness.evidence.pdf import pdf
from harness.model.windows import EXTENDED, QUICK
from harness.store.stored_run import StoredRun
from harness.store.verdict_lines import Gated

CHANGED: dict[str, tuple[dict[str, Any], str, str, int]] = {
    "quick window": ({"window": QUICK}, "tiny", "the window is quick; a certificate needs standard", 2),
    "letter": ({"ruling": "letter"}, "tiny", "the ruling is letter; a certificate needs certification", 2),
    "waived": ({"gate": Gated("must", 0, (WAIVED,))}, "tiny", "a waived run is never certified", 2),
    "dirty": ({"header": {"suite_dirty": True}}, "tiny", "the suite was changed since its commit cccccccccccc", 2),
    "no checkout": ({"header": {"suite_commit": ""}}, "tiny", "the commit of the suite is not known", 2),
    "again": ({"header": {"again": "r0"}}, "tiny", "only repeats the non-passes of another run", 2),
    "cut off": ({"planned": (ACKED,)}, "tiny", f"the run is incomplete: no verdict for {ACKED} phone-uac-udp", 2),
    "purpose left out": ({"purposes": PURPOSE_NAMES[1:]}, "tiny", f"not executed: RFC3261-21.6-01 in {FINAL}", 2),
    "plan that is not said": ({"header": {"cases": ()}}, "tiny", "the header plans 8 cases and names 0", 2),
    "faults": (
        {"device": {"faults": ("no_ack",)}},
        "tiny",
        "was given faults (no_ack): a certificate is for a product",
        2,
    ),
    "other role": (
        {"device": {"roles": ("proxy",)}},
        "tiny",
        "phone has none of the profile's roles (uac); it is proxy",
        2,
    ),
    "no claim": ({"device": {"pics": {}}}, "tiny", "phone does not declare follows_redirects", 4),
    "unknown device": ({"header": {"devices": ()}}, "tiny", "the run does not say what phone is and declares", 2),
    "draft": ({}, "sketch", "the profile sketch is a draft: its text is not confirmed", 2),
    "fails": ({"tries": redials}, "tiny", "RFC3261-21.6-01 is fail, confirmed by 2 drives in", 1),
    "not repeatable": ({"tries": redials_once}, "tiny", "RFC3261-21.6-01 is inconclusive in", 2),
    "flaky": ({"tries": redials_once, "repeat": 3}, "tiny", "flaky: 1 fail, 2 pass in 3 drives", 2),
}


@pytest.mark.parametrize("name", CHANGED)
def test_who_gets_none_and_why(name: str, tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes, profile, words, status = CHANGED[name]
    run = Maker(tmp_path / "runs", **changes).make()
    assert certify(str(run.folder), profile, keys / "lab.key", None, tmp_path / "out") == status
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told
    assert not (tmp_path / "out").exists()


def test_all_reasons_are_told_at_once(tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Maker(tmp_path / "runs", window=QUICK, ruling="letter", tries=redials, header={"suite_dirty": True}).make()
    assert certify(str(run.folder), "tiny", keys / "lab.key", None, tmp_path / "out") == 2
    told = capsys.readouterr().err
    for words in ("the window is quick", "the ruling is letter", "the suite was changed"):
        assert words in told


def test_verdict_that_the_evidence_does_not_bear(
    run: StoredRun, tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    altered = Maker(tmp_path / "runs").make()
    path = altered.folder / "verdicts.jsonl"
    path.write_text(path.read_text().replace("silent for 40 s", "silent for 41 s", 3))
    assert certify(str(altered.folder), "tiny", keys / "lab.key", None, tmp_path / "out") == 4
    assert "judged again, a verdict differs: uac/decline_is_final/decline_is_final" in capsys.readouterr().err


def test_positive_control_that_no_verdict_rests_on(
    tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its flow would not be in the dossier, and whoever verifies that would refuse it."""
    made = Maker(tmp_path / "runs").make()
    path = made.folder / "flows" / "phone-uac-0000.json"
    text = path.read_text().replace('"flow":"phone-uac-0000"', '"flow":"smoke-0001"')
    path.write_text(text)
    (made.folder / "flows" / "smoke-0001.json").write_text(text.replace('"id":"phone-uac-0000"', '"id":"smoke-0001"'))
    shutil.copy(path.with_suffix(".record"), made.folder / "flows" / "smoke-0001.record")
    assert certify(str(made.folder), "tiny", keys / "lab.key", None, tmp_path / "out") == 4
    told = "flows/phone-uac-0000.json rests on a positive control in flow 'smoke-0001', which no verdict uses"
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("changes", [{}, {"window": EXTENDED}, {"repeat": 2}], ids=["standard", "extended", "repeated"])
def test_who_gets_one(changes: Mapping[str, Any], tmp_path: Path, keys: Path) -> None:
    made = Maker(tmp_path / "runs", purposes=WHOLE, **changes).make()
    out = tmp_path / "out"
    arguments = ["certify", str(made.folder), "--profile", "tiny", "--key", str(keys / "lab.key"), "-o", str(out)]
    assert main(arguments) == 0
    assert {path.name for path in out.iterdir()} == {"dossier.tar.gz", "statement.html", "statement.pdf", "key.pub"}
    assert main(["verify", str(out / "dossier.tar.gz"), "--key", str(out / "key.pub")]) == 0
    before = (out / "dossier.tar.gz").read_bytes()
    assert main(arguments) == 0
    assert (out / "dossier.tar.gz").read_bytes() == before


def test_what_the_statement_says(tmp_path: Path, keys: Path) -> None:
    hostile = "<script>alert(1)</script>]]>\x1b[31m\u202e{{ 7 * 7 }}"
    pixit = {"number": "600", "sip_password": "hunter2", "note": hostile}
    told = {"vendor": hostile, "pixit": pixit | {"sip_password": "[redacted]"}}
    measured = {"suite_digest": "0" * 64, "suite_mutants": "91% (50 caught of 55 that do wrong)"}
    made = Maker(tmp_path / "runs", purposes=WHOLE, device=told, header=measured).make()
    assert certify(str(made.folder), "tiny", keys / "lab.key", DEVICE, tmp_path / "out") == 0
    page = (tmp_path / "out" / "statement.html").read_text()
    document = pypdf.PdfReader(tmp_path / "out" / "statement.pdf")
    text = " ".join("\n".join(one.extract_text() for one in document.pages).split())
    for words in (
        "Conformance statement",
        "1.0.7",
        "standard (40 s",
        "c" * 40,
        "RFC3261-21.6-01",
        "follows_redirects",
        "600",
        load_public(keys / "lab.pub").keyid,
        "when",
        "91% (50 caught of 55 that do wrong)",
    ):
        assert words in page
        assert words in text
    assert "<script" not in page
    assert "hunter2" not in page
    assert "7 * 7" in page  # as text
    assert "\x1b" not in page + text
    assert "src=" not in page
    assert "Content-Security-Policy" in page
    assert document.metadata is not None
    assert document.metadata.creation_date_raw == document.metadata.modification_date_raw


def test_pdf_of_equal_facts_is_equal(run: StoredRun) -> None:
    from handmade import CATALOGUE, PURPOSES, tiny

    from harness.evidence.certificate import certificate
    from harness.evidence.issue import Issue
    from harness.evidence.statement import facts

    issue = Issue("1", "2026-01-01", "2028-01-01")
    told = facts(certificate(run, tiny(), DEVICE, CATALOGUE, PURPOSES), "k", issue)
    assert pdf(told) == pdf(told)
    assert pdf(told) != pdf(facts(certificate(run, tiny(), DEVICE, CATALOGUE, PURPOSES), "l", issue))
    assert pypdf.PdfReader(io.BytesIO(pdf(told))).pages[0].extract_text()


def test_which_device(run: StoredRun, tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        "certify",
        str(run.folder),
        "--profile",
        "tiny",
        "--key",
        str(keys / "lab.key"),
        "-o",
        str(tmp_path / "o"),
    ]
    assert main([*command, "--device", "fax"]) == 3
    assert "the run has no device 'fax': phone" in capsys.readouterr().err


# --- keys


def test_a_pair_of_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = os.umask(0)
    try:
        assert main(["keygen", "-o", str(tmp_path / "lab")]) == 0
    finally:
        os.umask(before)
    private, public = tmp_path / "lab.key", tmp_path / "lab.pub"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert load_private(private).public_key.keyid == load_public(public).keyid
    assert load_public(public).keyid in capsys.readouterr().out
    content = private.read_bytes()
    assert main(["keygen", "-o", str(tmp_path / "lab")]) == 3
    assert "a key is never overwritten" in capsys.readouterr().err
    assert private.read_bytes() == content
    assert main(["keygen", "-o", str(tmp_path / "no" / "lab")]) == 3


def _rsa(folder: Path) -> Path:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    path = folder / "k"
    pem = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(pem)
    path.chmod(0o600)
    return path


def _encrypted(folder: Path) -> Path:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    path = folder / "k"
    secret = BestAvailableEncryption(b"secret")
    path.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret))
    path.chmod(0o600)
    return path


def _file(content: bytes, mode: int = 0o600) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / "k").write_bytes(content)
        (folder / "k").chmod(mode)
        return folder / "k"

    return make


def _readable(folder: Path) -> Path:
    private, _, _ = generate(folder / "k")
    private.chmod(0o644)
    return private


def _public(folder: Path) -> Path:
    public = generate(folder / "k")[1]
    public.chmod(0o600)
    return public


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_readable, "other users can read this private key (mode 0644), so it proves nothing"),
        (_public, "expected a private key (PEM), found a public key"),
        (_file(b""), "expected a private key (PEM), found no key"),
        (_file(b"x" * 20_000), "found a file of more than 16 KiB"),
        (_rsa, "expected an ed25519 key, found one of another kind"),
        (_encrypted, "the key is encrypted"),
        (lambda folder: folder, "expected a key file, found another kind of file"),
        (lambda folder: folder / "none", "cannot be read: No such file"),
    ],
)
def test_key_that_cannot_be_used(
    make: Callable[[Path], Path], words: str, run: StoredRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["certify", str(run.folder), "--profile", "tiny", "--key", str(make(tmp_path)), "-o", str(tmp_path / "o")]
    assert main(command) == 3
    told = capsys.readouterr().err
    assert words in told
    assert "hint:" in told


def test_key_to_verify_with_that_is_none(keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "d").write_bytes(b"")
    assert main(["verify", str(tmp_path / "d"), "--key", str(keys / "lab.key")]) == 3
    assert "expected a public ed25519 key (PEM), found a private key" in capsys.readouterr().err
