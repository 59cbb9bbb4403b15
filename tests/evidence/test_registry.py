"""Issue data on the first page, and a registry that verifies its dossiers again and knows what was revoked."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from handmade import DEVICE
from pypdf import PdfReader

from harness.cli import main
from harness.errors import SetupError
from harness.evidence.issue import Issue
from harness.evidence.keys import load_public
from harness.store.stored_run import StoredRun


def certify(run: StoredRun, keys: Path, out: Path, *more: str, key: str = "lab.key") -> int:
    line = ["certify", str(run.folder), "--profile=tiny", f"--key={keys / key}", f"--output={out}", *more]
    return main(line)


@pytest.fixture
def folder(run: StoredRun, keys: Path, tmp_path: Path) -> Path:
    made = tmp_path / "registry"
    assert certify(run, keys, made / "one", "--number=N-1", "--issuer=Example <b>Ltd</b>", "--laboratory=Lab 4") == 0
    assert certify(run, keys, made / "two", "--number=N-2", "--issued=2020-01-01", "--expires=2021-01-01") == 0
    return made


def test_the_first_page_says_who_when_and_how_much(run: StoredRun, keys: Path, folder: Path) -> None:
    page = PdfReader(io.BytesIO((folder / "one" / "statement.pdf").read_bytes())).pages[0].extract_text()
    until = datetime.now(UTC).date()
    for told in ("N-1", "Example <b>Ltd</b>", "Lab 4", until.isoformat(), f"{until.year + 2}-", "1 role, "):
        assert told in page, page
    assert load_public(keys / "lab.pub").keyid in page.replace("\n", "")
    assert f"{DEVICE} meets tiny: " in page
    html = (folder / "one" / "statement.html").read_text()
    assert "Example &lt;b&gt;Ltd&lt;/b&gt;" in html
    assert html.index("certificate number") < html.index("<h2>Device</h2>")


def test_a_registry_verifies_again_and_names_each_state(
    folder: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["registry", str(folder), f"--key={keys / 'lab.pub'}"]) == 0
    told = capsys.readouterr().out
    assert f"valid      N-1  {DEVICE}  tiny  one/dossier.tar.gz" in told
    assert "expired    N-2" in told
    page = (folder / "index.html").read_text()
    assert "Example &lt;b&gt;Ltd&lt;/b&gt;" in page
    assert "<script" not in page
    assert 'href="one/dossier.tar.gz"' in page


@pytest.mark.parametrize("by", ["number", "key"])
def test_what_is_revoked_is_not_valid_any_more(
    by: str, folder: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    value = {"number": "N-1", "key": load_public(keys / "lab.pub").keyid}[by]
    (folder / "revoked.toml").write_text(f'[[revoked]]\n{by} = "{value}"\ndate = 2026-01-02\nreason = "it was lost"\n')
    capsys.readouterr()
    assert main(["registry", str(folder)]) == 0
    told = capsys.readouterr().out
    assert "revoked    N-1" in told
    assert "(2026-01-02: it was lost)" in told
    assert ("revoked    N-2" in told) is (by == "key")


def test_another_signer_and_a_changed_dossier_are_not_valid(
    run: StoredRun, folder: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert certify(run, keys, folder / "three", "--number=N-3", key="other.key") == 0
    path = folder / "one" / "dossier.tar.gz"
    path.write_bytes(path.read_bytes()[:-200])
    capsys.readouterr()
    assert main(["registry", str(folder), f"--key={keys / 'lab.pub'}"]) == 4
    told = capsys.readouterr().out
    assert "which is none of the keys that were named" in told
    assert told.count("not valid") == 2
    assert "one/dossier.tar.gz" in told


@pytest.mark.parametrize(
    "text", ['[[revoked]]\nreason = "x"\ndate = 2026-01-01\n', "[[revoked]]\nnumber = 7\n", "[other]\n", "["]
)
def test_a_wrong_list_of_revocations_stops_it(text: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "revoked.toml").write_text(text)
    assert main(["registry", str(folder)]) == 3
    assert "revoked.toml: " in capsys.readouterr().err


def test_dates_the_wrong_way_round() -> None:
    with pytest.raises(SetupError, match="--expires 2026-01-01: expected a day after the day of issue, 2026-01-02"):
        Issue.made(b"", date(2026, 1, 2), expires=date(2026, 1, 1))
    assert Issue.made(b"", date(2028, 2, 29)).expires == "2030-02-28"
