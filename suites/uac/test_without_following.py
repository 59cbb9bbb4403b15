"""A device that does not follow redirections: a 3xx is a failed call, cleaned up (RFC 3261 13.2.2.2)."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judge.attempts import Attempt, original
from harness.judge.redirection import by_call, redirection_of
from harness.judge.say import Findings, expect, unseen, violated
from harness.judge.silence import silent
from harness.model.flow import Flow
from harness.purposes.purpose import purpose
from harness.sip.uri import same_uri
from suites.plans import NEXT_CALL, REDIRECT
from suites.uac._plans import ALTERNATIVE


@purpose("RFC3261-13.2.2.2-02", plan=(REDIRECT, ALTERNATIVE, NEXT_CALL))
def test_redirection_is_a_failed_call(flows: Sequence[Flow]) -> Findings:
    """A device that does not follow redirections acknowledges the 3xx, ends the call, and is ready for the next one.

    Typical defect: the call stays in a state that is neither answered nor refused, so the line stays busy or the number
    is dialled again.
    """
    for flow in flows[:2]:
        first = original(flow)
        final = redirection_of(first) if first else None
        if first is None or final is None:
            yield unseen("the redirection was never sent", code="not-sent")
            continue
        if not first.acks:
            yield violated(
                code="no-ack",
                expected=f"an ACK for the {final.status}",
                actual="none arrived",
                event=final,
                means="the redirector repeats its response for 32 s",
                look_at="how a 3xx is handled",
            )

        def elsewhere(attempt: Attempt, uri: str = first.invite.request_uri) -> bool:
            return not same_uri(attempt.invite.request_uri, uri)

        yield silent(
            flow,
            code="redialled",
            after=final,
            at=(first.seat,),
            unless=elsewhere,
            expected="the end of the call",
            means="the device dials the number again by itself",
            look_at="redial and failover settings: do they count a 3xx as a failure of the route?",
        )
        for attempt in (a for call in by_call(flow) for a in call if elsewhere(a)):
            yield unseen(
                f"{attempt.invite.start_line} arrived: the device follows redirections, but its PICS deny it",
                code="follows",
            )
    calls = by_call(flows[2])
    if calls[0]:
        yield (
            expect(
                bool(calls[-1]),
                code="no-next-call",
                expected="an INVITE for the next call",
                actual=f"{sum(map(bool, calls))} of {len(calls)} calls were placed",
                means="after a redirection the device makes no more calls",
                look_at="the state of the line after a 3xx",
            )
            if calls[-1] or not flows[2].troubles
            else unseen("; ".join(t.text for t in flows[2].troubles), code="trouble")
        )
