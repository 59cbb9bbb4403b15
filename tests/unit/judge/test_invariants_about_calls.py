"""What the invariants about calls say of flows by hand: the break, its lawful neighbour, nothing without cause."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from harness.model.connection import Connection
from harness.model.finding import Finding
from harness.model.flow import Flow
from harness.model.plan import Call, Plan
from suites.invariants import (
    test_after_6xx,
    test_cancels,
    test_dialogs,
    test_final_response,
    test_forwarding,
    test_glare,
    test_targets,
    test_upstream,
)
from suites.plans import MOVED, accept, callee, redirect, target
from suites.proxy import _plans as plans
from tests.unit.judge.answered_flow import Line, outcomes
from tests.unit.judge.proxy_flow import ProxyWire
from tests.unit.judge.refused_flow import Wire, declined

TARGET = "sip:97001@127.0.0.3:5060"
_OWN_VIA = re.compile(r"Via: SIP/2\.0/[^;]*;")
REDIRECTED = plans.bound(callee(redirect(MOVED)), target(accept()))
CONTACT = (f"Contact: <{TARGET}>",)


def codes(findings: Iterable[Finding]) -> list[str]:
    """The codes of what was found, each once; ``as-required`` for what is right."""
    return list(dict.fromkeys(finding.code for finding in findings))


# --- after a 6xx


@pytest.mark.parametrize("status", [600, 603, 604, 606, 607, 608, 699])
def test_call_again_after_a_6xx_that_follows_a_180(status: int) -> None:
    wire = Wire().invite().answer(0.02, 180).answer(0.3, status).ack(0.31)
    wire.invite(1.31, call_id="c2", branch="z9hG4bKtwo").answer(1.32, status, call_id="c2", branch="z9hG4bKtwo")
    assert codes(test_after_6xx.test_no_call_again_after_any_6xx(wire.flow())) == ["called-again", "as-required"]


def test_second_call_of_the_user_is_no_call_again() -> None:
    wire = declined().invite(3.0, call_id="c2", branch="z9hG4bKtwo")
    wire.answer(3.1, 603, call_id="c2", branch="z9hG4bKtwo").ack(3.2, call_id="c2", branch="z9hG4bKtwo")
    flow = wire.flow(calls=(-0.1, 2.9))
    assert codes(test_after_6xx.test_no_call_again_after_any_6xx(flow)) == ["as-required"]


def test_invite_that_crossed_the_6xx_is_none() -> None:
    wire = Wire().invite().answer(0.01, 603).invite(0.011, branch="z9hG4bKtwo", cseq="2 INVITE").ack(0.012)
    assert codes(test_after_6xx.test_no_call_again_after_any_6xx(wire.flow())) == ["as-required"]


@pytest.mark.parametrize(("at", "code"), [(1.0, "called-again"), (3.1, "as-required")])
def test_retry_after_allows_later(at: float, code: str) -> None:
    wire = Wire().invite().answer(0.01, 603, extra=("Retry-After: 3 (later)",)).ack(0.02)
    wire.invite(at, call_id="c2", branch="z9hG4bKtwo").answer(at + 0.1, 486, call_id="c2", branch="z9hG4bKtwo")
    assert codes(test_after_6xx.test_no_call_again_after_any_6xx(wire.flow())) == [code]


def test_fork_that_leaves_at_once_is_one_step() -> None:
    wire = ProxyWire(plans.FORK_DECLINE).asks().calls(0.01, "callee").says(0.012, "callee", 603)
    wire.acks(0.0125, "callee").calls(0.013, "second").says(0.1, "second", 486)
    assert codes(test_after_6xx.test_no_new_branch_after_any_6xx(wire.flow())) == ["as-required"]
    wire.calls(0.5, "third")
    assert codes(test_after_6xx.test_no_new_branch_after_any_6xx(wire.flow())) == ["branch-after-6xx"]


@pytest.mark.parametrize(("opened", "code"), [(0.3, "as-required"), (0.52, "branch-after-6xx")])
def test_invite_whose_connection_was_being_opened_when_the_6xx_came(opened: float, code: str) -> None:
    """A TLS handshake takes its time on a busy machine; the branch was begun before."""
    wire = ProxyWire(plans.FORK_DECLINE).asks().calls(0.01, "callee").says(0.5, "callee", 603)
    flow = wire.acks(0.51, "callee").calls(0.56, "second").flow()
    here = flow.seat("second").address
    peer, began = replace(here, port=40000), next(one for one in flow.events if one.seat == "callee").time - 0.01
    line = Connection(here, peer, "device", began + opened, established_at=began + 0.559)
    seats = tuple(replace(one, connections=(line,)) if one.name == "second" else one for one in flow.seats)
    events = tuple(replace(one, source=peer, destination=here) if one.seat == "second" else one for one in flow.events)
    judged = test_after_6xx.test_no_new_branch_after_any_6xx(replace(flow, seats=seats, events=events))
    assert codes(judged) == [code]


# --- targets


def _hunt() -> Wire:
    wire = Wire().invite().answer(0.01, 302, extra=CONTACT).ack(0.02)
    return wire.invite(0.03, uri=TARGET, branch="z9hG4bKtwo", cseq="2 INVITE")


def test_target_that_failed_503_is_not_tried_again() -> None:
    wire = _hunt().answer(0.1, 503, branch="z9hG4bKtwo", cseq="2 INVITE")
    wire.invite(0.2, uri=TARGET, branch="z9hG4bKthree", cseq="3 INVITE")
    assert codes(test_targets.test_each_target_is_tried_once(wire.flow())) == ["as-required", "target-tried-again"]


def test_request_with_credentials_is_another_one() -> None:
    wire = _hunt().answer(0.1, 407, branch="z9hG4bKtwo", cseq="2 INVITE")
    wire.invite(0.2, uri=TARGET, branch="z9hG4bKthree", cseq="3 INVITE", extra=("Proxy-Authorization: Digest x",))
    assert codes(test_targets.test_each_target_is_tried_once(wire.flow())) == ["as-required"]


def test_number_and_branch_of_the_invite_before() -> None:
    wire = Wire().invite().answer(0.01, 302, extra=CONTACT).ack(0.02).invite(0.03, uri=TARGET, branch="z9hG4bKtwo")
    assert codes(test_targets.test_cseq_rises_from_one_invite_to_the_next(wire.flow())) == ["cseq-not-raised"]
    wire = Wire().invite().answer(0.01, 302, extra=CONTACT).ack(0.02).invite(0.03, uri=TARGET, cseq="2 INVITE")
    assert codes(test_targets.test_cseq_rises_from_one_invite_to_the_next(wire.flow())) == ["as-required"]
    assert codes(test_targets.test_each_transaction_has_a_branch_of_its_own(wire.flow())) == [
        "as-required",
        "branch-reused",
    ]


# --- dialogs


def _answered() -> Wire:
    wire = Wire().invite().answer(0.1, 200, extra=("Contact: <sip:peer@127.0.0.2:5060>",))
    return wire.say(0.11, "ACK sip:peer@127.0.0.2:5060 SIP/2.0", to_tag="t1", cseq="1 ACK", branch="z9hG4bKack")


@pytest.mark.parametrize(("own", "code"), [(None, "nothing-pending"), (0.9, "as-required")])
def test_491_says_that_another_invite_is_pending(own: float | None, code: str) -> None:
    """``own``: when the device has sent a re-INVITE itself, which crosses that of the tester."""
    asked = {"from_": "<sip:7001@127.0.0.2>;tag=t1", "to_tag": "f1", "cseq": "1 INVITE", "branch": "z9hG4bKours"}
    wire = _answered()
    if own:
        more = {"to_tag": "t1", "cseq": "2 INVITE", "branch": "z9hG4bKtheirs"}
        wire.say(own, "INVITE sip:peer@127.0.0.2:5060 SIP/2.0", **more)
    wire.say(1.0, "INVITE sip:device@127.0.0.9 SIP/2.0", sent=True, **asked)
    wire.say(1.1, "SIP/2.0 491 Request Pending", **asked)
    assert codes(test_glare.test_491_is_answered_while_another_request_is_pending(wire.flow())) == [code]


def test_bye_of_the_tester_is_answered_500() -> None:
    from_tester = {"from_": "<sip:7001@127.0.0.2>;tag=t1", "to_tag": "f1", "cseq": "1 BYE", "branch": "z9hG4bKours"}
    wire = _answered().say(1.0, "BYE sip:device@127.0.0.9 SIP/2.0", sent=True, **from_tester)
    wire.say(1.1, "SIP/2.0 500 Server Internal Error", **from_tester)
    judge = test_dialogs.test_our_requests_in_a_dialog_are_answered
    assert codes(judge(wire.flow())) == ["bye-refused"]


@pytest.mark.parametrize(("at", "said"), [(1.1, []), (6.0, ["unanswered-in-dialog"])])
def test_a_bye_of_the_device_answers_no_request_that_had_waited_for_long(at: float, said: list[str]) -> None:
    asked = {"from_": "<sip:7001@127.0.0.2>;tag=t1", "to_tag": "f1", "cseq": "1 INVITE", "branch": "z9hG4bKours"}
    wire = _answered().say(1.0, "INVITE sip:device@127.0.0.9 SIP/2.0", sent=True, **asked)
    wire.say(at, "BYE sip:peer@127.0.0.2:5060 SIP/2.0", to_tag="t1", cseq="2 BYE", branch="z9hG4bKbye")
    assert codes(test_dialogs.test_our_requests_in_a_dialog_are_answered(wire.flow(closed=60.0))) == said


@pytest.mark.parametrize(
    ("acked", "ended", "said"),
    [
        (0.13, 0.3, ["as-required"]),
        (0.13, 3.0, ["other-leg-stays"]),
        (2.9, 3.0, ["as-required"]),  # it has to wait for the ACK of its 2xx (15)
        (2.9, None, ["other-leg-stays"]),
        (None, None, []),
    ],
)
def test_bye_of_the_callee_ends_the_callers_leg(acked: float | None, ended: float | None, said: list[str]) -> None:
    up = {"seat": "caller", "call_id": "up"}
    wire = Wire(role="b2bua").say(-0.05, "INVITE sip:7001@127.0.0.9 SIP/2.0", sent=True, branch="z9hG4bKup", **up)
    wire.invite().answer(0.1, 200, extra=("Contact: <sip:peer@127.0.0.2:5060>",))
    wire.say(0.11, "ACK sip:peer@127.0.0.2:5060 SIP/2.0", to_tag="t1", cseq="1 ACK", branch="z9hG4bKack")
    wire.say(0.12, "SIP/2.0 200 OK", to_tag="d1", branch="z9hG4bKup", **up)
    if acked:
        line = "ACK sip:device@127.0.0.9 SIP/2.0"
        wire.say(acked, line, sent=True, to_tag="d1", cseq="1 ACK", branch="z9hG4bKupack", **up)
    from_tester = {"from_": "<sip:7001@127.0.0.2>;tag=t1", "to_tag": "f1", "cseq": "1 BYE", "branch": "z9hG4bKours"}
    wire.say(0.2, "BYE sip:device@127.0.0.9 SIP/2.0", sent=True, **from_tester)
    if ended:
        bye = {"from_": "<sip:7001@127.0.0.9>;tag=d1", "to_tag": "f1", "cseq": "1 BYE", "branch": "z9hG4bKbye"}
        wire.say(ended, "BYE sip:caller@127.0.0.5 SIP/2.0", **bye, **up)
    assert codes(test_dialogs.test_what_ends_one_leg_ends_the_other(wire.flow(closed=60.0))) == said


def test_bye_that_the_tester_sent_by_the_wrong_transport() -> None:
    from_tester = {"from_": "<sip:7001@127.0.0.2>;tag=t1", "to_tag": "f1", "cseq": "1 BYE", "branch": "z9hG4bKours"}
    judge = test_dialogs.test_our_requests_in_a_dialog_are_answered
    for uri, said in (("sip:device@127.0.0.9", ["unanswered-in-dialog"]), ("sip:device@127.0.0.9;transport=TCP", [])):
        wire = _answered().say(1.0, f"BYE {uri} SIP/2.0", sent=True, **from_tester)
        assert codes(judge(wire.flow(closed=60.0))) == said


def test_bye_to_another_uri_and_bye_without_dialog() -> None:
    wire = _answered().say(1.0, "BYE sip:7001@127.0.0.4 SIP/2.0", to_tag="t1", cseq="2 BYE", branch="z9hG4bKbye")
    assert "other-request-uri" in codes(test_dialogs.test_requests_of_a_dialog_go_to_its_peer(wire.flow()))
    wire = declined().say(1.0, "BYE sip:7001@127.0.0.2 SIP/2.0", to_tag="t1", cseq="2 BYE", branch="z9hG4bKbye")
    assert codes(test_dialogs.test_requests_of_a_dialog_are_sent_in_one(wire.flow())) == ["request-without-dialog"]


def test_200_without_an_ack() -> None:
    wire = Wire().invite().answer(0.1, 200)
    assert codes(test_dialogs.test_every_2xx_is_acknowledged(wire.flow())) == ["2xx-not-acked"]
    assert codes(test_dialogs.test_every_2xx_is_acknowledged(_answered().flow())) == ["as-required"]
    # What comes after a refusal is dropped.
    assert codes(test_dialogs.test_every_2xx_is_acknowledged(declined().answer(0.5, 200, to_tag="t2").flow())) == []


# --- CANCEL


def _fork() -> ProxyWire:
    return ProxyWire(plans.FORK_STORED).asks().calls(0.01, "callee").calls(0.01, "second").says(0.1, "callee", 180)


@pytest.mark.parametrize(("status", "code"), [(486, "cancel-without-cause"), (603, "as-required")])
def test_what_ends_a_fork(status: int, code: str) -> None:
    wire = _fork().says(0.2, "second", status).cancels(0.21, "callee")
    assert codes(test_cancels.test_each_cancel_has_a_cause(wire.flow())) == [code]


def test_cancel_before_any_response() -> None:
    wire = ProxyWire(plans.FORK_STORED).asks().calls(0.01, "callee").calls(0.01, "second")
    wire.says(0.2, "second", 603).cancels(0.21, "callee")
    assert codes(test_cancels.test_only_what_is_pending_is_cancelled(wire.flow())) == ["cancel-too-early"]


@pytest.mark.parametrize(
    ("sent_by", "code"),
    [
        ("UDP 127.0.0.9:5060", "as-required"),
        ("UDP 127.0.0.9", "as-required"),
        ("UDP 127.0.0.7:5060", "cancel-differs"),
        ("UDP 127.0.0.9:5070", "cancel-differs"),
        ("WSS 127.0.0.9:5060", "cancel-differs"),
    ],
)
def test_via_of_a_cancel(sent_by: str, code: str) -> None:
    flow = _fork().says(0.2, "second", 603).cancels(0.21, "callee").flow()
    invite = next(event for event in flow.events if event.method == "INVITE" and event.seat == "callee")
    raw = _OWN_VIA.sub(f"Via: SIP/2.0/{sent_by};", invite.raw, count=1).replace("INVITE", "CANCEL")
    events = tuple(replace(event, raw=raw) if event.method == "CANCEL" else event for event in flow.events)
    judged = test_cancels.test_each_cancel_matches_an_invite(replace(flow, events=events))
    assert codes(judged) == [code]


def test_cancel_of_the_caller_without_answer() -> None:
    wire = _fork().hangs_up(0.5, answered=0)
    assert codes(test_cancels.test_our_cancel_is_answered(wire.flow())) == ["cancel-unanswered"]
    assert codes(test_cancels.test_our_cancel_is_answered(_fork().hangs_up(0.5).flow())) == ["as-required"]


# --- what the caller gets


@pytest.mark.parametrize(
    ("status", "code"),
    [(603, "as-required"), (486, "6xx-shown-as-4xx"), (503, "6xx-shown-as-5xx"), (302, "6xx-shown-as-3xx")],
)
def test_6xx_at_the_caller(status: int, code: str) -> None:
    wire = ProxyWire(plans.RECURSION_DECLINED).asks().calls(0.01, "callee").says(0.1, "callee", 607).tells(0.2, status)
    assert codes(test_upstream.test_proxy_relays_a_6xx_as_one(wire.flow())) == [code]


@pytest.mark.parametrize(
    ("contact", "code"),
    [
        ("<sip:97001@127.0.0.3:5060>;q=0.5", "as-required"),
        ("<sip:97001@127.0.0.9>", "contacts-rewritten"),
        ("", "contacts-lost"),
    ],
)
def test_contacts_of_a_relayed_redirection(contact: str, code: str) -> None:
    wire = ProxyWire(REDIRECTED).asks().calls(0.01, "callee").says(0.1, "callee", 302, *CONTACT)
    wire.tells(0.2, 302, *([f"Contact: {contact}"] if contact else []))
    assert codes(test_upstream.test_relayed_redirection_of_a_proxy_leads_where_it_led(wire.flow())) == [code]


def test_caller_without_a_final_response() -> None:
    wire = ProxyWire(REDIRECTED).asks().calls(0.01, "callee").says(0.1, "callee", 302, "Contact: <mailto:a@b.test>")
    assert codes(test_final_response.test_every_caller_gets_a_final_response(wire.flow())) == ["no-final-response"]
    ringing = ProxyWire(REDIRECTED).asks().calls(0.01, "callee").says(0.1, "callee", 180)
    assert codes(test_final_response.test_every_caller_gets_a_final_response(ringing.flow())) == []


def test_a_number_that_rings_for_ever() -> None:
    def said(number: str, **more: object) -> list[str]:
        plan = Plan((), (Call(to=f"{{{number}}}"),))
        line = Line(plan).ask().reply(0.1, 180)
        return outcomes(test_final_response.test_every_caller_gets_a_final_response(line.flow(**more)))  # type: ignore[arg-type]

    assert said("rings_then_declines", closed=36.0) == ["violated (warn)"]
    assert said("rings_then_declines", closed=30.0) == [], "it may yet decide"
    assert said("rings_then_declines", closed=36.0, alive=False) == []
    assert said("rings", closed=36.0) == []


def test_a_proxy_that_says_100_and_nothing_more() -> None:
    wire = ProxyWire(REDIRECTED).asks().tells(0.01, 100)
    judge = test_final_response.test_every_caller_gets_a_final_response
    assert codes(judge(wire.flow(closed=30.0))) == []
    assert codes(judge(wire.flow(closed=40.0))) == ["no-final-response"]


def test_message_outside_of_a_dialog() -> None:
    wire = ProxyWire(plans.RECURSION_MESSAGE).asks(method="MESSAGE").tells(0.1, 481, method="MESSAGE")
    assert codes(test_final_response.test_481_is_for_requests_in_a_dialog(wire.flow())) == ["481-without-dialog"]


def test_2xx_that_a_proxy_keeps() -> None:
    wire = ProxyWire(plans.FORK_ANSWER).asks().calls(0.01, "callee").says(0.1, "callee", 200).tells(0.2, 603)
    assert codes(test_forwarding.test_proxy_forwards_every_2xx(wire.flow())) == ["2xx-not-forwarded"]


def test_2xx_that_a_proxy_empties() -> None:
    contact = "Contact: <sip:callee@127.0.0.2>"
    wire = ProxyWire(plans.FORK_ANSWER).asks().calls(0.01, "callee").says(0.1, "callee", 200, contact)
    judge = test_forwarding.test_proxy_forwards_every_2xx
    assert codes(judge(wire.tells(0.2, 200, contact, tag="callee").flow())) == ["as-required"]
    wire = (
        ProxyWire(plans.FORK_ANSWER)
        .asks()
        .calls(0.01, "callee")
        .says(0.1, "callee", 200, contact)
        .tells(0.2, 200, tag="callee")
    )
    assert codes(judge(wire.flow())) == ["2xx-emptied"]


INVARIANTS: list[Callable[[Flow], Iterable[Finding]]] = [
    test_after_6xx.test_no_call_again_after_any_6xx,
    test_cancels.test_each_cancel_matches_an_invite,
    test_dialogs.test_requests_of_a_dialog_are_sent_in_one,
    test_final_response.test_every_caller_gets_a_final_response,
    test_forwarding.test_proxy_forwards_what_belongs_to_a_dialog,
    test_targets.test_each_target_is_tried_once,
    test_upstream.test_b2bua_reports_a_6xx_as_one,
]


@pytest.mark.parametrize("judge", INVARIANTS)
def test_nothing_is_said_without_an_occasion(judge: Callable[[Flow], Iterable[Finding]]) -> None:
    assert codes(judge(Wire().flow(calls=()))) == []
