"""Responses that break the grammar, or contradict themselves (RFC 4475 3.1.2, RFC 5118 4, applied to 3xx and 6xx)."""

from __future__ import annotations

from harness.judge.odd import ALIVE, CAUSE, acknowledged, harmless, not_sent, odd_of, of_first_call
from harness.judge.say import Findings, expect, satisfied, violated
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from suites.robustness._oddities import BIG, BROKEN, SECOND_VIA
from suites.robustness._plans import odd_call


@purpose(ALIVE, CAUSE, plan=tuple(map(odd_call, BROKEN)), faults=["dies_without_call_id", "redials_after_302"])
def test_broken_redirection_does_no_harm(flow: Flow) -> Findings:
    """A 302 without a mandatory header, with two of it, or with numbers beyond all bounds does no harm.

    It may be dropped, or read as well as it can be.  Typical defects: the parser of numbers overflows; a header that
    every response has is used without a look whether it is there.
    """
    yield from harmless(flow)


@purpose(
    ALIVE,
    CAUSE,
    plan=tuple(odd_call(odd, 603) for odd in BROKEN if not any("302" in rewrite.put for rewrite in odd.rewrites)),
    faults=["dies_without_call_id", "redials_at_once"],
)
def test_broken_decline_does_no_harm(flow: Flow) -> Findings:
    """The same of a 603: the device lives, and does not call again what has answered."""
    yield from harmless(flow)


@purpose(
    "RFC3261-18.1.1-01",
    plan=tuple(odd_call(odd, status) for odd in BIG for status in (302, 603)),
    faults=["reads_4_kb"],
)
def test_response_as_big_as_a_datagram_is_read(flow: Flow) -> Findings:
    """A response of 8 or 32 kB in one datagram is acknowledged: UDP carries up to 64 kB.

    Lists of Contacts and tokens of identity make responses long.  Typical defect: a buffer of 4,000 bytes.
    """
    odd = odd_of(flow)
    if odd is None:
        yield not_sent(flow)
        return
    yield expect(
        acknowledged(odd),
        code="big-response-dropped",
        expected="an ACK",
        actual=f"{'an ACK' if acknowledged(odd) else 'no ACK'} of {odd.name}",
        event=odd.event,
        means="calls through servers that write long responses hang for half a minute",
        look_at="the size of the buffer that datagrams are read into; in a lab: does the network carry fragments?",
    )


@purpose("RFC3261-8.1.3.3-01", plan=odd_call(SECOND_VIA), faults=["takes_second_via"], roles=("uac", "b2bua"))
def test_response_with_a_second_via_is_discarded(flow: Flow) -> Findings:
    """A 302 with a second Via below the device's own was misrouted: it should be discarded."""
    odd = odd_of(flow)
    if odd is None:
        yield not_sent(flow)
        return
    if followed := of_first_call(flow, odd.event):
        yield violated(
            code="second-via-taken",
            expected="the response is discarded",
            actual=f"{odd.name} was followed",
            event=followed[0].invite,
            means="a response that was meant for somebody else moves the call",
            look_at="does anybody count the Vias of a response?",
            at_most=Verdict.WARN,
        )
    else:
        yield satisfied(f"{odd.name} was not followed", event=odd.event)
