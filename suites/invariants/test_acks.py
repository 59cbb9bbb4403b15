"""Every refusal of every INVITE is acknowledged, wherever the device sent it (RFC 3261 17.1.1)."""

from __future__ import annotations

from collections.abc import Iterable

from harness.judge import ack_form
from harness.judge.ack_copies import each_copy_acknowledged
from harness.judge.acks import Refusal, acknowledged, refusal_of
from harness.judge.after_ack import ends_here
from harness.judge.attempts import attempts
from harness.judge.say import Findings
from harness.model.flow import Flow
from harness.purposes.invariant import invariant


def _refusals(flow: Flow) -> Iterable[Refusal]:
    return filter(None, (refusal_of(flow, attempt) for attempt in attempts(flow)))


@invariant(
    "RFC3261-17.1.1.2-01",
    faults=[
        "no_ack",
        "acks_only_first_branch",
        "no_ack_of_487",
        "chokes_on_bad_q",
        "chokes_on_contact",
        "chokes_on_retry_after",
        "ignores_unknown_3xx",
        "needs_reason_phrase",
        "honours_every_uri_header",
    ],
)
def test_every_refusal_is_acknowledged(flow: Flow) -> Findings:
    """The transaction answers every final response from 300 to 699 with an ACK: first, redirected, hunted, forked.

    Without it the other side repeats its response for 32 s.  Typical defect: a fork that acknowledges only its first
    branch, or a hunt that forgets the targets it has given up.
    """
    for refusal in _refusals(flow):
        found = acknowledged(flow, refusal)
        if found.outcome != "unseen":
            yield found


@invariant("RFC3261-17.1.1.2-03", faults=["ignores_copies", "forgets_refusal_after_2s"], side="outbound")
def test_every_copy_of_a_refusal_is_acknowledged(flow: Flow) -> Findings:
    """Each copy of a refusal gets the ACK of the first one again, and there is no other ACK.

    Typical defect: the transaction of a target that has been given up is deleted, so only the copies of the last
    refusal are acknowledged.
    """
    for refusal in _refusals(flow):
        # Whether another final response in Completed is acknowledged is left to the device.
        alike = len({final.status for final in refusal.attempt.finals}) == 1
        if refusal.acks and alike and (len(refusal.attempt.finals) > 1 or len(refusal.acks) > 1):
            found = each_copy_acknowledged(flow, refusal)
            if found.outcome != "unseen":
                yield found


@invariant(
    "RFC3261-17.1.1.2-02",
    "RFC3261-17.1.1.3-01",
    "RFC3261-17.1.1.3-02",
    "RFC3261-17.1.1.3-03",
    "RFC3261-17.1.1.3-04",
    "RFC3261-17.1.1.3-05",
    "RFC3261-17.1.1.3-06",
    faults=[
        "ack_to_contact_host",
        "ack_contact_request_uri",
        "ack_new_branch",
        "ack_wrong_to_tag",
        "ack_wrong_cseq",
        "ack_with_body",
        "looks_up_again",
        "returns_to_first_server",
    ],
)
def test_every_ack_of_a_refusal_is_made_of_its_invite(flow: Flow) -> Findings:
    """The ACK of every refusal goes where its INVITE went, and has that INVITE's Request-URI, Via, From, CSeq, Route.

    It is the second INVITE of a call that shows whether the ACK is made of the transaction's request or of what the
    application thinks of the call by then.  Typical defects: the ACK of a 487 after CANCEL is built from the CANCEL;
    the ACK at the second target has the first one's Request-URI.
    """
    for refusal in _refusals(flow):
        if any((final.status or 0) < 300 for final in refusal.attempt.finals):
            continue  # An ACK may be that of the 2xx, which is made otherwise.
        yield from ack_form.destination(flow, refusal, "RFC3261-17.1.1.2-02")
        yield from ack_form.request_uri_call_id_and_from(refusal, "RFC3261-17.1.1.3-01")
        yield from ack_form.via(refusal, "RFC3261-17.1.1.3-02")
        yield from ack_form.to(refusal, "RFC3261-17.1.1.3-03")
        if refusal.invite.cseq_number is not None:
            yield from ack_form.cseq(refusal, "RFC3261-17.1.1.3-04")
        yield from ack_form.route(refusal, "RFC3261-17.1.1.3-05")
        yield from ack_form.no_body(refusal, "RFC3261-17.1.1.3-06")


@invariant("RFC3261-17.2.1-10", faults=["passes_on_ack_of_refusal"])
def test_ack_of_a_refusal_ends_at_the_proxy(flow: Flow) -> Findings:
    """The ACK by which a caller acknowledges a refusal goes no further than the proxy that it was sent to.

    Typical defect: each ACK is routed as that of a 2xx, so that the first callee gets one for what another has said.
    """
    yield from ends_here(flow, "RFC3261-17.2.1-10")
