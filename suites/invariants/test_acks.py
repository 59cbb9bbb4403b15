"""Every refusal of every INVITE is acknowledged, wherever the device sent it (RFC 3261 17.1.1)."""

from __future__ import annotations

from harness.judge.acks import acknowledged, refusal_of
from harness.judge.attempts import attempts
from harness.judge.say import Findings
from harness.model.flow import Flow
from harness.purposes.invariant import invariant


@invariant("RFC3261-17.1.1.2-01", faults=["no_ack"])
def test_every_refusal_is_acknowledged(flow: Flow) -> Findings:
    """The transaction answers every final response from 300 to 699 with an ACK: first, redirected, hunted, forked.

    Without it the other side repeats its response for 32 s.  Typical defect: a fork that acknowledges only its first
    branch, or a hunt that forgets the targets it has given up.
    """
    for attempt in attempts(flow):
        if refusal := refusal_of(flow, attempt):
            found = acknowledged(flow, refusal)
            if found.outcome != "unseen":
                yield found
