"""The ACK of a refusal, and a copy of its INVITE after it: the server transaction absorbs both (RFC 3261 17.2.1)."""

from __future__ import annotations

from harness.judge.answers import Asked, unproven
from harness.judge.attempts import tries
from harness.judge.copies import differences
from harness.judge.say import Findings, expect, satisfied, unseen, violated
from harness.judge.served import begun, served
from harness.judge.timers import timers_of
from harness.model.finding import Finding
from harness.model.flow import Flow
from harness.model.verdict import Verdict

_ABSORBED_S = 4.0
"""Seconds after the first ACK within which another one still finds its transaction: Timer I, 5 s on UDP, less a delay
of this machine.  A later one is nobody's, and may be routed like any request."""
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


def ends_here(flow: Flow, requirement: str) -> Findings:
    """Whether the ACK of each refused call of a proxy ended there: none went on with a branch of its own."""
    own = {one.request.branch for one in begun(flow) if one.request.method == "INVITE"}
    for one in served(flow):
        request = one.request
        # The ACK of a 2xx is forwarded, and has its own branch.
        accepted = any(200 <= (response.status or 0) < 300 for response in one.responses)
        if request.method != "INVITE" or one.status < 300 or accepted or not one.acks:
            continue
        call = request.call_id, request.from_tag, request.cseq_number
        ours = [e for e in flow.events if e.from_device and (e.call_id, e.from_tag, e.cseq_number) == call]
        answered = any(200 <= (e.status or 0) < 300 for e in flow.events if e.call_id == request.call_id)
        known_until = one.acks[0].time + _ABSORBED_S
        passed = [e for e in ours if e.method == "ACK" and e.branch not in own and e.time < known_until]
        if answered and passed:
            continue
        yield expect(
            not passed,
            code="ack-passed-on",
            expected=f"the ACK of the {one.status} (message {one.acks[0].number}) ends at the proxy",
            actual=f"{passed[0].start_line} at {passed[0].seat}, with a branch of its own"
            if passed
            else "none went on",
            event=passed[0] if passed else one.acks[0],
            means="a callee gets the ACK of a transaction that it does not know, or of another branch's refusal",
            look_at="does the ACK match its server transaction before it is routed like that of a 2xx?",
            requirement=requirement,
        )
