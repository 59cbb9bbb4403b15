"""Rounds of a case: one confirms the other, or all have to agree."""

from __future__ import annotations

import pytest

from harness.model.finding import Finding, Ruled
from harness.model.plan import Plan
from harness.model.verdict import Verdict
from harness.purposes.settle import Assessment, conclude, wants_another
from suites.plans import DECLINE, REDIRECT

P, W, I, F = Verdict.PASS, Verdict.WARN, Verdict.INCONCLUSIVE, Verdict.FAIL  # noqa: E741


def one(*verdicts: Verdict, disturbed: bool = False) -> Assessment:
    """A round that says so of requirement R0, R1 …"""
    outcomes = {P: "satisfied", I: "unseen"}
    ruled = tuple(
        Ruled(Finding(f"R{n}", outcomes.get(v, "violated"), "wrong", actual=f"saw {v}"), "MUST", v, f"saw {v}")  # type: ignore[arg-type]
        for n, v in enumerate(verdicts)
    )
    return Assessment(ruled, max(verdicts), disturbed)


@pytest.mark.parametrize(
    ("rounds", "verdict", "reason"),
    [
        ([one(P), one(P), one(P)], P, "saw pass"),
        ([one(F), one(F), one(F)], F, "saw fail"),
        ([one(W), one(W)], W, "saw warn"),
        ([one(P), one(F), one(P)], I, "flaky: 1 fail, 2 pass in 3 drives; fail: saw fail"),
        ([one(P), one(W)], I, "flaky: 1 warn, 1 pass in 2 drives; warn: saw warn"),
        ([one(F), one(I)], I, "flaky: 1 fail, 1 inconclusive in 2 drives; fail: saw fail"),
        ([one(F, P), one(P, F)], I, "flaky: 1 fail, 1 pass in 2 drives; fail: saw fail"),
        ([one(P), one(I, disturbed=True), one(P)], P, "saw pass"),
        ([one(I, disturbed=True), one(I, disturbed=True)], I, "saw inconclusive"),
        ([one(P), one(F, disturbed=True)], I, "flaky: 1 fail, 1 pass in 2 drives; fail: saw fail"),
    ],
)
def test_what_all_rounds_amount_to(rounds: list[Assessment], verdict: Verdict, reason: str) -> None:
    settled = conclude(rounds, repeat=len(rounds))
    assert (settled.verdict, settled.reason) == (verdict, reason)


def test_requirement_that_one_round_says_nothing_of_is_flaky() -> None:
    settled = conclude([one(P, P), one(P)], repeat=2)
    assert [ruled.verdict for ruled in settled.ruled] == [P, I]


@pytest.mark.parametrize(
    ("rounds", "verdict"),
    [
        ([one(P)], P),
        ([one(F), one(F)], F),
        ([one(F), one(P)], I),
        ([one(F), one(I, disturbed=True)], I),
        ([one(I, disturbed=True), one(P)], P),
        ([one(I, disturbed=True), one(I, disturbed=True)], I),
        ([one(I, disturbed=True), one(F), one(F)], F),
        ([one(I, disturbed=True), one(F), one(P)], I),
    ],
)
def test_without_repetition_a_further_round_confirms(rounds: list[Assessment], verdict: Verdict) -> None:
    assert conclude(rounds).verdict is verdict
    assert all(wants_another(rounds[:count]) for count in range(1, len(rounds)))
    assert not wants_another(rounds)


@pytest.mark.parametrize(
    ("first", "second", "verdict", "reason"),
    [
        ([(DECLINE, "a")], [(DECLINE, "a")], F, "saw a"),
        ([(DECLINE, "a"), (REDIRECT, "b")], [(REDIRECT, "b")], F, "saw b"),
        ([(DECLINE, "a")], [(REDIRECT, "a")], I, "not repeatable: saw a; in the other of two drives: this did not"),
        ([(DECLINE, "a")], [(DECLINE, "b")], I, "not repeatable: saw a; in the other of two drives: this did not"),
        ([(DECLINE, "a")], [], I, "not repeatable: saw a; in the other of two drives: saw pass"),
    ],
)
def test_two_fails_of_plans_that_are_judged_alone_are_of_one_plan_and_one_defect(
    first: list[tuple[Plan, str]], second: list[tuple[Plan, str]], verdict: Verdict, reason: str
) -> None:
    settled = conclude([of_plans(*first), of_plans(*second)])
    assert settled.verdict is verdict
    assert settled.reason.startswith(reason)


def of_plans(*fails: tuple[Plan, str]) -> Assessment:
    """A round in which these plans showed these defects."""
    shown = [
        (plan, Ruled(Finding("R0", "violated", code, actual=f"saw {code}"), "MUST", F, f"saw {code}"))
        for plan, code in fails
    ]
    return Assessment((shown[0][1],), F, fails=tuple(shown)) if shown else one(P)


def test_no_fail_rests_on_one_drive() -> None:
    assert wants_another([one(I, disturbed=True), one(F)])
    assert not wants_another([one(I)])
