"""The outcome of a run, and what pytest is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flows import HOSTILE, record, ruled

from harness.errors import EvidenceError, Inconclusive, Nonconformity, ProfileError
from harness.model.outcome import ExitStatus, Tally
from harness.model.verdict import Verdict
from harness.requirements.catalogue import Catalogue
from harness.run.pytest_outcome import Warned, junit_properties, settle


@pytest.mark.parametrize(
    ("names", "planned", "verdict", "status"),
    [
        (["pass"], 1, "pass", 0),
        (["pass", "warn", "not_applicable"], 3, "warn", 0),
        (["pass", "inconclusive"], 2, "inconclusive", 2),
        (["inconclusive", "fail"], 2, "fail", 1),
        (["pass"], 2, "inconclusive", 2),
        (["pass", "none"], 2, "inconclusive", 2),
        (["pass", "pass"], 1, "inconclusive", 2),
        (["fail"], 9, "fail", 1),
        (["not_applicable"], 1, "inconclusive", 2),
        (["pass", "not_tested"], 2, "pass", 0),
        (["not_tested"], 1, "inconclusive", 2),
        ([], 0, "inconclusive", 2),
    ],
)
def test_the_outcome_of_a_run(names: list[str], planned: int, verdict: str, status: int) -> None:
    tally = Tally.of(names, planned)
    assert (str(tally.verdict), tally.exit_status) == (verdict, status)


def test_errors_have_exit_statuses() -> None:
    assert ExitStatus.of_error(ProfileError("x")) == 3
    assert ExitStatus.of_error(EvidenceError("x")) == 4
    assert ExitStatus.of_error(Nonconformity("x")) == 1
    assert ExitStatus.of_error(KeyboardInterrupt()) == 2


def test_pytest_is_told_by_the_exception() -> None:
    settle(record(Verdict.PASS), "")
    with pytest.raises(Nonconformity, match="text"):
        settle(record(Verdict.FAIL), "text")
    with pytest.raises(Inconclusive, match="text"):
        settle(record(Verdict.INCONCLUSIVE), "text")
    with pytest.raises(Inconclusive, match="no verdict"):
        settle(record(Verdict.NONE), "")
    with pytest.warns(Warned, match="text"):
        settle(record(Verdict.WARN), "text")
    with pytest.raises(pytest.skip.Exception, match=r"^not applicable: no 302$"):
        settle(record(Verdict.NONE, skipped="not_applicable", reason="not applicable: no 302"), "")
    with pytest.raises(pytest.skip.Exception, match=r"^not tested: no hangup$"):
        settle(record(Verdict.NONE, skipped="not_tested", reason="no hangup"), "")


def test_junit_says_clause_level_verdict_and_evidence_of_every_requirement() -> None:
    rows = [Catalogue.load()[row] for row in ("RFC3261-21.6-01", "RFC3261-7.2-01")]
    one = ruled(Verdict.FAIL, actual="INVITE")
    found = junit_properties(record(Verdict.FAIL, "p", one, ruled(requirement="RFC3261-7.2-01")), rows)
    for wanted in (
        ("clause RFC3261-21.6-01", "RFC 3261 §7.2 (6xx), §21.6, §21.6.2; RFC 5057 §5.1"),
        ("level RFC3261-21.6-01", "DERIVED"),
        ("requirement RFC3261-21.6-01", "fail"),
        ("finding RFC3261-21.6-01", "RFC3261-21.6-01:p:uac:redialled"),
        ("requirement RFC3261-7.2-01", "pass"),
        ("evidence", "flows/f1.json"),
    ):
        assert wanted in found
    assert "finding RFC3261-7.2-01" not in dict(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("kind", ["not_applicable", "not_tested"])
def test_junit_says_so_too_where_a_purpose_is_skipped(kind: Any) -> None:
    skipped = replace(record(Verdict.NONE, skipped=kind, reason="no 302", evidence=()), requirements=())
    found = junit_properties(skipped, [Catalogue.load()["RFC3261-21.6-01"]])
    assert ("verdict", kind) in found
    assert ("requirement RFC3261-21.6-01", kind) in found
    assert ("clause RFC3261-21.6-01", "RFC 3261 §7.2 (6xx), §21.6, §21.6.2; RFC 5057 §5.1") in found
    assert "evidence" not in dict(found)


def test_junit_properties_are_flat_and_legal() -> None:
    found = junit_properties(record(Verdict.FAIL, "p", ruled(Verdict.FAIL), reason="".join(HOSTILE)))
    assert ("verdict", "fail") in found
    assert ("requirement RFC3261-21.6-01", "fail") in found
    assert ("evidence", "flows/f1.json") in found
    assert all(value.isprintable() for _, value in found)
