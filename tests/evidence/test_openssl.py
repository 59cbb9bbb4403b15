"""docs/certificates.md: a dossier is checked with openssl and sha256sum alone.  The lines of the page are executed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner

from harness.evidence import dossier
from harness.evidence.dossier import KEY
from harness.evidence.keys import public_pem
from harness.evidence.pack import pack
from harness.paths import DOCS

LINES = re.findall(r"```sh\n(.*?)```", (DOCS / "certificates.md").read_text("utf-8"), re.DOTALL)
OPENSSL = shutil.which("openssl")


def checked(parts: dict[str, bytes], key: bytes, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "dossier.tar.gz").write_bytes(pack(parts))
    (folder / "lab.pub").write_bytes(key)
    (script,) = LINES
    return subprocess.run(["sh", "-e", "-c", script], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.skipif(OPENSSL is None, reason="no openssl on this machine")
def test_a_dossier_is_checked_without_sipverdict(parts: dict[str, bytes], tmp_path: Path) -> None:
    done = checked(parts, parts[KEY], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Signature Verified Successfully" in done.stdout


def _flow_changed(parts: dict[str, bytes]) -> dict[str, bytes]:
    name = next(name for name in parts if name.endswith(".record"))
    return parts | {name: parts[name].replace(b"603", b"604", 1)}


def _list_changed(parts: dict[str, bytes]) -> dict[str, bytes]:
    changed = _flow_changed(parts)
    listed = {name: changed[name] for name in changed if name not in (dossier.SUMS, dossier.ENVELOPE)}
    return changed | {dossier.SUMS: dossier.sums(listed)}


def _payload_changed(parts: dict[str, bytes]) -> dict[str, bytes]:
    envelope = parts["attestation.dsse.json"]
    payload = re.search(rb'"payload":"([^"]{40})', envelope)
    assert payload
    return parts | {"attestation.dsse.json": envelope.replace(payload[1], payload[1][::-1], 1)}


@pytest.mark.skipif(OPENSSL is None, reason="no openssl on this machine")
@pytest.mark.parametrize("change", [_flow_changed, _list_changed, _payload_changed])
def test_what_was_changed_is_noticed(change: object, parts: dict[str, bytes], tmp_path: Path) -> None:
    assert checked(change(parts), parts[KEY], tmp_path).returncode != 0  # type: ignore[operator]


@pytest.mark.skipif(OPENSSL is None, reason="no openssl on this machine")
def test_another_key_did_not_sign_it(parts: dict[str, bytes], tmp_path: Path) -> None:
    assert checked(parts, public_pem(CryptoSigner.generate_ed25519()), tmp_path).returncode != 0
