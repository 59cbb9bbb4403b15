"""docs/attach-a-device.md does what it says: its profiles load, its commands are taken, its examples are whole."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from harness import cli
from harness.device import load_profile, load_profiles
from harness.device.profile.certificates import own_files
from harness.device.profile.loading import checked_profile
from harness.net.address import Carrier
from harness.policy.expected_file import file_of, load
from harness.requirements.catalogue import Catalogue

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "attach-a-device.md").read_text("utf-8")
BLOCKS = [re.sub(r"(?m)^    ", "", block).strip() for block in re.findall(r"(?m)(?:^(?:    .*|)\n)+", PAGE)]
COMMANDS = [shlex.split(line, comments=True) for line in PAGE.splitlines() if line.startswith("    sipverdict ")]
INITS = [words[1:] for words in COMMANDS if words[1] == "init" and "--yes" in words]
OTHERS = [words[1:] for words in COMMANDS if words[1] != "init"]
PROFILES = [block[block.index("[device]") :] for block in BLOCKS if "[device]" in block]
EXAMPLES = [ROOT / "docs" / "examples" / name / "device.toml" for name in ("linphone", "net-sip-perl")]


def test_every_kind_has_a_command_and_a_profile() -> None:
    assert len(re.findall(r"(?m)^\| .* \| \[here\]", PAGE)) == len(INITS) == len(PROFILES) == 9
    assert {words[0] for words in OTHERS} == {"doctor", "smoke", "run", "expect"}
    anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in re.findall(r"(?m)^## (.*)$", PAGE)}
    assert set(re.findall(r"\]\(#([^)]*)\)", PAGE)) <= anchors
    for link in re.findall(r"\]\(([^)#]+)", PAGE):
        assert (ROOT / "docs" / link).exists(), link


@pytest.mark.parametrize("text", PROFILES, ids=lambda text: tomllib.loads(text)["device"]["name"])
def test_a_profile_of_the_page(text: str, tmp_path: Path) -> None:
    checked_profile(tmp_path / "device.toml", text)


@pytest.mark.parametrize("words", INITS, ids=lambda words: words[1])
def test_init_as_the_page_has_it(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 0
    written = load_profile(tmp_path / words[1])
    shown = next(tomllib.loads(text) for text in PROFILES if INITS[PROFILES.index(text)] == words)
    assert list(written.device.roles) == shown["device"]["roles"]
    assert written.stimulus.kind == shown["stimulus"]["kind"]
    lab = shown.get("lab", {})
    assert written.lab.exchange == lab.get("exchange")
    assert written.lab.prefix == lab.get("prefix", "7")
    assert written.lab.numbers == lab.get("numbers", {})
    assert list(written.device.transports) == shown["device"].get("transports", ["udp"])
    assert written.lab.opens_websockets == lab.get("opens_websockets", True)
    assert written.lab.registrar == (lab.get("registrar", False) and "opens_websockets" in lab)
    for label, other in shown.get("over", {}).items():
        assert written.over(Carrier.named(label)).lab.address == other["lab"]["address"]
    assert (written.lab.tls is None) == ("tls" not in lab)
    if written.lab.tls:
        assert (written.lab.tls.authority, written.lab.tls.authority_key) == (
            lab["tls"]["authority"],
            lab["tls"]["authority_key"],
        )
    assert (written.lab.credentials is None) == ("credentials" not in lab)
    if written.lab.credentials:
        assert written.lab.credentials.user == lab["credentials"]["user"]


def test_the_authority_and_the_certificate_of_the_page(tmp_path: Path) -> None:
    """Its commands make what its profile names, and a certificate that the authority has signed for the device."""
    [block] = [block for block in BLOCKS if block.startswith("openssl")]
    subprocess.run(["bash", "-ec", block], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    [trunk] = [text for text in PROFILES if 'name = "tls trunk"' in text]
    files = own_files(checked_profile(tmp_path / "device.toml", trunk))
    assert files is not None
    assert files.authority == tmp_path / "lab-ca.pem"
    assert files.demanded
    verify = ["openssl", "verify", "-CAfile", "lab-ca.pem", "-verify_ip", "192.0.2.7", "sbc.pem"]
    subprocess.run(verify, cwd=tmp_path, check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize("words", OTHERS, ids=" ".join)
def test_a_command_of_the_page_is_taken(words: list[str], tmp_path: Path) -> None:
    """It comes as far as looking for what it is about, which is not there."""
    done = subprocess.run(
        [sys.executable, "-m", "sipverdict", *words],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told = done.stdout + done.stderr
    assert done.returncode in (3, 4), told
    assert "my-device.toml" in told or "reports/out/latest" in told
    assert not re.search(r"usage:|unrecognized|Traceback", told), told


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_an_example_is_whole(path: Path) -> None:
    first = load_profiles(str(path))[0]
    assert first.name == path.parent.name
    known = load(file_of(path), path, Catalogue.load().rows)
    page = (ROOT / "docs" / "devices.md").read_text("utf-8").partition(f"### {first.name}\n")[2].partition("\n## ")[0]
    for one in known:
        short = one.requirement.rpartition("-")
        assert one.requirement in page or (short[0] in page and f"-{short[2]}" in page), (
            "devices.md does not explain it"
        )
