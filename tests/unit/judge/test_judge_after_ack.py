"""What may come of a copy of an INVITE whose refusal has been acknowledged."""

from __future__ import annotations

from suites.answering import REPEATED_LATE
from suites.invariants import test_acks as acks
from suites.invariants import test_answers as answers
from suites.transaction import test_server_transaction as served
from tests.unit.judge.answered_flow import Line, outcomes

JUDGE = served.test_copy_of_the_invite_after_the_ack_is_no_new_call


def copied() -> Line:
    plan = REPEATED_LATE["b2bua"]
    return Line(plan, "b2bua").ask().request(0.01, "INVITE", "callee").reply(0.02, 603).ack(0.03).ask(0.33)


def test_silence_and_the_same_refusal_conform():
    assert outcomes(JUDGE(copied().flow())) == ["satisfied"]
    assert outcomes(JUDGE(copied().reply(0.34, 603).flow())) == ["satisfied"]


def test_another_call_fails():
    def again(at: float) -> Line:
        plan_call = {"call_id": "c3", "branch": "z9hG4bKagain", "cseq": "1 INVITE"}
        return copied().say(at, "INVITE sip:97001@127.0.0.2 SIP/2.0", sent=False, seat="callee", **plan_call)  # type: ignore[arg-type]

    assert outcomes(JUDGE(again(0.34).flow())) == ["violated"]
    assert outcomes(JUDGE(again(2.0).flow())) == ["satisfied"], "that call has another reason"


def test_another_answer_is_a_warning():
    assert outcomes(JUDGE(copied().reply(0.34, 100).flow())) == ["violated (warn)"]
    assert outcomes(JUDGE(copied().reply(0.34, 603, to_tag="t2").flow())) == ["violated (warn)"]
    assert outcomes(JUDGE(copied().reply(0.34, 482).flow())) == ["violated (warn)"]


def test_what_was_not_seen_proves_nothing():
    assert outcomes(JUDGE(copied().flow(closed=0.4, alive=False))) == ["unseen"]
    never = Line(REPEATED_LATE["b2bua"], "b2bua").ask().reply(0.02, 603)
    assert outcomes(JUDGE(never.flow())) == ["unseen"]
    before = Line(REPEATED_LATE["b2bua"], "b2bua").ask().reply(0.02, 603).ask(0.03).ack(0.04)
    assert outcomes(JUDGE(before.flow())) == ["unseen"], "that copy is another test's"


def test_the_answer_to_a_late_copy_is_no_copy_of_timer_g_and_no_answer_to_an_ack():
    again = copied().ack(0.05).reply(0.34, 603).flow()
    assert "violated" not in outcomes(answers.test_every_ack_ends_the_copies(again))
    assert "violated" not in outcomes(answers.test_no_ack_is_answered(copied().ack(0.05).reply(0.34, 481).flow()))
    before = copied().ack(0.05).reply(0.2, 603).flow()
    assert outcomes(answers.test_every_ack_ends_the_copies(before)) == ["violated"]
    assert outcomes(answers.test_no_ack_is_answered(copied().ack(0.05).reply(0.06, 481).flow())) == []


def test_the_ack_of_a_refusal_ends_at_the_proxy():
    def relayed_call(**ack: object) -> list[str]:
        same = {"sent": False, "seat": "callee"}
        line = Line(REPEATED_LATE["proxy"], "proxy").ask()
        line.say(0.01, "INVITE sip:1@127.0.0.2 SIP/2.0", branch="z9hG4bKout", **same)  # type: ignore[arg-type]
        line.reply(0.02, int(str(ack.pop("status", 603)))).ack(0.03)
        at = float(str(ack.pop("at", 0.04)))
        line.say(at, "ACK sip:1@127.0.0.2 SIP/2.0", **{"cseq": "1 ACK", "to_tag": "t1"} | same | ack)  # type: ignore[arg-type]
        return outcomes(acks.test_ack_of_a_refusal_ends_at_the_proxy(line.flow()))

    assert relayed_call(branch="z9hG4bKout") == ["satisfied"]
    assert relayed_call(branch="z9hG4bKforwarded") == ["violated"]
    assert relayed_call(branch="z9hG4bKforwarded", at=5.7) == ["satisfied"], "a late copy finds no transaction"
    assert relayed_call(branch="z9hG4bKforwarded", call_id="c7") == ["satisfied"], "of another call"
    assert relayed_call(branch="z9hG4bKforwarded", status=200) == []
