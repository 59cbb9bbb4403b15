"""A copy of an INVITE that comes after the ACK of its refusal: the server transaction absorbs it (RFC 3261 17.2.1)."""

from __future__ import annotations

from harness.judge.answers import Asked, unproven
from harness.judge.attempts import tries
from harness.judge.copies import differences
from harness.judge.say import satisfied, unseen, violated
from harness.judge.timers import timers_of
from harness.model.finding import Finding
from harness.model.flow import Flow
from harness.model.verdict import Verdict

_LOOK_AT = "does the transaction stay for Timer I (5 s on UDP) after the ACK, and does the copy match it?"


def copy_absorbed(flow: Flow, one: Asked) -> Finding:
    """Whether such a copy leads to nothing: no call (a fail), and no answer but the same refusal (a warning)."""
    first, t1 = one.finals[0], timers_of(flow).t1
    acked = next(iter(one.acks), None)
    copy = next((copy for copy in one.copies if acked and copy.number > acked.number), None)
    if acked is None or copy is None:
        return unseen("no copy of the INVITE came after the ACK of its refusal", code="not-repeated")
    expected = f"nothing but the {first.status} for a copy {1000 * (copy.time - acked.time):.0f} ms after its ACK"
    # A later call has other reasons, and other tests judge it.
    until = copy.time + t1
    rung = [one.invite for one in tries(flow) if one.invite.number > copy.number and one.invite.time < until]
    if rung:
        return violated(
            code="rings-again",
            expected=expected,
            actual=f"{rung[0].start_line} {1000 * (rung[0].time - copy.time):.0f} ms after the copy",
            event=rung[0],
            means="a datagram that the network delivers twice calls somebody again who has just declined",
            look_at=_LOOK_AT,
        )
    later = [response for response in one.responses if response.number > copy.number]
    strange = [response for response in later if response.status != first.status or differences(first, response)]
    if strange:
        return violated(
            code="taken-for-new",
            expected=expected,
            actual=f"{strange[0].status} {strange[0].reason}, with the To tag {strange[0].to_tag or '(none)'}",
            event=strange[0],
            means="what the network delivers twice is handled as another call",
            look_at=_LOOK_AT,
            at_most=Verdict.WARN,
        )
    if later:
        return satisfied(f"the {first.status} again", event=later[0], note="answered, though it had been acknowledged")
    if doubt := unproven(flow, one.seat, until):
        return unseen(f"nothing came of the copy, but {doubt}", code="not-proven")
    return satisfied("nothing came of the copy", event=copy)
