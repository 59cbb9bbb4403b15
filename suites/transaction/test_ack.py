"""The ACK of a final response other than 2xx: sent by the transaction, made of the INVITE (RFC 3261 17.1.1)."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judge.acks import (
    NOT_ACKED,
    NOT_REFUSED,
    Refusal,
    acknowledged,
    copied_from_response,
    from_differs,
    has_body,
    refused,
    routes,
    to_differs,
    via_differs,
    vias,
)
from harness.judge.say import Findings, expect, satisfied, unseen, violated
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from harness.sip.uri import same_uri
from suites.declines import POINTING_DECLINE
from suites.plans import DECLINE, DECLINE_RINGING, REDIRECT, REDIRECT_RINGING

PLANS = (REDIRECT, REDIRECT_RINGING, DECLINE, DECLINE_RINGING)
"""302 and 603, at once and after ringing."""

UNMATCHED = "the other side cannot match the ACK and repeats its response for 32 s"


@purpose("RFC3261-17.1.1.2-01", plan=PLANS, faults=["no_ack"])
def test_refusal_is_acknowledged(flow: Flow) -> Findings:
    """The transaction answers every final response from 300 to 699 with an ACK, at once.

    Without it the other side repeats its response for 32 s, and many call servers bill or block the line for that time.
    Typical defect: a redirect handler that drops the transaction as soon as it has read the Contact.

    An ACK with wrong contents counts as an ACK here; other tests judge its contents.
    """
    refusal = refused(flow)
    yield acknowledged(flow, refusal) if refusal else unseen(NOT_REFUSED, code="not-refused")


@purpose("RFC3261-17.1.1.2-02", plan=(*PLANS, POINTING_DECLINE), faults=["ack_to_contact_host"])
def test_ack_goes_where_the_invite_went(flows: Sequence[Flow]) -> Findings:
    """The ACK of a refusal goes to the address of the INVITE, never to the Contact of the response.

    Otherwise the redirector gets no ACK and repeats its response, and the target gets an ACK for a call that it does
    not know.  Typical defect: the device applies the rule for the ACK of a 2xx (to the Contact) to every response.
    """
    if not (refusals := _acknowledged(flows)):
        yield unseen(NOT_ACKED, code="not-acknowledged")
    for flow, refusal in refusals:
        for ack in refusal.acks:
            yield expect(
                ack.seat == refusal.attempt.seat,
                code="ack-elsewhere",
                expected=f"the ACK at {refusal.attempt.seat}, where the INVITE arrived",
                actual=f"the ACK at {ack.seat} ({flow.seat(ack.seat).address})",
                event=ack,
                means="the other side repeats its response for 32 s, and an unrelated host gets the ACK",
                look_at="is the ACK routed by the Contact of the response, as only the ACK of a 2xx is?",
            )


@purpose("RFC3261-17.1.1.3-01", plan=PLANS, faults=["ack_contact_request_uri"])
def test_ack_repeats_request_uri_call_id_and_from(flows: Sequence[Flow]) -> Findings:
    """The ACK repeats the INVITE's Request-URI, Call-ID and From; the Contact of the response has no effect on it.

    A proxy routes the ACK by its Request-URI. With another one the ACK goes elsewhere, and the response is repeated for
    32 s.  Typical defect: the device builds the ACK after it has replaced the call's target by the Contact.

    A Request-URI in another notation that is the same by 19.1.4 violates the wording of the rule and breaks no call: a
    warning.
    """
    if not (refusals := _acknowledged(flows)):
        yield unseen(NOT_ACKED, code="not-acknowledged")
    for _, refusal in refusals:
        invite = refusal.invite
        for ack in refusal.acks:
            yield expect(
                ack.request_uri == invite.request_uri,
                code="request-uri-rewritten" if same_uri(ack.request_uri, invite.request_uri) else "wrong-request-uri",
                expected=f"ACK {invite.request_uri}",
                actual=f"ACK {ack.request_uri}",
                event=ack,
                means="a proxy in the path sends the ACK elsewhere, and the response is repeated for 32 s",
                look_at="is the ACK built from the INVITE as it was sent, or from the call's new target?",
                at_most=Verdict.WARN if same_uri(ack.request_uri, invite.request_uri) else Verdict.FAIL,
            )
            yield expect(
                ack.call_id == invite.call_id,
                code="wrong-call-id",
                expected=f"Call-ID: {invite.call_id}",
                actual=f"Call-ID: {ack.call_id}",
                event=ack,
                means=UNMATCHED,
                look_at="where the ACK's Call-ID comes from",
            )
            yield expect(
                not from_differs(ack, invite),
                code="wrong-from",
                expected=f"From: {invite.header('From')}",
                actual=f"From: {ack.header('From')}",
                event=ack,
                means=UNMATCHED,
                look_at="where the ACK's From comes from: it has the URI and the tag of the INVITE",
            )


@purpose("RFC3261-17.1.1.3-02", plan=PLANS, faults=["ack_new_branch"])
def test_ack_has_the_via_of_the_invite(flows: Sequence[Flow]) -> Findings:
    """The ACK of a refusal has one Via, and that is the INVITE's topmost one, branch included.

    By the branch the other side knows which response was received.  With a new one it repeats its response to the end.
    Typical defect: the device sends the ACK like a new request, which is right for a 2xx only.

    ``received`` and a value of ``rport`` belong to the response.  An ACK that has them was built from the response: a
    warning.
    """
    if not (refusals := _acknowledged(flows)):
        yield unseen(NOT_ACKED, code="not-acknowledged")
    for _, refusal in refusals:
        for ack in refusal.acks:
            wrong = via_differs(ack, refusal.invite)
            yield expect(
                not wrong,
                code="wrong-via",
                expected=f"one Via, as in the INVITE: {''.join(vias(refusal.invite)[:1])}",
                actual=wrong or "the INVITE's Via",
                event=ack,
                means=UNMATCHED,
                look_at="does the ACK get a branch of its own, as only the ACK of a 2xx does?",
            )
            if not wrong and (copied := copied_from_response(ack, refusal.invite)):
                yield violated(
                    code="via-of-response",
                    expected="the Via as the INVITE had it, without received and without a value of rport",
                    actual=f"Via: {copied}",
                    event=ack,
                    means="users notice nothing; the Via was copied from the response",
                    look_at="where the ACK's Via comes from",
                    at_most=Verdict.WARN,
                )


@purpose("RFC3261-17.1.1.3-03", plan=PLANS, faults=["ack_wrong_to_tag"])
def test_ack_has_the_to_of_the_response(flows: Sequence[Flow]) -> Findings:
    """The To of the ACK is that of the response it acknowledges, tag included.

    A proxy or gateway that finds its calls by tags does not find this one, and repeats its response.  Typical defects:
    the ACK has the To of the INVITE, without a tag; or it has the tag of the 180, although the final response has
    another one.
    """
    if not (refusals := _acknowledged(flows)):
        yield unseen(NOT_ACKED, code="not-acknowledged")
    for _, refusal in refusals:
        for ack in refusal.acks:
            yield expect(
                not to_differs(ack, refusal.attempt.finals),
                code="wrong-to-tag" if ack.to_tag else "no-to-tag",
                expected=f"To: {refusal.final.header('To')}",
                actual=f"To: {ack.header('To')}",
                event=ack,
                means="the other side may not find the call the ACK belongs to, and repeats its response",
                look_at="where the ACK's To comes from: the final response, the INVITE, or an earlier 18x?",
            )


@purpose("RFC3261-17.1.1.3-04", plan=PLANS, faults=["ack_wrong_cseq"])
def test_ack_has_the_cseq_number_of_the_invite(flows: Sequence[Flow]) -> Findings:
    """The CSeq of the ACK has the number of the INVITE and the method ACK.

    By the number a server knows which INVITE is meant.  Typical defect: the device counts the ACK as a new request.
    """
    if not (refusals := _acknowledged(flows)):
        yield unseen(NOT_ACKED, code="not-acknowledged")
    for _, refusal in refusals:
        if refusal.invite.cseq_number is None:
            yield unseen("the CSeq of the INVITE cannot be read", code="unreadable")
            continue
        for ack in refusal.acks:
            yield expect(
                (ack.cseq_number, ack.cseq_method) == (refusal.invite.cseq_number, "ACK"),
                code="wrong-cseq",
                expected=f"CSeq: {refusal.invite.cseq_number} ACK",
                actual=f"CSeq: {ack.header('CSeq')}",
                event=ack,
                means="the other side may not match the ACK to this INVITE, and repeats its response",
                look_at="is the CSeq counter raised for an ACK?",
            )


@purpose("RFC3261-17.1.1.3-05", plan=(REDIRECT, DECLINE))
def test_ack_repeats_the_route(flows: Sequence[Flow]) -> Findings:
    """The Route of the INVITE is repeated in the ACK, value by value and in order.

    Behind an outbound proxy the ACK is lost without it.  Typical defect: the device makes route sets for dialogs only,
    and the ACK of a refusal has no dialog.
    """
    if not (refusals := _acknowledged(flows)):
        yield unseen(NOT_ACKED, code="not-acknowledged")
    for _, refusal in refusals:
        wanted = routes(refusal.invite)
        if not wanted:
            yield unseen("the INVITE has no Route, although the device declares a preloaded one", code="no-route")
            continue
        for ack in refusal.acks:
            yield expect(
                routes(ack) == wanted,
                code="wrong-route" if routes(ack) else "no-route",
                expected=f"Route: {', '.join(wanted)}",
                actual=f"Route: {', '.join(routes(ack)) or '(none)'}",
                event=ack,
                means="behind an outbound proxy the ACK is lost, and the response is repeated for 32 s",
                look_at="is the ACK of a refusal built from the INVITE with its Route?",
            )


@purpose("RFC3261-17.1.1.3-06", plan=PLANS, faults=["ack_with_body"])
def test_ack_has_no_body(flows: Sequence[Flow]) -> Findings:
    """The ACK of a refusal carries no body.

    No element can refuse the contents of an ACK, so a session description in it is ignored at best.  Typical defect:
    the device copies the whole INVITE and replaces its method.
    """
    if not (refusals := _acknowledged(flows)):
        yield unseen(NOT_ACKED, code="not-acknowledged")
    for _, refusal in refusals:
        for ack in refusal.acks:
            if has_body(ack):
                yield violated(
                    code="body",
                    expected="an ACK without body",
                    actual=f"{len(ack.body)} bytes, Content-Type: {ack.header('Content-Type')}",
                    event=ack,
                    means="users mostly notice nothing; a strict server may drop the ACK and repeat its response",
                    look_at="is the INVITE copied with its body?",
                )
            else:
                yield satisfied("no body", event=ack)


def _acknowledged(flows: Sequence[Flow]) -> list[tuple[Flow, Refusal]]:
    """The refusals that have an ACK.  One flow without ACK takes nothing from what the ACKs of the others show."""
    found = ((flow, refused(flow)) for flow in flows)
    return [(flow, refusal) for flow, refusal in found if refusal is not None and refusal.acks]
