"""Allure's results of a merged run: those of both, and none that says something else than the verdicts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flows import record, ruled

from harness.model.verdict import Verdict
from harness.report.allure_merge import merged_allure
from harness.store.verdict_lines import VerdictLine

REPEATED, KEPT = "uac/decline_is_final/decline_is_final", "invariants/acks/every_refusal_is_acknowledged"


def result(folder: Path, name: str, purpose: str, verdict: str, start: int) -> None:
    folder.mkdir(exist_ok=True)
    labels = {"as_id": purpose, "device": "phone", "story": "uac", "transport": "udp", "family": "ipv4"}
    named = [{"name": key, "value": value} for key, value in {**labels, "verdict": verdict}.items()]
    status = "failed" if verdict == "fail" else "passed"
    text = {"historyId": purpose, "status": status, "start": start, "labels": named}
    (folder / f"{name}-result.json").write_text(json.dumps(text), "utf-8")
    (folder / f"{name}-attachment.txt").write_text("ladder", "utf-8")


def line(purpose: str, verdict: Verdict) -> VerdictLine:
    return record(verdict, purpose, ruled(verdict), device="phone")


def read(folder: Path) -> dict[str, dict[str, Any]]:
    return {path.name.partition("-")[0]: json.loads(path.read_text("utf-8")) for path in folder.glob("*-result.json")}


def test_both_results_are_there_and_the_later_one_says_what_the_merged_run_says(tmp_path: Path) -> None:
    before, again, merged = (tmp_path / name for name in ("before", "again", "merged"))
    result(before, "a", REPEATED, "fail", 1)
    result(before, "b", KEPT, "pass", 2)
    result(again, "c", REPEATED, "pass", 9)
    (again / "executor.json").write_text("{}", "utf-8")
    merged_allure(before, again, merged, [line(REPEATED, Verdict.PASS), line(KEPT, Verdict.FAIL)])
    found = read(merged)
    assert {name: one["status"] for name, one in found.items()} == {"a": "failed", "b": "failed", "c": "passed"}
    assert "judged over the flows of both runs" in found["b"]["statusDetails"]["message"]
    assert {"name": "verdict", "value": "fail"} in found["b"]["labels"]
    assert found["c"] == read(again)["c"]
    assert len(list(merged.glob("*-attachment.txt"))) == 3
    assert not (merged / "executor.json").exists(), "it is about one run, and is written anew"
    assert read(before)["b"]["status"] == "passed", "the runs stay as they are"


def test_without_allure_there_is_nothing(tmp_path: Path) -> None:
    before, again, merged = (tmp_path / name for name in ("before", "again", "merged"))
    result(before, "a", REPEATED, "fail", 1)
    again.mkdir()
    merged_allure(before, again, merged, [])
    assert not merged.exists()
