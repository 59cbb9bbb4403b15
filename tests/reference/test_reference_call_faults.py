"""The faults in how a call goes on and ends: what each decides, and what the right device decides."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.devices.reference.behaviour import Behaviour
from harness.devices.reference.faults import fault_named
from harness.devices.reference.misbehaviour import behaviour_with
from harness.devices.reference.wire import Final, InboundResponse, OutboundRequest, OutboundResponse

HERE, THERE, OLD = ("127.0.0.1", 5060), ("127.0.0.2", 5060), ("127.0.0.3", 5060)
BUSY, BUSY_EVERYWHERE, MOVED = Final(486, "Busy"), Final(600, "Busy"), Final(302, "Moved")
_FIELDS = (("Via", "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKa"), ("Call-ID", "c1"))


def _request(method: str) -> OutboundRequest:
    return OutboundRequest(method, "sip:t@127.0.0.2", (*_FIELDS, ("CSeq", f"5 {method}")), b"", THERE)


def _after_a_redirection(device: Behaviour) -> Behaviour:
    target = SimpleNamespace(redirection=SimpleNamespace(source=OLD), contact=SimpleNamespace(uri="sip:t@127.0.0.2"))
    device.redirected(_request("INVITE"), _request("INVITE"), cast(Any, target))
    return device


def _redial_after_ringing(device: Behaviour) -> object:
    response = cast(InboundResponse, SimpleNamespace(code=180, call_id="c1"))
    device.hears(response)
    return device.redial(Final(603, "Decline", response))


def _relayed(device: Behaviour) -> object:
    response = OutboundResponse(302, "Moved", (("Contact", "<sip:a@127.0.0.4>"),), b"", HERE)
    return device.upstream(response, cast(Any, None), HERE).fields


DECISIONS: dict[str, Callable[[Behaviour], object]] = {
    "redials_after_ringing": lambda device: _redial_after_ringing(device) is None,
    "repeats_cseq_in_dialog": lambda device: device.in_dialog(_request("BYE")).field("CSeq"),
    "answers_bye_500": lambda device: device.remote_sequence(1, BUSY),
    "hangs_on_dead_302": lambda device: device.told(MOVED, "sip:a@127.0.0.4", HERE) is None,
    "loses_200": lambda device: device.passes_on(redirected=True),
    "ends_one_leg": lambda device: device.ends_other_leg(by_callee=True),
    "asks_the_same_leg": lambda device: device.asks_other_leg,
    "cancels_with_new_branch": lambda device: device.cancel(_request("CANCEL")).branch,
    "cancels_after_4xx": lambda device: device.ends_search(BUSY, recursed=False),
    "drops_ack_of_200": lambda device: device.forwards_ack,
    "relays_302_without_contact": _relayed,
    "answers_message_481": lambda device: device.misses_dialog,
    "ignores_cancel": lambda device: device.answers_cancel,
}


@pytest.mark.parametrize("fault", DECISIONS)
def test_fault_decides_otherwise(fault: str) -> None:
    decide = DECISIONS[fault]
    assert decide(behaviour_with([fault_named(fault)])) != decide(Behaviour())


def test_what_a_redirection_costs() -> None:
    silent = _after_a_redirection(behaviour_with([fault_named("no_ack_of_redirected_200")]))
    assert silent.acknowledge_answer(_request("ACK")) is None
    astray = _after_a_redirection(behaviour_with([fault_named("byes_to_redirector")]))
    where = [astray.in_dialog(_request(method)).destination for method in ("BYE", "INVITE", "UPDATE")]
    assert where == [OLD, OLD, THERE]


def test_the_route_of_a_dialog() -> None:
    routed = _request("BYE").with_fields((("Route", "<sip:p.test;lr>"),))
    right, forgetful, early = (
        behaviour_with([fault_named(name)] if name else [])
        for name in ("", "forgets_route_set", "keeps_route_of_ringing")
    )
    rang = SimpleNamespace(code=180, to_tag="t", call_id=routed.field("Call-ID"), values=lambda _: ("<a>", "<b>"))
    early.hears(cast(InboundResponse, rang))
    for send in ("in_dialog", "acknowledge_answer"):
        sent = [getattr(device, send)(routed).fields for device in (right, forgetful, early)]
        assert sent[0] == routed.fields
        assert not [value for name, value in sent[1] if name == "Route"]
        assert [value for name, value in sent[2] if name == "Route"] == ["<b>", "<a>"]


def test_a_route_is_not_repeated_to_the_caller() -> None:
    wrong = behaviour_with([fault_named("answers_without_record_route")])
    lines = b"X: 1\r\nRecord-Route: <sip:p.test;lr>\r\nrecord-route: <sip:q.test;lr>\r\nTo: x\r\n\r\n"
    assert wrong.worded(b"SIP/2.0 200 OK\r\n" + lines, HERE) == ((b"SIP/2.0 200 OK\r\nX: 1\r\nTo: x\r\n\r\n", HERE),)
    assert wrong.worded(b"INVITE x SIP/2.0\r\n" + lines, HERE) == ((b"INVITE x SIP/2.0\r\n" + lines, HERE),)


def test_a_reinvite_is_refused_in_the_call_that_it_is_about_alone() -> None:
    lost = _after_a_redirection(behaviour_with([fault_named("loses_dialog_of_target")]))
    pending = behaviour_with([fault_named("stays_pending_after_refusal")])
    pending.remote_sequence(1, Final(603, "Decline", cast(InboundResponse, SimpleNamespace(call_id="c1"))))
    for wrong, status in ((lost, b"SIP/2.0 481"), (pending, b"SIP/2.0 491")):
        told = [
            wrong.worded(b"SIP/2.0 200 OK\r\nCall-ID: %b\r\nCSeq: 1 %b\r\n\r\n" % (call, method), HERE)[0][0][:11]
            for call, method in ((b"c1", b"INVITE"), (b"c2", b"INVITE"), (b"c1", b"BYE"))
        ]
        assert told == [status, b"SIP/2.0 200", b"SIP/2.0 200"]


def test_a_route_is_recorded_without_brackets() -> None:
    wrong = behaviour_with([fault_named("records_without_brackets")])
    head = b"INVITE x SIP/2.0\r\nRecord-Route: "
    sent = wrong.worded(head + b"<sip:p.test;lr>\r\nTo: <sip:x>\r\n\r\n", HERE)
    assert sent == ((head + b"sip:p.test;lr\r\nTo: <sip:x>\r\n\r\n", HERE),)


def test_ringing_alone_makes_the_difference() -> None:
    device = behaviour_with([fault_named("redials_after_ringing")])
    assert device.redial(Final(603, "Decline")) is None
    assert device.ends_search(BUSY_EVERYWHERE, recursed=False)
