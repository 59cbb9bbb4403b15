"""After a refused call the device goes on working."""

from __future__ import annotations

from harness.judge.acks import NOT_REFUSED, refused
from harness.judge.attempts import tries
from harness.judge.say import Findings, satisfied, unseen, violated
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
    wanted = "the next call is placed, answered and acknowledged"
    look_at = "which state of a refused call remains; the device's own log at this moment"
    if told := [trouble for trouble in flow.troubles if trouble.blame == "device"]:
        yield violated(
            code="device-fails",
            expected=wanted,
            actual=told[0].text,
            means="after a declined call the device cannot call any more, or has to be started again",
            look_at=look_at,
        )
        return
    if len(flow.calls) < 2:
        yield unseen(
            "; ".join(trouble.text for trouble in flow.troubles) or "the second call was never asked for",
            code="not-called",
        )
        return
    asked = flow.calls[1].placed_at
    later = [attempt for attempt in tries(flow) if attempt.invite.time >= asked]
    if not later:
        yield violated(
            code="no-next-call",
            expected=wanted,
            actual=f"no INVITE arrived within {flow.watch.closed_at - asked:.1f} s of asking for it",
            means="after a declined call the device cannot call any more",
            look_at=look_at,
        )
        return
    answered = [attempt for attempt in later if attempt.status == 200]
    if not answered:
        yield unseen("the second call was placed, but the tester never answered it", code="not-answered")
        return
    done = next((attempt for attempt in answered if attempt.acks), None)
    if done:
        yield satisfied("the next call was placed, answered and acknowledged", event=done.invite)
        return
    yield violated(
        code="next-call-unacknowledged",
        expected=wanted,
        actual="it was placed and answered 200, and the 200 got no ACK",
        event=answered[0].final,
        means="the next call is answered and has no session",
        look_at=look_at,
    )
