"""Responses that match no transaction: their sender knows the call but is no part of it (RFC 3261 17.1.3)."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judge.acks import refused
from harness.judge.answers import callers
from harness.judge.attempts import Attempt, cut_short, original
from harness.judge.passed_on import passed_on
from harness.judge.say import Findings, expect, satisfied, unseen, violated
from harness.judge.silence import silent
from harness.model.flow import Event, Flow
from harness.model.plan import Answer, Plan, Response
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from suites.plans import DECLINE, callee, guard

ELSEWHERE = ("<sip:8{token}@{elsewhere}>",)
FORGED = Plan(
    (
        callee(
            Answer(
                (
                    Response(302, contacts=ELSEWHERE, tag="x", forged="branch", after=0.05),
                    Response(302, contacts=ELSEWHERE, tag="y", forged="method", after=0.05),
                    Response(603, tag="z", forged="branch", after=0.05),
                    Response(180, after=0.1),
                    Response(486, after=0.1),
                )
            )
        ),
        guard("elsewhere"),
    )
)
"""Two 302 and a 603 that match no transaction, by their branch or by their CSeq; then the callee rings, and is busy."""

CUT_SHORT = Plan(
    (
        callee(
            Answer(
                (
                    Response(302, contacts=ELSEWHERE, tag="x", forged="cut_short", after=0.05),
                    Response(180, after=0.1),
                    Response(486, after=0.1),
                )
            )
        ),
        guard("elsewhere"),
    )
)
"""A 302 whose datagram ends before its body does; then the callee rings, and is busy."""

DROPPED = "RFC6026-7.3-01"
UNMATCHED = "RFC3261-17.1.3-01"


def _strays(flow: Flow, attempt: Attempt) -> tuple[Event, ...]:
    """What the endpoint sent in the call of ``attempt`` that matches no request of the device.

    A device may have further requests there: another branch of a fork, a second try, a CANCEL.
    """
    invite = attempt.invite
    asked = {(request.branch, request.method) for request in flow.select(received=True) if request.method is not None}
    return flow.select(
        received=False,
        at=attempt.seat,
        where=lambda e: (
            e.status is not None
            and e.call_id == invite.call_id
            and e.number > invite.number
            and (e.branch, e.cseq_method) not in asked
        ),
    )


@purpose(UNMATCHED, DROPPED, plan=(DECLINE, FORGED), faults=["relays_stray"])
def test_response_that_matches_no_transaction_changes_nothing(flows: Sequence[Flow]) -> Findings:
    """A 302 or 603 whose branch or CSeq method matches no INVITE is dropped: no ACK, not followed, not relayed.

    Otherwise an attacker who can send a datagram to the device, and has seen a Call-ID, can move or end its calls (RFC
    3261 26.1.2).  Typical defects: the device matches responses by Call-ID alone; or a proxy relays a response without
    transaction by its next Via.

    RFC 3261 16.7 required the latter, and RFC 6026 forbids it.  No device profile says which of the two a proxy claims,
    so it costs a warning.  A response that is acted upon is a fail.
    """
    plain, flow = flows
    attempt = original(flow)
    strays = _strays(flow, attempt) if attempt else ()
    if attempt is None or not strays:
        yield unseen("the responses that match nothing were never sent", code="not-sent")
        return
    tags = {stray.to_tag for stray in strays} - {None}
    yield silent(
        flow,
        code="stray-followed",
        after=strays[0],
        at=["elsewhere"],
        expected="nothing goes to the Contact of a 302 that matches no INVITE",
        means="an attacker who can send a datagram to the device moves its calls",
        look_at="how responses are matched: branch and method of the CSeq, both",
        requirement=UNMATCHED,
    )
    branches = {stray.branch for stray in strays} - {request.branch for request in flow.select(received=True)}

    def acknowledges(event: Event) -> bool:
        # The ACK of a caller to whom a stray was relayed is the caller's, even where the proxy passes it on.
        return (event.to_tag in tags or event.branch in branches) and not passed_on(flow, event)

    acks = flow.select("ACK", received=True, where=acknowledges)
    yield expect(
        not acks,
        code="stray-acknowledged",
        expected="no ACK of a response that matches no INVITE",
        actual=f"{acks[0].start_line}, To tag {acks[0].to_tag}" if acks else "no ACK of it",
        event=acks[0] if acks else strays[0],
        means="an attacker who can send a datagram to the device ends its calls",
        look_at="how responses are matched: branch and method of the CSeq, both",
        requirement=UNMATCHED,
    )
    if attempt.final is None:
        yield unseen("the callee's own final response was never sent", code="not-sent", requirement=UNMATCHED)
    elif not attempt.acks and not ((ordinary := refused(plain)) and ordinary.acks):
        yield unseen(
            f"no ACK of the {attempt.status} arrived, but this device acknowledges an ordinary 603 no better "
            "(another rule covers that)",
            code="no-ack-usually",
            requirement=UNMATCHED,
        )
    else:
        yield expect(
            bool(attempt.acks),
            code="stray-ends-call",
            expected=f"an ACK of the {attempt.status} that came after them",
            actual="an ACK" if attempt.acks else "no ACK, although that of an ordinary 603 comes",
            event=attempt.final,
            means="an attacker who can send a datagram to the device ends its calls",
            look_at="how a response without transaction affects the call with its Call-ID",
            requirement=UNMATCHED,
        )
    upstream = callers(flow)
    if not upstream:
        return
    passed = flow.select(received=True, at=upstream, where=lambda e: e.status is not None and e.to_tag in tags)
    if passed:
        for row in (UNMATCHED, DROPPED):
            yield violated(
                code="stray-relayed",
                expected="nothing of it at the caller",
                actual=f"{passed[0].start_line} at the caller, To tag {passed[0].to_tag}",
                event=passed[0],
                means="an attacker who can send a datagram to the proxy ends the calls of others",
                look_at="how a response without transaction is handled: RFC 6026 7.3 says drop, 16.7 said forward",
                at_most=Verdict.WARN,
                requirement=row,
            )
    elif not flow.select(received=True, at=upstream, where=lambda e: (e.status or 0) > 100):
        yield unseen("no response of the callee reached the caller", code="nothing-relayed", requirement=DROPPED)
    else:
        yield satisfied("none of them reached the caller", requirement=DROPPED)


@purpose("RFC3261-18.3-01", plan=CUT_SHORT, faults=["reads_what_is_cut_short"], side="outbound")
def test_response_that_was_cut_short_is_dropped(flow: Flow) -> Findings:
    """A response whose Content-Length is larger than what is left of its datagram is dropped: no ACK, not followed.

    What was cut off may have been the other half of a Contact or of a session description.  Typical defect: the length
    is read on TCP only.
    """
    attempt = original(flow)
    broken = next((e for e in flow.select(status=302, received=False) if cut_short(e)), None)
    if attempt is None or broken is None:
        yield unseen("the response that was cut short was never sent", code="not-sent")
        return
    acted = flow.select(
        received=True,
        where=lambda e: (
            e.number > broken.number
            and (
                (e.method == "ACK" and e.to_tag == broken.to_tag)
                or (e.method == "INVITE" and e.seat == "elsewhere")
                or (e.status is not None and 300 <= e.status < 400)
            )
        ),
    )
    if acted:
        yield violated(
            code="cut-short-accepted",
            expected=f"nothing comes of the 302 (message {broken.number}), as if it had been lost",
            actual=f"{acted[0].start_line} at {acted[0].seat}",
            event=acted[0],
            means="half a message is taken for a whole one",
            look_at="is Content-Length compared with the datagram (18.3)?",
        )
    elif attempt.final is None or not attempt.acks:
        yield unseen("the callee's own final response was not acknowledged", code="not-acknowledged")
    else:
        yield satisfied(f"it was dropped, and the {attempt.status} after it acknowledged", event=attempt.final)
