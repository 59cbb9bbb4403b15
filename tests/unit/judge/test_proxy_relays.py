"""The purposes about what a proxy passes on, cancels, and does not send on."""

from __future__ import annotations

import pytest
from proxy_flow import FAR, ProxyWire, said, stored

from harness.model.plan import Plan
from suites.invariants import test_answers as answers
from suites.plans import DECLINE, REDIRECT
from suites.proxy import _plans as plans
from suites.proxy import test_cancel as cancel
from suites.proxy import test_response_is_relayed as relayed
from suites.proxy import test_where_requests_go as where

# --- what is relayed


def rich(plan: Plan, status: int, reason: str, *changes: tuple[str, str], passed: str | None = None) -> ProxyWire:
    """The plan's own final response, and the caller's copy of it with ``changes`` made to its text."""
    final = plan.endpoints[0].answers[0].responses[-1]
    wire = ProxyWire(plan).asks().calls(0.01)
    headers = [wire.places.fill(h) for h in (*final.headers, *(f"Contact: {c}" for c in final.contacts))]
    text = "\n".join(headers)
    for old, new in changes:
        assert old in text + final.body + reason
        text = text.replace(old, new)
    body = final.body
    for old, new in changes:
        body = body.replace(old, new)
    wire.says(0.05, "callee", status, *headers, reason=reason, body=final.body)
    return wire.tells(0.06, status, *filter(None, text.split("\n")), reason=passed or reason, body=body)


def test_a_decline_keeps_what_it_says() -> None:
    judge = relayed.test_decline_keeps_its_headers_and_its_body
    plan = plans.RICH_DECLINE

    def kept(*changes: tuple[str, str], passed: str | None = None) -> list[str]:
        return said(judge(rich(plan, 603, "Network Blocked", *changes, passed=passed).flow()))

    assert kept() == ["satisfied"]
    assert kept(("Retry-After: 3600 (on holiday);duration=60\n", "")) == ["violated"]
    assert kept(("one, two", "two, one")) == ["violated"]
    assert kept(("one, two", "one, two, three")) == ["satisfied"]
    assert kept(("please", "kindly")) == ["violated"]
    assert kept(passed="Decline") == ["satisfied", "violated (warn)"]
    other = ProxyWire(plan).asks().calls(0.01).says(0.02, "callee", 603).tells(0.03, 480)
    assert said(judge(other.flow())) == ["unseen"]


def test_a_redirection_is_untouched() -> None:
    def kept(*changes: tuple[str, str]) -> list[str]:
        return said(
            relayed.test_redirection_is_passed_on_untouched(rich(plans.RICH_REDIRECT, 302, "Moved", *changes).flow())
        )

    assert kept() == ["satisfied", "satisfied"]
    assert kept((";q=0.5", "")) == ["violated", "satisfied"]
    assert kept(("Expires: 120", "Expires: 60")) == ["satisfied", "violated"]


def test_a_100_is_not_passed_on() -> None:
    def passed(*headers: str) -> list[str]:
        wire = ProxyWire(plans.RICH_DECLINE).asks().calls(0.01).says(0.02, "callee", 100, plans.MARK)
        wire.says(0.02, "callee", 180).tells(0.03, 100, *headers).tells(0.04, 180).says(0.3, "callee", 603)
        return said(relayed.test_trying_is_not_passed_on(wire.tells(0.31, 603).flow()))

    assert passed() == ["satisfied"]
    assert passed(plans.MARK) == ["violated"]


def test_ringing_is_passed_on() -> None:
    judge = relayed.test_ringing_is_passed_on_while_a_refusal_waits
    good = stored().tells(0.51, 180, tag="callee").tells(0.71, 183, tag="callee")
    assert said(judge(good.tells(0.91, 302).flow())) == ["satisfied", "satisfied"]
    assert said(judge(stored().tells(0.71, 183, tag="callee").tells(0.91, 302).flow())) == ["violated", "satisfied"]
    assert said(judge(stored().tells(0.1, 302).flow())) == ["unseen"], "nothing was held"


# --- CANCEL


def test_an_answer_cancels_the_rest() -> None:
    def answered(*, cancel_at: float | None) -> list[str]:
        wire = ProxyWire(plans.FORK_ANSWER).asks().calls(0.01).calls(0.01, "second").says(0.02, "callee", 180)
        wire.says(0.3, "second", 200).tells(0.31, 200)
        if cancel_at:
            wire.cancels(cancel_at, "callee").says(cancel_at, "callee", 487)
        return said(cancel.test_what_rings_is_cancelled_after_an_answer(wire.flow()))

    assert answered(cancel_at=0.32) == ["satisfied"]
    assert answered(cancel_at=None) == ["violated"]


def test_a_cancel_waits_for_the_first_1xx() -> None:
    def late(*, cancel_at: float | None, told: bool = False) -> list[str]:
        wire = ProxyWire(plans.FORK_LATE_RINGING).asks().calls(0.01).calls(0.01, "second").says(0.2, "second", 603)
        if told:
            wire.tells(0.21, 603)
        wire.says(1.0, "callee", 180)
        if cancel_at:
            wire.cancels(cancel_at, "callee")
        return said(cancel.test_cancel_waits_for_the_first_provisional(wire.says(3.5, "callee", 480).flow()))

    assert late(cancel_at=1.01) == ["satisfied"]
    assert late(cancel_at=0.21) == ["violated"]
    assert late(cancel_at=None) == ["violated (warn)"]
    assert late(cancel_at=None, told=True) == ["violated"]


def test_the_reason_of_a_cancel() -> None:
    def passed(*headers: str, said_why: bool = True) -> tuple[list[str], list[str]]:
        wire = ProxyWire(plans.CANCELLED).asks().calls(0.01).says(0.02, "callee", 180).tells(0.03, 180)
        wire.hangs_up(0.1, *[plans.WHY] * said_why).cancels(0.11, "callee", *headers).says(0.12, "callee", 487)
        flow = wire.tells(0.13, 487).flow()
        return (
            said(cancel.test_reason_of_a_cancel_is_passed_on(flow)),
            said(cancel.test_reasons_are_of_different_protocols(flow)),
        )

    assert passed(plans.WHY) == (["satisfied"], ["satisfied"])
    assert passed() == (["violated"], ["satisfied"])
    assert passed(plans.WHY, "Reason: SIP;cause=200") == (["satisfied"], ["violated"])
    assert passed(plans.WHY, "Reason: Q.850;cause=21") == (["satisfied"], ["satisfied"])
    assert passed(said_why=False)[0] == ["unseen"]


# --- where requests go


def test_a_request_without_hops_left() -> None:
    plain = ProxyWire(DECLINE).asks().calls(0.01).says(0.02, "callee", 603).tells(0.03, 603).flow()

    def told(wire: ProxyWire) -> list[str]:
        return said(where.test_request_without_hops_left_goes_no_further((plain, wire.flow())))

    assert told(ProxyWire(plans.ZERO_HOPS).asks().tells(0.01, 483)) == ["satisfied", "satisfied"]
    assert told(ProxyWire(plans.ZERO_HOPS).asks().tells(0.01, 404)) == ["satisfied", "violated"]
    assert told(ProxyWire(plans.ZERO_HOPS).asks()) == ["satisfied", "violated"]
    sent_on = ProxyWire(plans.ZERO_HOPS).asks().calls(0.01, hops=0).says(0.02, "callee", 200).tells(0.03, 200)
    assert told(sent_on) == ["violated", "violated"]


def test_a_foreign_redirection() -> None:
    judge = where.test_redirection_of_a_foreign_user_goes_to_the_caller

    def moved() -> ProxyWire:
        return ProxyWire(REDIRECT).asks().calls(0.01).says(0.02, "callee", 302, *FAR)

    assert said(judge(moved().tells(0.03, 302, *FAR).flow())) == ["satisfied"] * 3
    rewritten = moved().tells(0.03, 302, "Contact: <sip:me@127.0.0.9>")
    assert said(judge(rewritten.flow())) == ["satisfied", "satisfied", "violated"]
    assert said(judge(moved().tells(0.03, 305, *FAR).flow())) == ["violated", "satisfied", "violated"]
    followed = moved().calls(0.03, "target").says(0.04, "target", 200).tells(0.05, 200)
    assert said(judge(followed.flow())) == ["satisfied", "violated"]
    assert said(judge(moved().flow())) == ["satisfied", "satisfied", "violated"]


@pytest.mark.parametrize(
    ("status", "outcome"), [(480, "satisfied"), (404, "satisfied"), (302, "violated"), (500, "violated")]
)
def test_a_user_without_target(status: int, outcome: str) -> None:
    judge = where.test_user_without_target_is_reported_as_one
    assert said(judge(ProxyWire(plans.NO_TARGET).asks().tells(0.01, status).flow())) == [outcome]
    assert said(judge(ProxyWire(plans.NO_TARGET).asks().flow())) == ["violated"]


def test_a_late_copy_that_a_proxy_passes_on_is_not_its_own() -> None:
    """Kamailio forgets a transaction 5 s after its end and then forwards a copy of the refusal without one."""

    def judged(*copies: float) -> list[str]:
        wire = ProxyWire(DECLINE).asks().calls(0.01).says(0.05, "callee", 603).tells(0.06, 603, tag="callee")
        wire.acknowledges(0.07, "callee")
        if copies:
            wire.says(31.0, "callee", 603)
        for copy in copies:
            wire.tells(copy, 603, tag="callee")
        return said(answers.test_every_ack_ends_the_copies(wire.flow()))

    assert judged() == ["satisfied"]
    assert judged(31.04) == ["satisfied"]
    assert judged(31.04, 34.0) == ["violated"]
    assert judged(3.0) == ["violated"]
