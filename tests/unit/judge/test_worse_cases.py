"""The one case of a row that is worse than the rest of it, and the judges that the reference device cannot fail."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import pytest
from redirect_flow import Try, drive, outcomes
from refused_flow import Wire, declined
from refused_flow import outcomes as said

from harness.judge.redirection import redirected
from harness.model.finding import Finding
from harness.model.flow import Control
from harness.model.verdict import Verdict
from harness.net.address import Address
from suites.b2bua import test_what_the_caller_learns as learns
from suites.plans import REDIRECT
from suites.transaction import test_ack as ack
from suites.transaction import test_copies as copies
from suites.uac import _plans as plans
from suites.uac import test_decline_is_final as final
from suites.uac import test_redirect_hunts as hunts
from suites.uac import test_redirect_request_uri as uri
from suites.uac import test_redirect_then_decline as decline
from suites.uac import test_redirect_uri_headers as uri_headers
from suites.uac import test_redirected_request as request

MOVED = "sip:9{token}@{target}"
FAIL, NONE = Verdict.FAIL, Verdict.NONE


def least(findings: Iterable[Finding]) -> list[Verdict]:
    return [finding.at_least for finding in findings if finding.outcome == "violated"]


@pytest.mark.parametrize(
    ("new", "worse"),
    [(Try(MOVED, "target", body=""), FAIL), (Try(MOVED, "target", headers=("Max-Forwards: 70",)), NONE)],
)
def test_a_lost_session_description_is_worse_than_a_lost_header(new: Try, worse: Verdict) -> None:
    assert least(request.test_headers_and_body_are_used_again(drive(REDIRECT, Try(), new))) == [worse]


@pytest.mark.parametrize(("parameter", "worse"), [("q=0.5", FAIL), ("transport=udp", NONE)])
def test_q_in_the_request_uri_is_worse_than_transport(parameter: str, worse: Verdict) -> None:
    flow = drive(plans.BARE, Try(), Try(f"{MOVED};{parameter}", "target"))
    assert least(uri.test_parameters_without_brackets_are_the_headers(flow)) == [worse]


def test_no_ack_is_worse_than_a_q_misread() -> None:
    plain, good = drive(REDIRECT, Try(), Try(MOVED, "target")), drive(plans.EXHAUST, Try())
    silent = drive(plans.BAD_Q, Try(acked=False))
    assert least(hunts.test_q_values_are_read((plain, good, silent))) == [FAIL]
    misread = drive(plans.EXHAUST, Try(), *(Try(f"sip:{digit}{{token}}@{{target}}", "target") for digit in "213"))
    assert least(hunts.test_q_values_are_read((plain, misread, drive(plans.BAD_Q, Try())))) == [NONE]


@pytest.mark.parametrize(
    ("headers", "worse"),
    [
        (("Subject: old", "Subject: moved"), FAIL),
        (("Call-Info: %3Chttp://www.x.test%3E",), FAIL),
        (("Call-Info: <http://www.x.test>",), NONE),
    ],
)
def test_misplaced_headers_are_worse_than_a_list_replaced(headers: tuple[str, ...], worse: Verdict) -> None:
    first = Try(headers=("Call-Info: <http://www.old.test>",))
    flow = drive(plans.URI_HEADERS, first, Try(MOVED, "target", headers=(*first.headers[len(headers) :], *headers)))
    assert least(uri_headers.test_harmless_headers_are_placed_well(flow))[:1] == [worse]


@pytest.mark.parametrize(
    ("after", "worse"),
    [
        ((Try("sip:8{token}@{second}", "second"),), NONE),
        ((Try(MOVED, "target"),), FAIL),
        ((Try("sip:8{token}@{second}", "second"), Try()), FAIL),
    ],
)
def test_who_was_tried_already_is_worse_than_the_next_contact(after: tuple[Try, ...], worse: Verdict) -> None:
    flow = drive(plans.THEN_DECLINE, Try(), Try(MOVED, "target"), *after)
    assert least(decline.test_decline_of_a_target_ends_the_call(flow)) == [worse]


def test_an_initial_604_counts_in_full_as_long_as_the_window_does() -> None:
    def again(at: float) -> list[Finding]:
        return list(final.test_does_not_exist_anywhere_is_final(declined().invite(at, cseq="2 INVITE").flow()))

    assert least(again(2.0)) == [FAIL]
    assert [(finding.at_least, finding.at_most) for finding in again(60.0)] == [(Verdict.WARN, Verdict.WARN)]


def test_a_contact_that_leads_back_is_worse_than_both() -> None:
    def bridged(contact: str) -> list[Finding]:
        wire = Wire(REDIRECT, role="b2bua")
        wire.say(-0.05, "INVITE sip:7001@127.0.0.2:5060 SIP/2.0", seat="caller", sent=True, call_id="up")
        wire.invite(extra=("Contact: <sip:device@127.0.0.9:5060>",)).answer(0.01, 302).ack(0.02)
        wire.invite(0.03, seat="target", branch="z9hG4bKt", cseq="2 INVITE")
        wire.say(0.1, "SIP/2.0 302 Moved", seat="caller", call_id="up", extra=(f"Contact: {contact}",))
        return list(learns.test_redirection_is_passed_on_or_followed_but_not_both(wire.flow()))

    assert least(bridged("<sip:7001@127.0.0.9:5060>")) == [FAIL]
    assert least(bridged("<sip:9@127.0.0.3>")) == [NONE]


def test_dialling_again_is_not_following() -> None:
    assert redirected(drive(REDIRECT, Try(), Try())) is None
    assert redirected(drive(REDIRECT, Try(), Try(seat="target"))) is not None
    assert redirected(drive(REDIRECT, Try(), Try(headers=("Route: <sip:9@x;lr>",)))) is not None
    again = drive(plans.DANGEROUS, Try(), Try())
    assert outcomes(uri_headers.test_what_the_device_can_do_is_its_own_to_say, again) == ["unseen"]


def test_dialling_again_once_does_not_come_of_the_copies() -> None:
    judge = copies.test_copies_of_a_redirect_are_acknowledged_and_followed_once
    once = drive(REDIRECT, Try(), Try())
    assert outcomes(judge, once) == ["satisfied", "satisfied"]
    assert outcomes(judge, drive(REDIRECT, Try(), Try(), Try())) == ["satisfied", "violated"]


# --- what the reference device cannot show


def test_the_route_of_the_ack() -> None:
    def routed(*values: str) -> list[str]:
        extra = tuple(f"Route: {value}" for value in values)
        wire = Wire().invite(extra=("Route: <sip:one;lr>, <sip:two;lr>",)).answer(0.01, 603).ack(0.02, extra=extra)
        return said(ack.test_ack_repeats_the_route([wire.flow()]))

    assert routed("<sip:one;lr>", "<sip:two;lr>") == ["satisfied"]
    assert routed("<sip:two;lr>", "<sip:one;lr>") == ["violated"]
    assert routed() == ["violated"]
    assert said(ack.test_ack_repeats_the_route([declined().flow()])) == ["unseen"]


def test_a_bridge_that_does_not_follow() -> None:
    def bridged(status: int, *, target: bool = False) -> list[str]:
        wire = Wire(REDIRECT, role="b2bua")
        wire.say(-0.05, "INVITE sip:7001@127.0.0.2:5060 SIP/2.0", seat="caller", sent=True, call_id="up")
        wire.invite().answer(0.01, 302).ack(0.02)
        if target:
            wire.invite(0.03, seat="target", branch="z9hG4bKt", cseq="2 INVITE")
        if status:
            wire.say(0.1, f"SIP/2.0 {status} Text", seat="caller", call_id="up")
        dialled = (Control("callee", Address("127.0.0.2"), 1_000.0, "another"),)
        flow = dataclasses.replace(wire.flow(follows=False), controls=dialled)
        return said(learns.test_redirection_that_is_not_followed_ends_the_call(flow))

    assert bridged(480) == ["satisfied", "satisfied", "satisfied"]
    assert bridged(302, target=True) == ["satisfied", "violated", "satisfied"]
    assert bridged(200)[-1:] == ["violated"]
    assert bridged(0)[-1:] == ["violated"]
