"""The account: what each message of a hand-made flow is put down to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from refused_flow import START, URI, Wire, declined

from harness.judge.account.entry import Unexplained
from harness.judge.account.replay import account
from harness.judge.silence import UNKNOWN_CALL, gap
from harness.model.flow import Event, Flow
from harness.model.plan import Answer, Endpoint, Plan, Response
from suites.invariants import test_account as rules

TARGET = "sip:9@127.0.0.3:5060"
TWO = Plan(
    (
        Endpoint("callee", "callee", (Answer((Response(302, contacts=("<sip:9@{target}>",)),)),)),
        Endpoint("target", "target", (Answer((Response(200),)),)),
    )
)


def phrases(flow: Flow) -> list[str]:
    known = account(flow)
    return [known.phrase(event.number) for event in (*flow.events, *flow.late) if event.from_device]


def codes(flow: Flow) -> list[tuple[int, str, bool]]:
    return [(number, entry.code, entry.elsewhere) for number, entry in account(flow).unexplained()]


def redirected(*, again: str = TARGET) -> Wire:
    wire = Wire(TWO).invite().answer(0.01, 302, extra=(f"Contact: <{TARGET}>",)).ack(0.02)
    return wire.invite(0.03, uri=again, seat="target", branch="z9hG4bKtwo", cseq="2 INVITE")


def test_a_declined_call_has_its_causes() -> None:
    assert phrases(declined().flow()) == ["call 1, which the device was asked for", "ACK of the 603 (message 2)"]


def test_a_contact_is_the_cause_of_the_next_invite() -> None:
    assert phrases(redirected().flow())[2] == "to the Contact of message 2"


def test_a_contact_that_nobody_gave_is_none() -> None:
    assert codes(redirected(again="sip:8@127.0.0.3:5060").flow()) == [(4, "target-unknown", False)]


def test_a_second_try_of_one_contact_is_left_to_its_rule() -> None:
    wire = redirected().answer(0.04, 404, seat="target", branch="z9hG4bKtwo", cseq="2 INVITE")
    wire.ack(0.05, uri=TARGET, seat="target", branch="z9hG4bKtwo", cseq="2 ACK")
    wire.invite(0.3, uri=TARGET, seat="target", branch="z9hG4bKthree", cseq="3 INVITE")
    flow = wire.flow()
    assert codes(flow) == [(7, "target-tried", True)]
    assert [finding.outcome for finding in rules.test_every_message_has_a_cause(flow)] == ["satisfied"]


@pytest.mark.parametrize(
    ("role", "again", "at", "said"),
    [
        ("proxy", 10.0, 10.01, "passes on the copy, message 7"),
        ("proxy", 10.0, 14.0, "unexplained: copy of message 5 after the ACK (message 6)"),
        ("proxy", None, 10.01, "unexplained: copy of message 5 after the ACK (message 6)"),
        ("b2bua", 10.0, 10.01, "unexplained: copy of message 5 after the ACK (message 6)"),
    ],
    ids=["passed on", "long after it", "by itself", "by one that ends calls"],
)
def test_a_proxy_without_transaction_passes_a_copy_of_a_refusal_on(
    role: str, again: float | None, at: float, said: str
) -> None:
    """Copies to a caller that has acknowledged are another rule's; that one spares what was passed on as well."""
    upstream: dict[str, object] = {"seat": "caller", "branch": "z9hG4bKup"}
    wire = Wire(role=role).invite(0.0, sent=True, **upstream).invite(0.01).answer(0.02, 603).ack(0.03)
    for sent_at, line in ((0.04, "SIP/2.0 603 Text"), (at, "SIP/2.0 603 Text")):
        wire.say(sent_at, line, to_tag="t1", **upstream)  # type: ignore[arg-type]
    wire.ack(0.05, sent=True, **upstream)
    flow = (wire.answer(again, 603) if again else wire).flow()
    assert phrases(flow)[-1] == said


@pytest.mark.parametrize(("at", "code"), [(0.005, ""), (0.5, ""), (1.5, "copy-after-response")])
def test_a_copy_is_sent_until_a_response_is_there(at: float, code: str) -> None:
    flow = Wire().invite().invite(at).answer(1.0, 603).ack(2.0).flow()
    copy = next(event for event in flow.events[1:] if event.method == "INVITE")
    if code:
        assert codes(flow) == [(copy.number, code, True)]
    else:
        assert account(flow).phrase(copy.number) == "copy of message 1 (Timer A)"


def test_every_copy_of_a_refusal_causes_one_ack() -> None:
    flow = declined().answer(0.5, 603).ack(0.51).ack(0.6).flow()
    assert phrases(flow)[1:] == [
        "ACK of the 603 (message 2)",
        "ACK of the copy, message 4",
        "unexplained: ACK of the 603 (message 2) once more, for no copy of it",
    ]


def test_a_challenge_is_answered_once() -> None:
    wire = Wire().invite().answer(0.01, 407).ack(0.02)
    wire.invite(0.03, branch="z9hG4bKtwo", cseq="2 INVITE", extra=("Proxy-Authorization: Digest x",))
    assert phrases(wire.flow())[2] == "again, with credentials, after the 407 (message 2)"
    wire.answer(0.04, 403, branch="z9hG4bKtwo", cseq="2 INVITE").ack(0.05, branch="z9hG4bKtwo", cseq="2 ACK")
    wire.invite(0.06, branch="z9hG4bKthree", cseq="3 INVITE", extra=("Proxy-Authorization: Digest x",))
    assert [code for _, code, _ in codes(wire.flow())] == ["target-tried"]


def test_a_call_after_a_decline_is_left_to_its_rule() -> None:
    # So soon after the 603, the ACK is what shows that the device has read it.
    flow = declined().invite(0.05, branch="z9hG4bKtwo", cseq="2 INVITE").flow()
    assert codes(flow) == [(4, "call-after-6xx", True)]


@pytest.mark.parametrize("method", ["OPTIONS", "REGISTER", "SUBSCRIBE", "PUBLISH"])
def test_what_devices_send_by_themselves_is_explained(method: str) -> None:
    assert not codes(declined().request(1.0, method, branch="z9hG4bKown", call_id="own").flow())


def test_a_message_that_nobody_asked_for_is_shown() -> None:
    flow = declined().request(1.0, "MESSAGE", branch="z9hG4bKown", call_id="own").flow()
    [finding, satisfied] = rules.test_every_message_has_a_cause(flow)
    assert (finding.code, finding.event) == ("unexplained-request-unasked", 4)
    assert satisfied.outcome == "satisfied"


def answered() -> Wire:
    return Wire().invite().answer(0.01, 200).ack(0.02, branch="z9hG4bKack")


@pytest.mark.parametrize("method", ["UPDATE", "INFO", "BYE", "NOTIFY"])
def test_a_dialog_explains_what_happens_in_it(method: str) -> None:
    flow = answered().request(0.5, method, branch="z9hG4bKin", to_tag="t1").flow()
    assert phrases(flow)[2] == f"{method} in the dialog of message 2"


def test_a_session_refresh_is_part_of_its_dialog() -> None:
    flow = answered().invite(0.5, branch="z9hG4bKre", cseq="2 INVITE", to_tag="t1").flow()
    assert phrases(flow)[2] == "re-INVITE in the dialog of message 2"


def test_a_dialog_that_is_over_explains_nothing() -> None:
    wire = answered().request(0.5, "BYE", branch="z9hG4bKbye", to_tag="t1")
    flow = wire.request(1.0, "INFO", branch="z9hG4bKlate", to_tag="t1").flow()
    assert codes(flow) == [(5, "dialog-over", False)]


def test_a_cancel_needs_a_reason() -> None:
    flow = Wire().invite().answer(0.01, 180).say(0.5, f"CANCEL {URI} SIP/2.0", cseq="1 CANCEL").flow()
    assert codes(flow) == [(3, "cancel-unasked", True)]


def test_a_response_to_nothing_is_shown() -> None:
    flow = declined().say(0.5, "SIP/2.0 200 OK", cseq="7 INFO", branch="z9hG4bKwhat").flow()
    assert codes(flow) == [(4, "answer-to-nothing", False)]


def with_late(flow: Flow, *late: Event) -> Flow:
    first = len(flow.events) + 1
    return replace(flow, late=tuple(replace(event, number=first + at) for at, event in enumerate(late)))


def test_a_call_that_comes_when_all_is_over_is_reported() -> None:
    late = Wire().invite(8.0, branch="z9hG4bKtwo", call_id="c2").flow().events
    [finding] = rules.test_no_call_comes_when_its_drive_is_over(with_late(declined().flow(), *late))
    assert finding.code == "calls-when-over"
    assert "a call arrived after the window of 40 s, 8.0 s after the last final response" in finding.actual
    assert "after the 603 (message 2) had ended the search" in finding.actual


def test_a_late_copy_is_no_call() -> None:
    flow = declined().flow()
    assert not list(rules.test_no_call_comes_when_its_drive_is_over(with_late(flow, flow.events[0])))
    assert not list(rules.test_no_call_comes_when_its_drive_is_over(flow))


def test_a_call_to_an_unknown_number_leaves_silence_unproven() -> None:
    stray = replace(Wire().invite(2.0, uri="sip:0@127.0.0.2", call_id="c9").flow().events[0], seat="exchange")
    flow = replace(declined().flow(), strays=(stray,))
    missing = gap(flow, ("callee",))
    assert missing is not None
    assert missing.code == UNKNOWN_CALL
    [finding] = rules.test_every_call_belongs_to_a_drive(flow)
    assert finding.code == "call-to-unknown-number"
    before = replace(stray, time=START - 1)
    assert gap(replace(flow, strays=(before,)), ("callee",)) is None


def test_every_message_of_the_device_has_an_entry() -> None:
    flow = redirected().flow()
    assert list(account(flow).entries) == [event.number for event in flow.events if event.from_device]
    assert not any(isinstance(entry, Unexplained) for entry in account(flow).entries.values())
