"""What Allure gets, by running a small pytest suite with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.errors import SetupError
from harness.report.allure_run import write_categories, write_environment, write_executor

SUITE = """
import pytest
from flows import DECLINE, DECLINED, HOSTILE, REDIRECTED, flow, record, ruled
from types import SimpleNamespace
from harness.run.allure_result import report
from harness.model.printable import redactor
from harness.run.pytest_outcome import settle
from harness.model.verdict import Verdict

LINK = "https://www.rfc-editor.org/rfc/rfc3261.html#section-21.6"
ROW = {"id": "RFC3261-21.6-01", "clause": "RFC 3261 §21.6", "level": "MUST NOT", "requirement": "<b>no</b> more"}
ROWS = [SimpleNamespace(**ROW, link=LINK)]
SECRET = "Authorization: Digest response=hunter2\\r\\nX: hunter3\\r\\nY: " + "\\0".join(HOSTILE[:5])

@pytest.mark.parametrize("verdict", ["fail", "inconclusive", "none", "pass", "warn", "skip"])
def test_it(request, verdict):
    skip = verdict == "skip"
    found = ruled(Verdict.FAIL, event=3, where="message 3, at callee", actual="hunter3")
    scale = Verdict.NONE if skip else Verdict.named(verdict)
    made = record(scale, "uac/x", found, skipped="not_applicable" if skip else None, reason="no 302")
    flows = [flow(*REDIRECTED, (1, "callee", "INVITE sip:hunter3@h SIP/2.0", SECRET)),
             flow(*DECLINED, seats=("callee", "guard"), plan=DECLINE)]
    clean = redactor(["hunter3"])
    if verdict == "fail":
        flows = [flows[0], flow(*REDIRECTED, identifier="again")]
    report(request.node, made, [] if skip else flows, ROWS, clean("the text hunter3"), clean)
    settle(made, clean("the text hunter3"))
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("allure")
    (folder / "test_suite.py").write_text(SUITE, encoding="utf-8")
    here = Path(__file__).parent
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--alluredir={folder / 'out'}", folder],
        env=os.environ | {"PYTHONPATH": f"{here}:{here.parent.parent}"},
        cwd=folder,
        check=False,
        stdout=subprocess.DEVNULL,
    )
    return folder / "out"


@pytest.fixture(scope="module")
def by_verdict(results: Path) -> dict[str, dict[str, Any]]:
    found = [json.loads(path.read_text(encoding="utf-8")) for path in results.glob("*-result.json")]
    return {result["parameters"][0]["value"].strip("'"): result for result in found}


def test_the_status_follows_the_exception(by_verdict: dict[str, dict[str, Any]]) -> None:
    assert {verdict: result["status"] for verdict, result in by_verdict.items()} == {
        "fail": "failed",
        "inconclusive": "broken",
        "none": "broken",
        "pass": "passed",
        "warn": "passed",
        "skip": "skipped",
    }


def test_labels_and_links(by_verdict: dict[str, dict[str, Any]]) -> None:
    labels = [(label["name"], label["value"]) for label in by_verdict["inconclusive"]["labels"]]
    for label in (
        ("epic", "302/3xx"),
        ("epic", "603/6xx"),
        ("feature", "RFC 3261 §21.6"),
        ("story", "uac"),
        ("severity", "critical"),
        ("as_id", "uac/x"),
        ("ALLURE_ID", "uac/x"),
        ("tag", "RFC3261-21.6-01"),
        ("verdict", "inconclusive"),
    ):
        assert label in labels
    (link,) = by_verdict["fail"]["links"]
    assert link["url"].endswith("rfc3261.html#section-21.6")


def test_steps_and_attachments(by_verdict: dict[str, dict[str, Any]]) -> None:
    result = by_verdict["pass"]
    assert "attachments" not in result
    line, redirect, decline = result["steps"]
    assert line["name"] == "the text [redacted]"
    assert redirect["name"] == "callee 302, target 200 (flow f1)"
    names = [attachment["name"] for attachment in redirect["attachments"]]
    assert names == ["ladder", "messages"]
    told = [step["name"] for step in decline["steps"]]
    assert "+0.000 s  the device is asked to call sip:7001001@127.20.0.2:5060, by stdin" in told
    assert "+1.014 s  callee answers 603 Decline (message 3, at callee)" in told
    assert any("40.0 s watched: standard (40 s" in line for line in told)


def test_the_decisive_message_is_marked_only_where_it_is_known(
    results: Path, by_verdict: dict[str, dict[str, Any]]
) -> None:
    def marked(verdict: str) -> list[bool]:
        ladders = [step["attachments"][0]["source"] for step in by_verdict[verdict]["steps"][1:]]
        return ["decisive</text>" in (results / source).read_text(encoding="utf-8") for source in ladders]

    assert marked("fail") == [True, True]
    assert marked("inconclusive") == [False, False]


def test_no_secret_and_no_control_character_leaves(results: Path) -> None:
    files = [path.read_text(encoding="utf-8") for path in results.iterdir()]
    assert len(files) > 15
    for text in files:
        # The trace of a failed test shows this test's own source; that of a purpose has no secret in it.
        data = "" if '"statusDetails"' in text else text
        assert "hunter2" not in data
        assert "hunter3" not in data
        assert not set(text) & set("\0\x1b\u202e")


def test_environment_categories_executor(tmp_path: Path) -> None:
    write_environment(tmp_path, {"De vice:=": "a\\b\nc=é😀", "window": 40})
    assert (tmp_path / "environment.properties").read_text("ascii") == (
        "De\\ vice\\:\\==a\\\\b\\\\x0ac=\\u00e9\\ud83d\\ude00\nwindow=40\n"
    )
    write_categories(tmp_path)
    write_executor(tmp_path, "r1", "0.1")
    assert json.loads((tmp_path / "categories.json").read_text())[0]["matchedStatuses"] == ["failed"]
    assert json.loads((tmp_path / "executor.json").read_text())["buildName"] == "r1"
    with pytest.raises(SetupError, match="cannot write"):
        write_environment(tmp_path / "missing", {})
