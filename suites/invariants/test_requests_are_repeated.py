"""Every request is repeated as its client transaction says, and no longer (RFC 3261 17.1.1.2, 17.1.2.2)."""

from __future__ import annotations

from harness.judge.resends import repeated, rests, sent_once
from harness.judge.say import Findings
from harness.model.flow import Flow
from harness.purposes.invariant import invariant


@invariant(
    "RFC3261-17.1.1.2-08",
    faults=["never_repeats_invite", "copies_lose_hops", "repeats_without_doubling"],
    side="either",
)
def test_every_invite_without_response_is_repeated(flow: Flow) -> Findings:
    """An INVITE that nobody answers is sent again after 0.5 s, then after 1 s, 2 s …, unchanged: to the first target, a
    Contact, a branch.

    Typical defects: only the first INVITE of a call has a transaction; a copy gets a branch of its own, so that the
    other side rings twice; the interval is not doubled.
    """
    yield from repeated(flow, "RFC3261-17.1.1.2-08", invites=True)


@invariant("RFC3261-17.1.2.2-02", faults=["sends_requests_once"], side="either")
def test_every_other_request_without_response_is_repeated(flow: Flow) -> Findings:
    """A CANCEL or BYE that gets no final response is sent again after 0.5 s, unchanged.

    Typical defects: CANCEL and BYE are sent once, from the application; or twice at once, to be sure.
    """
    yield from repeated(flow, "RFC3261-17.1.2.2-02", invites=False)


@invariant(
    "RFC3261-17.1.1.2-07",
    faults=[
        "keeps_retransmitting",
        "repeats_while_ringing",
        "chokes_on_bad_q",
        "chokes_on_contact",
        "chokes_on_retry_after",
        "ignores_unknown_3xx",
        "needs_reason_phrase",
        "honours_every_uri_header",
    ],
    side="either",
)
def test_no_request_is_repeated_after_its_response(flow: Flow) -> Findings:
    """Once an INVITE has got any response, or another request its final one, it is not sent again.

    Typical defects: only a 180, and not a 100, stops Timer A; the timer of a branch that was cancelled goes on.

    A copy up to 0.35 s after the response may have crossed it.
    """
    yield from rests(flow, "RFC3261-17.1.1.2-07")


@invariant("RFC3261-17.1.1.2-09", faults=["repeats_invite_over_streams"], side="either")
def test_no_invite_is_repeated_on_a_stream(flow: Flow) -> Findings:
    """Over TCP, TLS and WebSockets an INVITE is sent once: what is lost below is repeated below.

    Typical defect: the transaction was written for UDP, and a slow callee is sent the same INVITE six times.
    """
    yield from sent_once(flow, "RFC3261-17.1.1.2-09")
