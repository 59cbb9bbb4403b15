"""603 Decline: the callee was reached and does not want the call (RFC 3261 21.6.2)."""

from __future__ import annotations

from harness.flow import Flow
from harness.judge.attempts import original
from harness.judge.say import Findings, unseen
from harness.judge.silence import silent
from harness.purpose import purpose
from suites.plans import DECLINE


@purpose(
    "RFC3261-21.6-01",
    plan=DECLINE,
    faults=["redials_at_once", "redials_after_1s", "redials_at_33s", "redials_other_port"],
)
def test_decline_is_final(flow: Flow) -> Findings:
    """A 603 speaks for the user everywhere: the call is not placed again, there or elsewhere.

    Who declines a call and is rung again a second later has no way left to say no.  Typical defect: an auto-redial
    written for "busy", or an SBC whose route advance takes every failure for a broken trunk.

    No keyword forbids the retry to a UAC; the meaning of 6xx does (7.2, 21.6).  Hence the two rulings: a fail by
    certification, a warning by the letter.
    """
    first = original(flow)
    if first is None or first.final is None:
        yield unseen("the 603 was never sent")
        return
    yield silent(
        flow,
        after=first.final,
        expected="an ACK, and no further INVITE anywhere within the window",
        means="a caller who was turned down rings again by itself",
        look_at="auto-redial, route advance and failover settings: do they count 603 as a failure of the route?",
    )
