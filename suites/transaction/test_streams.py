"""Over a transport that loses nothing nobody sends anything twice (RFC 3261 17.2.1)."""

from __future__ import annotations

from dataclasses import replace

from harness.judge.answers import unproven
from harness.judge.say import Findings, satisfied, unseen, violated
from harness.judge.served import served
from harness.model.flow import Flow
from harness.purposes.purpose import purpose
from suites.answering import NEVER
from suites.plans import STREAMS

UNACKNOWLEDGED = {role: replace(plan, over=STREAMS) for role, plan in NEVER.items()}
"""A refusal over a stream that is never acknowledged."""
WATCHED_S = 3.0
"""Timer G would send copies after 0.5 s, 1.5 s and 3.5 s."""


@purpose("RFC3261-17.2.1-02", plan=UNACKNOWLEDGED, faults=["repeats_refusal_over_streams"], side="inbound")
def test_refusal_is_sent_once_over_a_stream(flow: Flow) -> Findings:
    """A refusal that goes over TCP, TLS or a WebSocket is sent once, even while its ACK is missing.

    The stream delivers it, so a copy says nothing new: the caller takes it for the answer to another INVITE, or for
    noise.  Typical defect: Timer G runs whatever the transport is.
    """
    for one in served(flow):
        refusals = [final for final in one.finals if (final.status or 0) >= 300]
        if one.request.method != "INVITE" or not refusals:
            continue
        first = refusals[0]
        name = f"the {first.status} (message {first.number})"
        if len(refusals) > 1:
            yield violated(
                code="repeated-over-stream",
                expected=f"{name} once over {first.transport.upper()}",
                actual=f"{len(refusals)} of them, the second after {refusals[1].time - first.time:.1f} s",
                event=refusals[1],
                means="the caller gets answers to an INVITE that it has forgotten",
                look_at="does Timer G ask whether the transport is reliable?",
            )
        elif doubt := unproven(flow, one.seat, first.time + WATCHED_S):
            yield unseen(f"no copy of {name} came, but {doubt}", code="not-proven")
        else:
            yield satisfied(f"{name} was sent once", event=first)
        return
    yield unseen("the INVITE was not refused in this flow", code="not-refused")
