"""After a call that was refused, in whatever way, the device can place the next one."""

from __future__ import annotations

from harness.judge.attempts import tries
from harness.judge.say import satisfied, unseen, violated
from harness.model.finding import Finding
from harness.model.flow import Flow


def next_call_works(flow: Flow, *, after: str, look_at: str, requirement: str = "") -> Finding:
    """Whether the second call of ``flow`` was placed, answered and acknowledged.

    ``after`` names what came before it: ``a declined call``, ``a 302 with a foreign branch``.
    """
    wanted = "the next call is placed, answered and acknowledged"
    # That more came than is kept is the device's doing as well, and no failure to call.
    fails = [t.text for t in flow.troubles if t.blame == "device" and not t.text.startswith("more came than")]
    if len(flow.calls) < 2 and not fails:
        troubles = "; ".join(trouble.text for trouble in flow.troubles)
        return unseen(troubles or "the second call was never asked for", code="not-called", requirement=requirement)
    asked = flow.calls[1].placed_at if len(flow.calls) > 1 else flow.watch.closed_at
    later = [attempt for attempt in tries(flow) if attempt.invite.time >= asked]
    answered = [attempt for attempt in later if attempt.status == 200]
    if done := next((attempt for attempt in answered if attempt.acks), None):
        said = f"after {after} the next call was placed, answered and acknowledged"
        return satisfied(said, event=done.invite, requirement=requirement)
    if not later:
        waited = f"no INVITE arrived within {flow.watch.closed_at - asked:.1f} s of asking for it"
        return violated(
            code="device-fails" if fails else "no-next-call",
            expected=wanted,
            actual=f"after {after}: {fails[0] if fails else waited}",
            means=f"after {after} the device cannot call any more, or has to be started again",
            look_at=look_at,
            requirement=requirement,
        )
    if not answered:
        why = "the second call was placed, but the tester never answered it"
        return unseen(why, code="not-answered", requirement=requirement)
    return violated(
        code="next-call-unacknowledged",
        expected=wanted,
        actual=f"after {after} it was placed and answered 200, and the 200 got no ACK",
        event=answered[0].final,
        means="the next call is answered and has no session",
        look_at=look_at,
        requirement=requirement,
    )
