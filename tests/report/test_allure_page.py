"""Allure's one file: what is taken out of it, what is said where it cannot be made, and the real thing."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from stored_runs import usual

from harness.cli import main
from harness.report import allure_page
from harness.report.allure_page import ROOT, offline

INSTALLED = ROOT / ".venv" / ".node" / "node_modules" / ".bin" / "allure"
TRACKED = """<!doctype html><html><head> <title>x</title>
<script>
    const theme = 1;
</script>
<script async src="https://www.googletagmanager.com/gtag/js?id=G-LNDJ3J7WT0"></script>
<script>
    window.dataLayer = window.dataLayer || [];
    function gtag(){dataLayer.push(arguments);}
    gtag('js', new Date());
</script>
<script src="data:text/javascript;base64,AAAA"></script>
</head><body></body></html>"""


def result(folder: Path, name: str = "t") -> None:
    told = {"uuid": name, "historyId": "h1", "testCaseId": "c1", "fullName": "suites.t", "name": name}
    told |= {"status": "broken", "start": 1, "stop": 2, "statusDetails": {"message": "harness.errors.Inconclusive: x"}}
    labels = [{"name": "epic", "value": "603/6xx"}, {"name": "feature", "value": "RFC 3261"}]
    (folder / "allure-results" / f"{name}-result.json").write_text(json.dumps(told | {"labels": labels}))


def test_what_loads_from_the_network_is_taken_out_and_nothing_else() -> None:
    cleaned = offline(TRACKED)
    assert "google" not in cleaned
    assert "gtag" not in cleaned
    assert "const theme = 1;" in cleaned
    assert "base64,AAAA" in cleaned
    assert cleaned.index("Content-Security-Policy") < cleaned.index("<title>")


def test_without_allure_one_line_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = usual(tmp_path)
    monkeypatch.setattr(allure_page, "ROOT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("SIPVERDICT_ALLURE", raising=False)
    assert main(["report", str(run), "--allure"]) == 0
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert "npm's allure is missing; install Node.js 20 or later with npm" in told.err
    assert told.out.strip() == str(run / "index.html")


def test_an_allure_that_fails_is_an_error_with_its_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = usual(tmp_path)
    tool = tmp_path / "allure"
    tool.write_text("#!/bin/sh\necho 'out of luck' >&2\nexit 7\n")
    tool.chmod(0o755)
    monkeypatch.setenv("SIPVERDICT_ALLURE", str(tool))
    assert main(["report", str(run), "--allure"]) == 4
    assert "expected Allure's results, found none" in capsys.readouterr().err
    result(run)
    assert main(["report", str(run), "--allure"]) == 3
    assert "allure wrote no page: out of luck" in capsys.readouterr().err
    assert not (run / "allure.html").exists()


@pytest.mark.skipif(
    not INSTALLED.exists() or shutil.which("node") is None, reason="npm's allure is not installed (make report)"
)
def test_the_real_one_is_one_file_that_knows_the_runs_before(tmp_path: Path) -> None:
    for number in (1, 2):
        run = usual(tmp_path)
        result(run)
        assert main(["report", str(run), "--allure"]) == 0, number
    assert main(["report", str(run), "--allure"]) == 0
    history = [json.loads(line) for line in (tmp_path / "allure-history.jsonl").read_text().splitlines()]
    assert [entry["name"] for entry in history] == sorted(path.name for path in tmp_path.glob("2*"))
    text = (run / "allure.html").read_text("utf-8")
    assert not re.search(r"<(script|link|img|iframe)\b[^>]*\b(src|href)=[\"']?(https?:)?//", text)
    assert "googletagmanager" not in text
    assert not list(tmp_path.glob("2*/.*"))
