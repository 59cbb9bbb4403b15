"""Stored runs are listed, shown again and pruned; nothing that is no run is ever removed."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from stored_runs import usual

from harness.cli import main
from harness.store.folder import _point


@pytest.fixture
def out(tmp_path: Path) -> Path:
    made = usual(tmp_path / "one")
    runs = tmp_path / "runs"
    runs.mkdir()
    for days in (1, 20, 300):
        at = datetime.now(UTC) - timedelta(days=days)
        shutil.copytree(made, runs / f"{at:%Y%m%dT%H%M%SZ}-phone")
    (runs / "notes").mkdir()
    (runs / "allure-history.jsonl").write_text("{}")
    (runs / "20200101T000000Z-elsewhere").symlink_to(made, target_is_directory=True)
    return runs


def names(runs: Path) -> list[str]:
    return sorted((path.name for path in runs.iterdir() if path.name.endswith("-phone")), reverse=True)


def test_runs_are_listed_newest_first(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "list", f"--out={out}", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["run"] for row in rows] == names(out)
    assert {row["verdict"] for row in rows} == {"fail"}
    assert all(row["bytes"] > 1000 and row["counts"]["fail"] == 1 for row in rows)
    assert main(["runs", "list", f"--out={out}"]) == 0
    assert [line.split("\t")[:2] for line in capsys.readouterr().out.splitlines()] == [[n, "fail"] for n in names(out)]


def test_a_run_is_shown_again(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "show", names(out)[0], f"--out={out}"]) == 1
    told = capsys.readouterr().out
    assert "reference: not conforming - 1 fail" in told
    assert "FAIL" in told
    assert main(["runs", "show", f"--out={out}"]) == 4, "there is no latest"


@pytest.mark.parametrize(("option", "left"), [("--keep=1", 1), ("--keep=0", 0), ("--days=30", 2), ("--days=0", 0)])
def test_old_runs_are_removed_and_nothing_else(option: str, left: int, out: Path) -> None:
    before = names(out)
    assert main(["runs", "prune", f"--out={out}", option, "--dry-run"]) == 0
    assert names(out) == before
    assert main(["runs", "prune", f"--out={out}", option]) == 0
    assert names(out) == before[:left]
    assert (out / "notes").is_dir()
    assert (out / "20200101T000000Z-elsewhere" / "verdicts.jsonl").is_file()


def test_the_latest_run_stays(out: Path) -> None:
    oldest = names(out)[-1]
    _point(out / "latest", oldest)
    assert main(["runs", "prune", f"--out={out}", "--keep=0"]) == 0
    assert names(out) == [oldest]


@pytest.mark.parametrize("options", [[], ["--keep=-1"]])
def test_prune_wants_to_know_what_to_keep(options: list[str], out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "prune", f"--out={out}", *options]) == 3
    assert "prune: " in capsys.readouterr().err
    assert len(names(out)) == 3
