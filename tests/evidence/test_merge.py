"""A repetition merged into the run that it repeats: whole, marked, and judged again like any other."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from handmade import CATALOGUE, FINAL, PURPOSES, WHOLE, Maker, redials

from harness.evidence.merge import merge, why_apart
from harness.evidence.rejudge import rejudge, unjudged
from harness.store.folder import RunFolder
from harness.store.stored_run import StoredRun, read_run
from harness.store.verdict_lines import VerdictLine

FAILED = "fail"


def failed(run: StoredRun) -> list[str]:
    return [line.purpose for line in run.records if line.verdict == FAILED]


def merged(before: StoredRun, again: StoredRun, out: Path) -> StoredRun:
    assert why_apart(before, again) == ""
    folder = RunFolder.create(out, "phone")
    merge(before, again, folder, CATALOGUE, PURPOSES, lambda *_: (None, None))
    return read_run(folder.path)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    """A phone that calls again after a 603."""
    return Maker(tmp_path_factory.mktemp("before"), purposes=WHOLE, tries=redials).make()


def repetition(folder: Path, purposes: Sequence[str], **more: Any) -> StoredRun:
    return Maker(folder, purposes=purposes, **more).make()


def test_whole_run_with_the_repeated_cases_replaced(before: StoredRun, tmp_path: Path) -> None:
    asked = failed(before)
    assert FINAL in asked
    again = repetition(tmp_path / "again", asked)
    assert set(again.evidence) & set(before.evidence), "their flows have the same names"
    whole = merged(before, again, tmp_path / "out")
    assert [line.case for line in whole.records] == list(before.header.cases)
    assert failed(whole) == []
    assert whole.tally.complete
    fresh = {flow.plan for flow in map(again.flow, again.evidence)}
    shares = {one.purpose for one in before.records if fresh & {before.flow(flow).plan for flow in one.flows}}
    assert {case.purpose for case in whole.header.repeated} == {
        *asked,
        *(n for n in shares if not PURPOSES[n].everywhere),
    }
    assert whole.header.again == before.header.run
    (final,) = [line for line in whole.records if line.purpose == FINAL]
    assert final.flows == tuple(f"{flow}.2" for flow in again.records[asked.index(FINAL)].flows)
    found = rejudge(whole, CATALOGUE, PURPOSES)
    assert found.differences == (), found.differences
    assert found.judged == len(whole.records), unjudged(whole)
    assert [path.name for path in (whole.folder / "flows").glob("*-0000-again.json")] == [], "no verdict rests on it"


def test_invariant_speaks_of_the_flows_of_both(before: StoredRun, tmp_path: Path) -> None:
    """One that was not asked again is judged anew: what it rested on is no longer all there is."""
    plain = [name for name in failed(before) if not PURPOSES[name].everywhere]
    whole = merged(before, repetition(tmp_path / "again", plain), tmp_path / "out")
    for line in whole.records:
        if PURPOSES[line.purpose].everywhere:
            assert set(line.flows) <= set(whole.evidence)
    assert rejudge(whole, CATALOGUE, PURPOSES).differences == ()


def test_what_failed_again_fails_still(before: StoredRun, tmp_path: Path) -> None:
    whole = merged(before, repetition(tmp_path / "again", [FINAL], tries=redials), tmp_path / "out")
    assert FINAL in failed(whole)
    assert rejudge(whole, CATALOGUE, PURPOSES).differences == ()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"header": {"suite_digest": "0" * 64}}, "suite digest was"),
        ({"header": {"weather": "loss=5%"}}, "weather was '', and is 'loss=5%'"),
        ({"header": {"strict": True}}, "strict was 'False', and is 'True'"),
        ({"device": {"firmware": "2.0"}}, "phone has another firmware than in that run"),
        ({"device": {"pics": {}}}, "phone has another pics than in that run"),
        ({"planned": [WHOLE[1]]}, "the repetition was cut off"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_runs_that_stay_apart(before: StoredRun, more: dict[str, Any], why: str, tmp_path: Path) -> None:
    assert why in why_apart(before, repetition(tmp_path, [FINAL], **more))


def test_run_that_was_cut_off_is_completed_or_stays_apart(tmp_path: Path) -> None:
    rest = [name for name in WHOLE if name != FINAL]
    cut = Maker(tmp_path / "cut", purposes=rest, planned=[FINAL]).make()
    assert why_apart(cut, repetition(tmp_path / "other", rest[:1])).startswith("1 of its tests have no verdict yet")
    whole = merged(cut, repetition(tmp_path / "again", [FINAL]), tmp_path / "out")
    assert whole.tally.complete
    assert rejudge(whole, CATALOGUE, PURPOSES).differences == ()


def test_case_of_another_run(before: StoredRun, tmp_path: Path) -> None:
    again = repetition(tmp_path, [FINAL])
    strange = dataclasses.replace(again.records[0], role="b2bua")
    assert isinstance(strange, VerdictLine)
    assert "was no part of that run" in why_apart(before, dataclasses.replace(again, records=(strange,)))
