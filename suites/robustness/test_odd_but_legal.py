"""Responses in unusual dress: legal, and to be taken like any other (RFC 3261 7.3.1, 7.3.3, 25.1; RFC 4475 3.1.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.judge.attempts import original
from harness.judge.next_call import next_call_works
from harness.judge.odd import ALIVE, acknowledged, not_sent, odd_of
from harness.judge.redirection import dropped, redirected
from harness.judge.say import Findings, satisfied, unseen, violated
from harness.model.finding import Finding
from harness.model.flow import Flow
from harness.purposes.purpose import purpose
from suites.plans import CALLERS, DECLINE, REDIRECT
from suites.robustness._oddities import legal
from suites.robustness._plans import odd_call

LEGAL = "INT-ROBUST-LEGAL-01"
_PARSER = "the parser: which line of this response made the device drop it?"


@purpose(
    LEGAL,
    ALIVE,
    plan=(REDIRECT, *(odd_call(odd, 302, watched=True) for odd in legal(302))),
    faults=["reads_no_folds", "needs_reason_phrase", "no_compact_contact", "needs_content_length"],
    roles=CALLERS,
)
def test_redirection_in_unusual_dress_is_followed(flows: Sequence[Flow]) -> Findings:
    """A 302 with folded lines, compact names, no phrase, or bytes behind its body is acknowledged and followed.

    Nothing of this may cost more than a plain 302.  Typical defect: a parser that knows the messages of one peer.
    """
    plain, *others = flows
    for flow in others:
        yield from _taken(flow, plain, follows=True)


@purpose(
    LEGAL,
    ALIVE,
    plan=(DECLINE, *(odd_call(odd, 603) for odd in legal(603))),
    faults=["reads_no_folds", "needs_reason_phrase", "needs_content_length"],
)
def test_decline_in_unusual_dress_is_taken(flows: Sequence[Flow]) -> Findings:
    """A 603 with folded lines, compact names, no phrase, or bytes behind its body is acknowledged like a plain one."""
    plain, *others = flows
    for flow in others:
        yield from _taken(flow, plain, follows=False)


def _taken(flow: Flow, plain: Flow, *, follows: bool) -> Iterable[Finding]:
    odd, usual = odd_of(flow), original(plain)
    if odd is None or usual is None:
        yield not_sent(flow)
        return
    if not usual.acks:
        yield unseen("this device acknowledges no plain refusal either", code="no-ack-usually", requirement=LEGAL)
    elif not acknowledged(odd):
        yield violated(
            code="no-ack",
            expected="an ACK, as for a plain response",
            actual=f"no ACK for {odd.name}",
            event=odd.event,
            means="calls through this server hang for half a minute",
            look_at=_PARSER,
            requirement=LEGAL,
        )
    elif not follows or redirected(flow) or not redirected(plain):
        yield satisfied(f"{odd.name} was taken like a plain one", event=odd.event, requirement=LEGAL)
    else:
        yield dropped(
            flow,
            odd.first,
            plain,
            expected="an INVITE for the Contact",
            means="forwarding fails with redirectors that write so",
            look_at=_PARSER,
            requirement=LEGAL,
        )
    yield next_call_works(flow, after=odd.name, look_at=_PARSER, requirement=ALIVE)
