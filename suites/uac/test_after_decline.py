"""After a refused call the device goes on working."""

from __future__ import annotations

from harness.judge.acks import NOT_REFUSED, refused
from harness.judge.next_call import next_call_works
from harness.judge.say import Findings, unseen
from harness.model.flow import Flow
from harness.model.plan import Call, Plan
from harness.purposes.purpose import purpose
from suites.plans import accept, callee, refuse

CALL_AFTER_DECLINE = Plan((callee(refuse(603), accept()),), calls=(Call(), Call(after=0.5)), watched=False)
"""The first call is declined, the second one, half a second later, is answered."""


@purpose("INT-603-CRASH-01", plan=CALL_AFTER_DECLINE, faults=["dies_after_603"])
def test_next_call_after_a_decline_works(flow: Flow) -> Findings:
    """After a declined call the device can place the next call, and that call can be answered.

    A device that hangs or crashes after a 603 must be restarted by hand.  Typical defect: the line of the refused call
    is never freed, or a callback of the ended call uses memory that is no longer valid.

    Without this test silence would prove nothing: a dead device is silent, too.
    """
    if refused(flow) is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return
    yield next_call_works(
        flow,
        after="a declined call",
        look_at="which state of a refused call remains; the device's own log at this moment",
    )
