"""The purposes about forks, and about what goes upstream: satisfied, violated, and what shows nothing."""

from __future__ import annotations

import pytest
from proxy_flow import FAR, ProxyWire, said, stored

from harness.model.finding import Finding
from harness.model.plan import Plan
from harness.model.windows import QUICK, STANDARD
from suites.plans import DECLINE
from suites.proxy import _plans as plans
from suites.proxy import test_best_response as best
from suites.proxy import test_decline_ends_the_search as decline


def fork(plan: Plan = plans.FORK_DECLINE, at: float = 0.3, **pics: bool) -> ProxyWire:
    """Every phone is called, all but the second one ring, and that one declines."""
    wire = ProxyWire(plan, **pics).asks()
    phones = [e.name for e in plan.endpoints if e.kind == "callee"]
    for phone in phones:
        wire.calls(0.01, phone)
    for phone in phones:
        if phone != "second":
            wire.says(0.02, phone, 180)
    return wire.says(at, "second", 603)


def cancelled() -> ProxyWire:
    wire = fork().cancels(0.31, "callee").cancels(0.31, "third")
    return wire.says(0.32, "third", 487).says(1.31, "callee", 487)


# --- after a decline


def serial(again: float = 0.0) -> list[str]:
    wire = ProxyWire(plans.SERIAL_DECLINES)
    for number, status in enumerate(plans.SIX_HUNDREDS):
        wire.asks(number).calls(number + 0.01).says(number + 0.02, "callee", status).tells(number + 0.03, status)
        if again and status == 604:
            wire.calls(number + again, "second", call_id=f"c{number + 1}").says(number + again, "second", 480)
    return said(decline.test_no_further_target_is_called_after_a_6xx(wire.flow()))


def test_no_further_target_after_a_6xx() -> None:
    assert serial() == ["satisfied"] * 7
    assert serial(0.05) == ["satisfied"] * 2 + ["violated"] + ["satisfied"] * 4
    assert serial(2.5) == ["satisfied"] * 2 + ["violated"] + ["satisfied"] * 4, "in the middle of another call"
    both = ProxyWire(plans.SERIAL_DECLINES).asks().calls(0.01).calls(0.01, "second").says(0.1, "callee", 603)
    (noted,) = decline.test_no_further_target_is_called_after_a_6xx(both.flow())
    assert (noted.outcome, noted.note) == ("satisfied", decline.NONE_LEFT)


def test_what_rings_is_cancelled() -> None:
    judge = decline.test_what_rings_is_cancelled_after_a_decline
    assert said(judge(cancelled().tells(1.32, 603).flow())) == ["satisfied", "satisfied"]
    ringing = fork().cancels(0.31, "third").says(0.32, "third", 487).says(2.5, "callee", 480)
    assert said(judge(ringing.tells(2.51, 603).flow())) == ["violated", "satisfied"]
    early = fork().cancels(0.31, "third").tells(0.32, 603).says(0.32, "third", 487).says(2.5, "callee", 480)
    assert said(judge(early.flow())) == ["violated (at least fail)", "satisfied"]
    alone = ProxyWire(plans.FORK_DECLINE).asks().calls(0.01, "second").says(0.3, "second", 603)
    assert said(judge(alone.flow())) == ["unseen"]


def test_a_decline_waits() -> None:
    judge = decline.test_decline_waits_for_the_branches_that_are_open
    assert said(judge(cancelled().tells(1.32, 603).flow())) == ["satisfied"]
    assert said(judge(cancelled().tells(0.31, 603).flow())) == ["violated"]
    assert said(judge(cancelled().tells(0.31, 603).tells(1.4, 200, tag="u").flow())) == ["violated (at least fail)"]
    assert said(judge(cancelled().flow())) == ["unseen"]


@pytest.mark.parametrize(("forks", "outcome"), [(True, "unseen"), (False, "satisfied")])
def test_who_does_not_fork_has_nothing_to_wait_for(forks: bool, outcome: str) -> None:
    wire = ProxyWire(plans.FORK_DECLINE, forking_proxy=forks).asks().calls(0.01, "second").says(0.3, "second", 603)
    judge = decline.test_decline_waits_for_the_branches_that_are_open
    assert said(judge(wire.tells(0.31, 603).flow())) == [outcome]


def test_a_branch_that_never_ends() -> None:
    judge = decline.test_cancelled_branch_that_never_ends_is_given_up
    wire = fork(plans.FORK_UNENDING).cancels(0.31, "callee")
    assert said(judge(wire.flow(window=STANDARD))) == ["violated"]
    assert said(judge(wire.flow(window=QUICK))) == ["unseen"], "too short"
    assert said(judge(wire.tells(32.4, 603).flow(window=STANDARD))) == ["satisfied"]
    assert said(judge(fork(plans.FORK_UNENDING).flow())) == ["unseen"]
    late = fork(plans.FORK_UNENDING).cancels(0.31, "callee").tells(38.0, 603)
    assert said(judge(late.flow(window=STANDARD))) == ["violated"]


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ([(0.33, 200)], "satisfied"),
        ([(0.33, 603)], "violated"),
        ([(0.31, 603), (0.33, 200)], "violated"),
        ([(0.33, 200), (0.34, 603)], "violated"),
        ([], "violated"),
    ],
)
def test_an_answer_that_crosses_the_cancel(told: list[tuple[float, int]], outcome: str) -> None:
    judge = decline.test_answer_that_crosses_the_cancel_wins
    wire = fork(plans.FORK_CROSSING).cancels(0.31, "callee").says(0.32, "callee", 200)
    for at, status in told:
        wire.tells(at, status, tag=str(status))
    assert said(judge(wire.flow())) == [outcome]
    assert said(judge(fork(plans.FORK_CROSSING).says(2.5, "callee", 480).flow())) == ["unseen"]


# --- the best response


def orders(*told: int, follows: bool = False) -> list[Finding]:
    wire = ProxyWire(plans.FORK_ORDERS)
    for number, status in enumerate(told):
        wire.asks(number)
        for phone in ("callee", "second", "third"):
            wire.calls(number + 0.01, phone)
        moved, asked, declined = plans._ORDERS[number]
        wire.says(number + 0.02 + moved, "callee", 302, *FAR).says(number + 0.02 + asked, "second", 407)
        wire.says(number + 0.02 + declined, "third", 603).tells(number + 0.2, status)
        if follows:
            wire.calls(number + 0.21, "target", call_id=f"c{number + 1}").says(number + 0.22, "target", 404)
    return list(best.test_decline_is_preferred_to_every_other_answer(wire.flow()))


def test_a_decline_is_preferred() -> None:
    assert set(said(orders(603, 603, 603, 603, 603, 603))) == {"satisfied"}
    findings = orders(603, 302, 407, 600, 487, 603)
    assert [f.outcome for f in findings if not f.requirement] == ["satisfied", *["violated"] * 4, "satisfied"]
    late = [f.outcome for f in orders(*[603] * 6, follows=True) if f.requirement]
    assert late == ["violated"] * 3, "in three of six orders the 302 comes after the 603"


def test_the_only_branch_is_passed_on() -> None:
    def told(status: int) -> list[str]:
        wire = ProxyWire(DECLINE).asks().calls(0.01).says(0.02, "callee", 603).tells(0.03, status)
        return said(best.test_decline_of_the_only_branch_goes_up_as_it_is(wire.flow()))

    assert [told(603), told(480), told(600)] == [["satisfied"], ["violated"], ["violated"]]


def test_the_lowest_class_is_preferred() -> None:
    judge = best.test_redirection_is_preferred_to_a_failure
    assert [said(judge(stored().tells(0.91, status).flow())) for status in (302, 486, 503)] == [
        ["satisfied"],
        ["violated"],
        ["violated"],
    ]


def test_an_emptied_redirection_is_no_candidate() -> None:
    judge = best.test_redirection_is_preferred_to_a_failure

    def told(status: int) -> list[str]:
        wire = stored().calls(0.03, "target", uri="sip:97001@127.0.0.3").says(0.1, "target", 404)
        return said(judge(wire.tells(0.91, status).flow()))

    assert [told(404), told(486), told(500)] == [["satisfied"], ["satisfied"], ["violated"]]


def test_one_final_response() -> None:
    judge = best.test_caller_is_answered_once_however_many_branches_there_were
    assert said(judge(cancelled().tells(1.32, 603).tells(1.82, 603).flow())) == ["satisfied"]
    assert said(judge(cancelled().tells(1.32, 603).tells(1.4, 302).flow())) == ["violated"]
    assert said(judge(cancelled().flow())) == ["violated"]
    assert said(judge(fork().flow())) == ["unseen"]
