"""What the ACK of a refusal looks like: each part of it, as RFC 3261 17.1.1.3 takes it from INVITE and response."""

from __future__ import annotations

from harness.judge.acks import (
    Refusal,
    copied_from_response,
    from_differs,
    has_body,
    routes,
    to_differs,
    via_differs,
    vias,
)
from harness.judge.say import Findings, expect, satisfied, violated
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.sip.uri import same_uri

_UNMATCHED = "the other side cannot match the ACK and repeats its response for 32 s"


def destination(flow: Flow, refusal: Refusal, requirement: str = "") -> Findings:
    """Whether each ACK arrived where the INVITE did."""
    invite = refusal.invite
    for ack in refusal.acks:
        yield expect(
            ack.seat == invite.seat and ack.destination in (invite.destination, None),
            code="ack-elsewhere",
            expected=f"the ACK at {invite.seat}, where the INVITE arrived",
            actual=f"the ACK at {ack.seat} ({ack.destination or flow.seat(ack.seat).address})",
            event=ack,
            means="the other side repeats its response for 32 s, and a stranger gets the ACK",
            look_at="is the ACK routed by the Contact of the response, as only that of a 2xx may be?",
            requirement=requirement,
        )


def request_uri_call_id_and_from(refusal: Refusal, requirement: str = "") -> Findings:
    """Whether Request-URI, Call-ID and From are the INVITE's."""
    invite = refusal.invite
    for ack in refusal.acks:
        yield expect(
            ack.request_uri == invite.request_uri,
            code="request-uri-rewritten" if same_uri(ack.request_uri, invite.request_uri) else "wrong-request-uri",
            expected=f"ACK {invite.request_uri}",
            actual=f"ACK {ack.request_uri}",
            event=ack,
            means="a proxy on the way sends the ACK elsewhere, and the response is repeated for 32 s",
            look_at="is the ACK built from the INVITE as it was sent, or from the call's new target?",
            at_most=Verdict.WARN if same_uri(ack.request_uri, invite.request_uri) else Verdict.FAIL,
            requirement=requirement,
        )
        yield expect(
            ack.call_id == invite.call_id,
            code="wrong-call-id",
            expected=f"Call-ID: {invite.call_id}",
            actual=f"Call-ID: {ack.call_id}",
            event=ack,
            means=_UNMATCHED,
            look_at="where the ACK's Call-ID comes from",
            requirement=requirement,
        )
        yield expect(
            not from_differs(ack, invite),
            code="wrong-from",
            expected=f"From: {invite.header('From')}",
            actual=f"From: {ack.header('From')}",
            event=ack,
            means=_UNMATCHED,
            look_at="where the ACK's From comes from: URI and tag are the INVITE's",
            requirement=requirement,
        )


def via(refusal: Refusal, requirement: str = "") -> Findings:
    """Whether the only Via is the INVITE's topmost one."""
    for ack in refusal.acks:
        wrong = via_differs(ack, refusal.invite)
        yield expect(
            not wrong,
            code="wrong-via",
            expected=f"one Via, as in the INVITE: {''.join(vias(refusal.invite)[:1])}",
            actual=wrong or "the INVITE's Via",
            event=ack,
            means=_UNMATCHED,
            look_at="does the ACK get a branch of its own, as only the ACK of a 2xx does?",
            requirement=requirement,
        )
        if not wrong and (copied := copied_from_response(ack, refusal.invite)):
            yield violated(
                code="via-of-response",
                expected="the Via as the INVITE had it, without received and without a value of rport",
                actual=f"Via: {copied}",
                event=ack,
                means="nothing a user notices; the Via was taken from the response",
                look_at="where the ACK's Via comes from",
                at_most=Verdict.WARN,
                requirement=requirement,
            )


def to(refusal: Refusal, requirement: str = "") -> Findings:
    """Whether the To is that of the response."""
    for ack in refusal.acks:
        yield expect(
            not to_differs(ack, refusal.attempt.finals),
            code="wrong-to-tag" if ack.to_tag else "no-to-tag",
            expected=f"To: {refusal.final.header('To')}",
            actual=f"To: {ack.header('To')}",
            event=ack,
            means="the other side may not find the call the ACK belongs to, and repeats its response",
            look_at="where the ACK's To comes from: the final response, the INVITE, or an earlier 18x?",
            requirement=requirement,
        )


def cseq(refusal: Refusal, requirement: str = "") -> Findings:
    """Whether the CSeq has the INVITE's number and the method ACK."""
    for ack in refusal.acks:
        yield expect(
            (ack.cseq_number, ack.cseq_method) == (refusal.invite.cseq_number, "ACK"),
            code="wrong-cseq",
            expected=f"CSeq: {refusal.invite.cseq_number} ACK",
            actual=f"CSeq: {ack.header('CSeq')}",
            event=ack,
            means="the other side may not take it for the ACK of this INVITE, and repeats its response",
            look_at="is the CSeq counter raised for an ACK?",
            requirement=requirement,
        )


def route(refusal: Refusal, requirement: str = "") -> Findings:
    """Whether the Route is the INVITE's."""
    wanted = routes(refusal.invite)
    for ack in refusal.acks:
        yield expect(
            routes(ack) == wanted,
            code="wrong-route" if routes(ack) else "no-route",
            expected=f"Route: {', '.join(wanted)}",
            actual=f"Route: {', '.join(routes(ack)) or '(none)'}",
            event=ack,
            means="behind an outbound proxy the ACK is lost, and the response is repeated for 32 s",
            look_at="is the ACK of a refusal built from the INVITE with its Route?",
            requirement=requirement,
        )


def no_body(refusal: Refusal, requirement: str = "") -> Findings:
    """Whether there is no body."""
    for ack in refusal.acks:
        if has_body(ack):
            yield violated(
                code="body",
                expected="an ACK without body",
                actual=f"{len(ack.body)} bytes, Content-Type: {ack.header('Content-Type')}",
                event=ack,
                means="nothing, mostly; a strict server may drop the ACK and repeat its response",
                look_at="is the INVITE copied with its body?",
                requirement=requirement,
            )
        else:
            yield satisfied("no body", event=ack, requirement=requirement)
