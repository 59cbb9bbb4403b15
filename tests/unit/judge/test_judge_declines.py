from __future__ import annotations

from dataclasses import replace

import pytest
from refused_flow import URI, Wire, declined, outcomes

from harness.judge.acks import refused
from harness.judge.declines import handled_like, stays_declined
from harness.model.flow import Trouble
from harness.model.plan import Plan
from harness.model.verdict import Verdict
from harness.model.windows import EXTENDED, QUICK, STANDARD
from suites.transaction import test_completed as completed
from suites.transaction import test_copies as copies
from suites.uac import test_after_decline as after
from suites.uac import test_decline_and_failover as failover
from suites.uac import test_decline_extras as extras
from suites.uac import test_decline_is_final as final


def again(wire: Wire, at: float, **more: object) -> Wire:
    return wire.invite(at, **{"call_id": "c2", "branch": "z9hG4bKtwo", **more})


@pytest.mark.parametrize(
    ("late", "cost"), [(0.5, Verdict.FAIL), (39.0, Verdict.FAIL), (41.0, Verdict.WARN), (69.0, Verdict.WARN)]
)
def test_what_a_call_again_costs_depends_on_when_it_comes(late, cost):
    flow = again(declined(), late).flow(window=EXTENDED)
    found = stays_declined(flow, refused(flow))
    assert (found.outcome, found.at_most) == ("violated", cost)


def test_lateness_is_counted_from_the_last_refusal():
    wire = again(declined(), 30.0).answer(30.01, 603, call_id="c2", branch="z9hG4bKtwo")
    flow = wire.invite(60.0, call_id="c3", branch="z9hG4bKthree").flow(window=STANDARD)
    found = stays_declined(flow, refused(flow), unless=lambda attempt: attempt.invite.call_id == "c2")
    assert found.at_most is Verdict.FAIL


def test_silence_needs_its_proof_and_an_allowed_call_does_not_shorten_the_watch():
    for alive, outcome in ((True, "satisfied"), (False, "unseen")):
        flow = declined().flow(alive=alive)
        assert stays_declined(flow, refused(flow)).outcome == outcome
    wire = again(declined(), 4.0).answer(4.01, 603, call_id="c2", branch="z9hG4bKtwo")
    flow = wire.flow(window=QUICK, closed=5.1)
    assert stays_declined(flow, refused(flow), unless=lambda _: True).outcome == "satisfied"


def test_a_copy_of_the_invite_is_no_call_again():
    flow = Wire().invite().answer(0.3, 603).invite(0.35).ack(0.36).flow()
    assert stays_declined(flow, refused(flow)).outcome == "satisfied"


def test_handled_like_finds_only_what_differs():
    def judged(usual: Wire, other: Wire) -> set[str]:
        return set(outcomes(handled_like(usual.flow(), other.flow(), means="", look_at="")))

    assert judged(declined(), declined()) == {"satisfied"}
    assert judged(declined(), again(declined(), 1.0)) == {"satisfied", "violated"}
    assert judged(again(declined(), 1.0), again(declined(), 1.0)) == {"satisfied"}
    unacknowledged = Wire().invite().answer(0.01, 603)
    assert "violated" in judged(declined(), unacknowledged)
    assert "violated" not in judged(unacknowledged, unacknowledged)


@pytest.mark.parametrize(("at", "outcome"), [(1.0, "violated"), (3.1, "satisfied"), (4.9, "satisfied")])
def test_retry_after(at, outcome):
    flow = again(Wire(extras.RETRY_AFTER).invite().answer(0.01, 603).ack(0.02), at).flow()
    assert outcomes(extras.test_no_call_before_retry_after_has_passed(flow)) == [outcome]
    (second,) = extras.test_call_after_retry_after_is_a_new_call(flow)
    assert second.outcome == "satisfied"
    assert bool(second.note) == (at > 3)


def test_retry_after_with_the_old_invite():
    flow = declined().invite(3.5, branch="z9hG4bKtwo").flow()
    assert outcomes(extras.test_call_after_retry_after_is_a_new_call(flow)) == ["violated"]


@pytest.mark.parametrize(
    ("bodies", "outcome"),
    [
        ((), "satisfied"),
        (("o=- 2 2\r\nm=audio 1 RTP/AVP 8",), "satisfied"),
        (("o=- 2 2\r\nm=audio 1 RTP/AVP 0",), "violated"),
        (("m=audio 1 RTP/AVP 8", "m=audio 1 RTP/AVP 9"), "violated"),
        (("",), "satisfied"),
    ],
)
def test_606_may_be_answered_by_one_other_offer(bodies, outcome):
    wire = Wire().invite(body="o=- 1 1\r\nm=audio 1 RTP/AVP 0").answer(0.01, 606).ack(0.02)
    for place, body in enumerate(bodies, 1):
        again(wire, 0.5 * place, branch=f"z9hG4bK{place}", body=body)
    judged = final.test_not_acceptable_is_answered_by_another_offer_at_most(wire.flow())
    assert outcomes(judged) == [outcome]


def test_requests_of_a_call_that_is_over():
    assert outcomes(final.test_declined_call_gets_no_bye(declined().request(0.1, "BYE").flow())) == ["violated"]
    assert outcomes(final.test_nothing_but_the_ack_follows_a_decline(declined().flow())) == ["satisfied"]
    other_call = declined().request(0.1, "OPTIONS", call_id="c9").flow()
    assert outcomes(final.test_nothing_but_the_ack_follows_a_decline(other_call)) == ["satisfied"]


def test_a_cancel_that_crossed_the_decline_is_none_after_it():
    def cancel(at: float, number: int = 1) -> list[str]:
        flow = declined().say(at, f"CANCEL {URI} SIP/2.0", cseq=f"{number} CANCEL").flow()
        return outcomes(final.test_hanging_up_after_a_decline_sends_nothing(flow))

    assert cancel(0.015) == ["satisfied", "satisfied"], "the ACK came later"
    assert cancel(0.05) == ["violated", "satisfied"], "the ACK was there"
    assert cancel(0.5, number=2) == ["satisfied", "satisfied"], "it cancels another INVITE"


def test_who_was_never_asked_to_hang_up_shows_nothing():
    def hung_up(*troubles: Trouble) -> set[str]:
        return set(outcomes(final.test_hanging_up_after_a_decline_sends_nothing(declined().flow(troubles=troubles))))

    assert hung_up(Trouble("device", "the call never reached the state for the act 'hangup'")) == {"unseen"}
    assert hung_up(Trouble("stimulus", "the device could not be made to hangup: no such call")) == {"satisfied"}


def test_copies_need_an_ack_each():
    def judged(wire: Wire) -> list[str]:
        return outcomes(copies.test_decline_repeated_by_timer_g_is_acknowledged_each_time(wire.flow()))

    two = declined().answer(0.5, 603)
    assert judged(two) == ["violated"]
    assert judged(declined().answer(0.5, 603).ack(0.51)) == ["satisfied"]
    assert judged(declined().answer(0.5, 603).ack(0.51, branch="z9hG4bKother")) == ["violated"]
    assert judged(Wire().invite().answer(0.01, 603).answer(0.5, 603)) == ["unseen"]


TIMER_G = (0.01, 0.5, 1.5, 3.5, 7.5, 11.5)


@pytest.mark.parametrize(
    ("without", "branch", "outcome", "at_most"),
    [
        ((), "z9hG4bKone", "satisfied", "fail"),
        ((7.5, 11.5), "z9hG4bKone", "violated", "warn"),
        ((11.5,), "z9hG4bKone", "violated", "warn"),
        ((3.5, 7.5, 11.5), "z9hG4bKone", "violated", "fail"),
        ((0.5, 1.5, 3.5, 7.5, 11.5), "z9hG4bKone", "violated", "fail"),
        ((7.5,), "z9hG4bKone", "violated", "fail"),
        ((0.5, 11.5), "z9hG4bKone", "violated", "fail"),
        ((7.5, 11.5), "z9hG4bKother", "violated", "fail"),
    ],
)
def test_transaction_that_ends_after_t4_costs_less_than_a_lost_copy(without, branch, outcome, at_most):
    wire = Wire(copies.DECLINE_TIMER_G).invite()
    for moment in TIMER_G:
        wire.answer(moment, 603)
        if moment not in without:
            wire.ack(moment + 0.01, branch=branch if moment == 1.5 else "z9hG4bKone")
    (found,) = copies.test_decline_repeated_by_timer_g_is_acknowledged_each_time(wire.flow())
    assert (found.outcome, str(found.at_most)) == (outcome, at_most)


def test_other_bytes_in_the_ack_are_only_noted():
    wire = declined().answer(0.5, 603).ack(0.51, extra=("User-Agent: x",))
    (found,) = copies.test_decline_repeated_by_timer_g_is_acknowledged_each_time(wire.flow())
    assert (found.outcome, bool(found.note)) == ("satisfied", True)


def test_copies_that_change_something():
    plain, repeated = declined(), declined().answer(0.3, 603).ack(0.31)
    judge = copies.test_copies_of_a_decline_are_acknowledged_and_change_nothing
    assert outcomes(judge((plain.flow(), repeated.flow()))) == ["satisfied", "satisfied"]
    assert outcomes(judge((plain.flow(), again(repeated, 0.35).flow()))) == ["satisfied", "violated"]
    assert outcomes(judge((again(declined(), 1.0).flow(), repeated.flow()))) == ["satisfied"]


def moved(plan: Plan = copies.REDIRECT_COPIES) -> Wire:
    wire = Wire(plan).invite().answer(0.01, 302).ack(0.02).answer(0.03, 302).ack(0.04)
    return wire.invite(0.021, seat="target", branch="z9hG4bKt1", cseq="2 INVITE")


def test_a_redirection_is_followed_once():
    judge = copies.test_copies_of_a_redirect_are_acknowledged_and_followed_once
    assert outcomes(judge(moved().flow())) == ["satisfied", "satisfied"]
    twice = moved().invite(0.041, seat="target", branch="z9hG4bKt2", cseq="3 INVITE")
    assert outcomes(judge(twice.flow())) == ["satisfied", "violated"]
    unwatched = replace(copies.REDIRECT_COPIES, watched=False)
    assert outcomes(judge(moved(unwatched).flow(alive=False))) == ["satisfied"]


def test_an_ack_of_a_copy_that_was_made_of_the_next_invite():
    """A phone was built that makes it of what it has sent last: branch and Request-URI are those of the target."""
    judge = copies.test_copies_of_a_redirect_are_acknowledged_and_followed_once
    wire = Wire(copies.REDIRECT_COPIES).invite().answer(0.01, 302).ack(0.02).answer(0.3, 302)
    wire.invite(0.021, seat="target", branch="z9hG4bKt1", cseq="2 INVITE")
    found, _ = judge(wire.ack(0.31, uri="sip:97001@127.0.0.3:5060", branch="z9hG4bKt1").flow())
    assert (found.code, found.actual) == ("ack-changed", "another Request-URI, branch than in message 3")


def test_a_late_200_must_not_make_a_call():
    def late(*more: str) -> list:
        wire = Wire(completed.DECLINE_THEN_ANSWER).invite().answer(0.01, 603).ack(0.02)
        wire.answer(0.3, 200, to_tag="late").answer(0.8, 200, to_tag="late")
        for method in more:
            wire.say(0.9, f"{method} {URI} SIP/2.0", to_tag="late", cseq=f"1 {method}", branch="z9hG4bKx")
        return [(f.outcome, f.at_most) for f in completed.test_answer_after_a_decline_is_ignored(wire.flow())]

    assert late() == [("satisfied", Verdict.FAIL)]
    assert late("ACK") == [("violated", Verdict.FAIL)]
    assert late("ACK", "BYE") == [("violated", Verdict.WARN)]


def test_the_call_after_a_decline():
    judge = after.test_next_call_after_a_decline_works
    good = again(declined(), 1.0).answer(1.1, 200, call_id="c2", branch="z9hG4bKtwo")
    assert outcomes(judge(good.flow(calls=(-0.1, 0.9)))) == ["violated"]
    good.ack(1.2, call_id="c2", branch="z9hG4bKthree")
    assert outcomes(judge(good.flow(calls=(-0.1, 0.9)))) == ["satisfied"]
    assert outcomes(judge(declined().flow(calls=(-0.1, 0.9)))) == ["violated"]
    died = Trouble("device", "call 2 could not be requested: it has exited")
    assert outcomes(judge(declined().flow(troubles=(died,)))) == ["violated"]
    ours = Trouble("stimulus", "call 2 could not be requested: the control port is busy")
    assert outcomes(judge(declined().flow(troubles=(ours,)))) == ["unseen"]


def test_failover_needs_a_backup_that_was_seen_in_use():
    def judged(declining: Wire, failing: Wire) -> list[str]:
        return outcomes(failover.test_decline_does_not_move_the_call_to_the_backup((declining.flow(), failing.flow())))

    def call(plan: Plan, status: int) -> Wire:
        return Wire(plan).invite().answer(0.01, status).ack(0.02)

    used = call(failover.FAILURE_WITH_BACKUP, 503).invite(0.03, seat="backup", branch="z9hG4bKb")
    unused = call(failover.FAILURE_WITH_BACKUP, 503)
    assert judged(call(failover.DECLINE_WITH_BACKUP, 603), used) == ["satisfied"]
    assert judged(call(failover.DECLINE_WITH_BACKUP, 603), unused) == ["unseen"]
    tried = call(failover.DECLINE_WITH_BACKUP, 603).invite(0.03, seat="backup", branch="z9hG4bKb")
    assert judged(tried, used) == ["violated"]
    assert judged(declined(), used) == ["unseen"]
