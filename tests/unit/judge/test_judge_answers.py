"""What a caller was answered: which response belongs to which request, what it must repeat, and what it may say."""

from __future__ import annotations

import pytest
from answered_flow import CAME_BACK, VIA, Line, outcomes

from harness.judge.answers import answers_to, asked, first_asked, unproven
from harness.judge.contacts import flaws
from harness.model.flow import Trouble
from harness.model.plan import Answer
from suites.answering import CANCELLED, LATE_CANCEL, relayed
from suites.uas import test_answers as answers
from suites.uas import test_cancel as cancel

LOWER = 'Via: SIP/2.0/TCP first.test:5070;branch=z9hG4bK-1;X-Odd="a;b";flag'
LOWEST = "Via: SIP/2.0/UDP 192.0.2.44;rport=5099;branch=z9hG4bK-2"


# --- whose response it is


def test_registration_and_cancel_are_no_calls():
    line = Line().ask(-0.1, "REGISTER", call_id="r1", branch="z9hG4bKr").reply(-0.05, 200, cseq="1 REGISTER")
    line.ask().reply(0.01, 180).cancel(0.1).reply(0.11, 200, cseq="1 CANCEL").reply(0.12, 487).ack(0.13)
    (one,) = asked(line.flow())
    assert (one.request.method, one.status, len(one.responses), len(one.acks)) == ("INVITE", 487, 2, 1)
    cancels, came = answers_to(line.flow(), "CANCEL")
    assert (len(cancels), [event.status for event in came]) == (1, [200])


def test_two_calls_with_one_call_id_are_told_apart_by_branch():
    line = Line().ask().reply(0.01, 302).ack(0.02).ask(6.0, branch="z9hG4bKtwo").reply(6.01, 482, branch="z9hG4bKtwo")
    line.ack(6.02, branch="z9hG4bKtwo")
    first, second = asked(line.flow())
    assert (first.status, second.status, len(first.acks), len(second.acks)) == (302, 482, 1, 1)


def test_a_response_without_via_still_belongs_to_its_call():
    one = first_asked(Line().ask().reply(0.01, 603, via=()).flow())
    assert one is not None
    assert one.status == 603


def test_what_may_have_been_missed():
    flow = Line().ask().reply(0.01, 603).flow()
    assert unproven(flow, "caller", flow.watch.closed_at) == ""
    assert "too early" in unproven(flow, "caller", flow.watch.closed_at + 1)
    died = Line().ask().flow(troubles=(Trouble("device", "the device exited"),))
    assert "exited" in unproven(died, "caller", died.watch.closed_at)
    assert "sign of life" in unproven(Line().ask().flow(alive=False), "caller", 1_004.0)
    assert "stopped" in unproven(Line().ask().flow(lost=True), "caller", 1_000.1)


# --- what it repeats

REQUEST = (VIA, LOWER, LOWEST)


@pytest.mark.parametrize(
    ("vias", "outcome"),
    [
        ((CAME_BACK, LOWER, LOWEST), "satisfied"),
        ((VIA, LOWER, LOWEST), "satisfied"),
        ((CAME_BACK, f"{LOWER}, {LOWEST.removeprefix('Via: ')}"), "satisfied"),
        ((CAME_BACK.replace("Via", "v"), LOWER.replace("TCP first", "TCP   first"), LOWEST), "satisfied"),
        ((CAME_BACK, LOWER.replace(";flag", "").replace(";X-Odd", ";flag;X-Odd"), LOWEST), "violated (warn)"),
        ((CAME_BACK, LOWER), "violated"),
        ((CAME_BACK, LOWEST, LOWER), "violated"),
        ((CAME_BACK, LOWER.replace(";flag", ""), LOWEST), "violated"),
        ((CAME_BACK, LOWER, f"{LOWEST};received=127.0.0.1"), "violated"),
    ],
)
def test_vias_come_back_as_they_went(vias, outcome):
    line = Line().ask(via=REQUEST).reply(0.01, 603, via=vias)
    found = outcomes(answers.test_refusal_repeats_what_identifies_the_request(line.flow()))
    assert found == [outcome, "satisfied", "satisfied", "satisfied"]


FROM = '"A B" <sip:caller@127.0.0.8>;tag=f1;x-odd=1;Flag'


@pytest.mark.parametrize(
    ("from_", "outcome"),
    [
        (FROM, "satisfied"),
        (FROM.replace(";tag", " ;tag"), "satisfied"),
        ('"A B" <sip:caller@127.0.0.8>;x-odd=1;Flag;tag=f1', "violated (warn)"),
        ("<sip:caller@127.0.0.8>;tag=f1;x-odd=1;Flag", "violated (warn)"),
        (FROM.replace(";x-odd=1", ""), "violated"),
        (FROM.replace("f1", "f2"), "violated"),
        (FROM.replace("caller", "other"), "violated"),
    ],
)
def test_from_comes_back_as_it_went(from_, outcome):
    line = Line().ask(from_=FROM).reply(0.01, 603, from_=from_)
    assert outcomes(answers.test_refusal_repeats_what_identifies_the_request(line.flow()))[1] == outcome


def test_call_id_and_cseq_come_back_as_they_went():
    judge = answers.test_refusal_repeats_what_identifies_the_request
    assert outcomes(judge(Line().ask().reply(0.01, 603, call_id="c2").flow()))[2:] == ["violated", "satisfied"]
    assert outcomes(judge(Line().ask().reply(0.01, 603, cseq="2 INVITE").flow()))[2:] == ["satisfied", "violated"]


def test_tags():
    tag, one = answers.test_refusal_has_a_to_tag, answers.test_ringing_and_refusal_have_one_tag
    assert outcomes(tag(Line().ask().reply(0.01, 603).flow())) == ["satisfied"]
    assert outcomes(tag(Line().ask().reply(0.01, 603, to_tag="").flow())) == ["violated"]
    assert outcomes(tag(Line().ask().reply(0.01, 200, to_tag="").flow())) == ["unseen"]

    def rings(early: str, final: str) -> Line:
        return Line().ask().reply(0.0, 100).reply(0.01, 180, to_tag=early).reply(0.3, 302, to_tag=final)

    assert outcomes(one(rings("a", "a").flow())) == ["satisfied"]
    assert outcomes(one(rings("a", "b").flow())) == ["violated"]
    assert outcomes(one(rings("", "b").flow())) == ["violated"]
    assert outcomes(one(rings("a", "").flow())) == ["unseen"]
    assert outcomes(one(Line().ask().reply(0.0, 100).reply(0.1, 603).flow())) == ["unseen"]


def test_reasons():
    def judged(*reasons: str) -> list[str]:
        extra = tuple(f"Reason: {reason}" for reason in reasons)
        flow = Line().ask().reply(0.01, 603, extra=extra).flow()
        return outcomes(answers.test_reason_speaks_once_for_each_protocol(flow))

    assert judged() == ["satisfied"]
    assert judged('SIP;cause=603;text="a, b"', "Q.850;cause=21") == ["satisfied"]
    assert judged("SIP;cause=603", "sip ;cause=486") == ["violated"]
    assert judged("SIP;cause=603, Q.850;cause=21, Q.850;cause=17") == ["violated"]
    assert judged("STIR;cause=436, STIR;cause=437") == ["satisfied"], "RFC 9366"


def test_a_message_rings_nowhere():
    judge = answers.test_message_gets_no_provisional_answer

    def message(*early: tuple[float, int], status: int = 302) -> list[str]:
        line = Line().ask(method="MESSAGE")
        for at, code in early:
            line.reply(at, code, cseq="1 MESSAGE")
        return outcomes(judge(line.reply(4.0, status, cseq="1 MESSAGE").flow()))

    assert message() == ["satisfied"]
    assert message((3.6, 100)) == ["satisfied"]
    assert message((0.1, 100)) == ["violated (warn)"]
    assert message((0.1, 180)) == ["violated"]
    assert message((3.6, 100), (3.7, 183)) == ["violated"]
    assert message(status=200) == ["satisfied"]
    assert outcomes(judge(Line().ask(method="MESSAGE").flow())) == ["unseen"]
    silent = Line(relayed(Answer(), method="MESSAGE"), "proxy").ask(method="MESSAGE").request(0.1, "MESSAGE", "callee")
    assert outcomes(judge(silent.flow())) == ["satisfied"]
    assert outcomes(judge(silent.flow(closed=2.0))) == ["unseen"]
    ringing = Line().ask(method="MESSAGE").reply(0.1, 180, cseq="1 MESSAGE")
    assert outcomes(judge(ringing.flow())) == ["violated"], "what comes then does not matter"


# --- CANCEL


def test_a_late_cancel():
    judge = cancel.test_cancel_after_the_refusal_changes_nothing
    assert "proxy" in LATE_CANCEL

    def late() -> Line:
        return Line().ask().reply(0.01, 603).cancel(0.02).ack(0.32)

    assert outcomes(judge(late().reply(0.03, 200, cseq="1 CANCEL").flow())) == ["satisfied"]
    assert outcomes(judge(late().reply(0.03, 481, cseq="1 CANCEL").flow())) == ["violated"]
    trying = late().reply(0.03, 100, cseq="1 CANCEL")
    assert outcomes(judge(trying.flow())) == ["violated"], "a 100 is no answer yet"
    assert outcomes(judge(trying.reply(0.04, 200, cseq="1 CANCEL").flow())) == ["satisfied"]
    ended = late().reply(0.03, 200, cseq="1 CANCEL").reply(0.04, 487)
    assert outcomes(judge(ended.flow())) == ["violated"]
    assert outcomes(judge(late().flow())) == ["violated"]
    assert outcomes(judge(late().flow(alive=False))) == ["unseen"]
    assert outcomes(judge(Line().ask().reply(0.01, 603).ack(0.02).flow())) == ["unseen"]


def test_a_cancelled_call():
    judge = cancel.test_cancelled_call_is_terminated
    assert "redirect" not in CANCELLED

    def cancelled() -> Line:
        return Line().ask().reply(0.01, 180).cancel(0.02)

    accepted = {"cseq": "1 CANCEL"}
    assert outcomes(judge(cancelled().reply(0.03, 200, **accepted).reply(0.04, 487).flow())) == ["satisfied"]
    trying = cancelled().reply(0.03, 100, **accepted).reply(0.035, 200, **accepted).reply(0.04, 487)
    assert outcomes(judge(trying.flow())) == ["satisfied"]
    assert outcomes(judge(cancelled().reply(0.03, 200, **accepted).reply(0.04, 603).flow())) == ["violated"]
    assert outcomes(judge(cancelled().reply(0.03, 200, **accepted).reply(0.04, 302).flow())) == ["violated"]
    assert outcomes(judge(cancelled().reply(0.03, 200, **accepted).flow(closed=5.0))) == ["violated"]
    assert outcomes(judge(cancelled().reply(0.04, 487).flow())) == ["violated"]
    assert outcomes(judge(cancelled().reply(0.03, 481, **accepted).reply(0.04, 487).flow())) == ["violated"]
    assert outcomes(judge(cancelled().reply(0.03, 200, **accepted).reply(0.04, 200).flow())) == ["unseen"]
    assert outcomes(judge(cancelled().flow(closed=5.0, alive=False))) == ["unseen"]
    assert outcomes(judge(Line().ask().reply(0.01, 603).flow())) == ["unseen"]
    crossed = Line().ask().reply(0.01, 180).reply(0.015, 603).cancel(0.02)
    assert outcomes(judge(crossed.flow())) == ["unseen"]


# --- Contacts

GOOD = (
    "<sip:9@h;transport=udp>;q=0.7",
    "sip:9@h;q=0.5;expires=60",
    '"A, <b>" <sip:9@h?Subject=moved>;q=1.000',
    "Bob <sips:9@h.test:5061>",
    "<tel:+1234>",
    "<mailto:a@b.test>",
    "<sip:[::1]:5060;lr>",
    '<sip:9@h>;+sip.instance="<urn:uuid:1>"',
    'sip:9@h;+sip.instance="<urn:uuid:1>"',
    'sip:9@h;q=0.5;note="a;q=7;<b>?"',
    '"Q; <sip:7@h>" <sip:9@h>;note="a;transport=udp, \\"b>"',
    "<sip:9;phone-context=x?y@h>;q=0.5",
)
BAD = (
    "*",
    "sip:9@h;transport=udp;q=0.7",
    "sip:9@h?Subject=moved",
    "<sip:9@h",
    "sip:9@h>",
    "<sip:9@h>;q=1.5",
    "<sip:9@h>;q=high",
    '<sip:9@h>;expires="Thu, 01 Dec 1994 16:00:00 GMT"',
    "<sip:>",
    "<9@h>",
    "<sip:9@h> q=0.5",
    '<sip:9@h>;note="a',
    "<sip:9@h>;=a",
    "a(b) <sip:9@h>",
)


@pytest.mark.parametrize("value", GOOD)
def test_a_contact_that_can_be_read(value):
    assert flaws(value) == ()


@pytest.mark.parametrize("value", BAD)
def test_a_contact_that_cannot(value):
    assert flaws(value)
