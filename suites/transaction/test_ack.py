"""The ACK of a final response other than 2xx: sent by the transaction, made of the INVITE (RFC 3261 17.1.1)."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judge import ack_form
from harness.judge.acks import (
    NOT_ACKED,
    NOT_REFUSED,
    Refusal,
    acknowledged,
    refused,
    routes,
)
from harness.judge.say import Findings, unseen
from harness.model.flow import Flow
from harness.purposes.purpose import purpose
from suites.declines import POINTING_DECLINE
from suites.plans import DECLINE, DECLINE_RINGING, REDIRECT, REDIRECT_RINGING

PLANS = (REDIRECT, REDIRECT_RINGING, DECLINE, DECLINE_RINGING)
"""302 and 603, at once and after ringing."""


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
        return
    for flow, refusal in refusals:
        yield from ack_form.destination(flow, refusal)


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
        return
    for _, refusal in refusals:
        yield from ack_form.request_uri_call_id_and_from(refusal)


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
        return
    for _, refusal in refusals:
        yield from ack_form.via(refusal)


@purpose("RFC3261-17.1.1.3-03", plan=PLANS, faults=["ack_wrong_to_tag"])
def test_ack_has_the_to_of_the_response(flows: Sequence[Flow]) -> Findings:
    """The To of the ACK is that of the response it acknowledges, tag included.

    A proxy or gateway that finds its calls by tags does not find this one, and repeats its response.  Typical defects:
    the ACK has the To of the INVITE, without a tag; or it has the tag of the 180, although the final response has
    another one.
    """
    if not (refusals := _acknowledged(flows)):
        yield unseen(NOT_ACKED, code="not-acknowledged")
        return
    for _, refusal in refusals:
        yield from ack_form.to(refusal)


@purpose("RFC3261-17.1.1.3-04", plan=PLANS, faults=["ack_wrong_cseq"])
def test_ack_has_the_cseq_number_of_the_invite(flows: Sequence[Flow]) -> Findings:
    """The CSeq of the ACK has the number of the INVITE and the method ACK.

    By the number a server knows which INVITE is meant.  Typical defect: the device counts the ACK as a new request.
    """
    if not (refusals := _acknowledged(flows)):
        yield unseen(NOT_ACKED, code="not-acknowledged")
        return
    for _, refusal in refusals:
        if refusal.invite.cseq_number is None:
            yield unseen("the CSeq of the INVITE cannot be read", code="unreadable")
        else:
            yield from ack_form.cseq(refusal)


@purpose("RFC3261-17.1.1.3-05", plan=(REDIRECT, DECLINE))
def test_ack_repeats_the_route(flows: Sequence[Flow]) -> Findings:
    """The Route of the INVITE is repeated in the ACK, value by value and in order.

    Behind an outbound proxy the ACK is lost without it.  Typical defect: the device makes route sets for dialogs only,
    and the ACK of a refusal has no dialog.
    """
    if not (refusals := _acknowledged(flows)):
        yield unseen(NOT_ACKED, code="not-acknowledged")
        return
    for _, refusal in refusals:
        if not routes(refusal.invite):
            yield unseen("the INVITE has no Route, although the device declares a preloaded one", code="no-route")
        else:
            yield from ack_form.route(refusal)


@purpose("RFC3261-17.1.1.3-06", plan=PLANS, faults=["ack_with_body"])
def test_ack_has_no_body(flows: Sequence[Flow]) -> Findings:
    """The ACK of a refusal carries no body.

    No element can refuse the contents of an ACK, so a session description in it is ignored at best.  Typical defect:
    the device copies the whole INVITE and replaces its method.
    """
    if not (refusals := _acknowledged(flows)):
        yield unseen(NOT_ACKED, code="not-acknowledged")
        return
    for _, refusal in refusals:
        yield from ack_form.no_body(refusal)


def _acknowledged(flows: Sequence[Flow]) -> list[tuple[Flow, Refusal]]:
    """The refusals that have an ACK.  One flow without ACK takes nothing from what the ACKs of the others show."""
    found = ((flow, refused(flow)) for flow in flows)
    return [(flow, refusal) for flow, refusal in found if refusal is not None and refusal.acks]
