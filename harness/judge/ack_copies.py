"""The copies of a refusal, each of which the client transaction acknowledges again (RFC 3261 17.1.1.2)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from harness.judge.acks import Refusal, no_ack_doubt
from harness.judge.say import satisfied, unseen, violated
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict

TIMER_D_S = 31.9
"""Seconds after the first response until which its copies must be acknowledged: 32, less what clocks may differ."""
_T4_S = 5.0
"""Seconds that a message may stay in the network: a copy that comes so soon must find its transaction."""

REPEATS = "one lost ACK, and the other side repeats its response until its timer ends"
TIMER_D = "Timer D: how long does the client transaction stay in Completed?"
_RE_ACK = "does the client transaction stay in Completed for 32 s, and does it send its ACK again there?"


def each_copy_acknowledged(flow: Flow, refusal: Refusal, requirement: str = "") -> Finding:
    """As many ACKs as copies, and all of them the same ACK."""
    acks = refusal.acks
    finals = tuple(f for f in refusal.attempt.finals if f.time - refusal.final.time <= TIMER_D_S)
    ended = 0.0
    if len(acks) < len(finals):
        if why := doubt(flow, refusal):
            return unseen(
                f"{len(acks)} ACKs for {len(finals)} copies, but {why}", code="not-proven", requirement=requirement
            )
        ended = _over_by(refusal)
    changed = _changed((*acks, *_astray(flow, refusal)), requirement)
    # A transaction that ends early, which is the milder fault, does not hide an ACK that is another.
    if len(acks) < len(finals) and not changed:
        over = f", and none for copies from {ended:.1f} s on: the transaction had ended by then" if ended else ""
        return violated(
            code="transaction-ends-early" if ended else "copies-unacknowledged",
            expected=f"{len(finals)} ACKs, one for each copy of the {refusal.final.status}",
            actual=f"{'one ACK' if len(acks) == 1 else f'{len(acks)} ACKs'}{over}",
            event=finals[len(acks)],
            means=REPEATS,
            look_at=TIMER_D if ended else _RE_ACK,
            at_most=Verdict.WARN if ended else Verdict.FAIL,
            requirement=requirement,
        )
    if changed:
        return changed
    alike = len({ack.raw for ack in acks}) == 1
    return satisfied(
        f"{len(acks)} ACKs for {len(finals)} copies of the {refusal.final.status}",
        note="" if alike else "the ACKs differ in bytes, but in nothing that they are matched by",
        requirement=requirement,
    )


def _over_by(refusal: Refusal) -> float:
    """Seconds between the first response and the first copy without ACK, if the transaction was over by then; else 0.

    It was if every copy before has its ACK, none after has one, and T4 has passed.  To acknowledge copies is a MUST
    while the transaction lasts; that it lasts 32 s is a SHOULD (17.1.1.2).
    """
    acks, finals = refusal.acks, refusal.attempt.finals
    in_turn = all(ack.number > final.number for ack, final in zip(acks, finals, strict=False))
    first_without = finals[len(acks)]
    after = first_without.time - refusal.final.time
    return after if in_turn and acks[-1].number < first_without.number and after > _T4_S else 0.0


def _astray(flow: Flow, refusal: Refusal) -> tuple[Event, ...]:
    """ACKs that have the To tag of the refusal and belong to no INVITE: made for its copies, and of another INVITE."""
    known = {ack.number for ack in refusal.acks}
    return flow.select(
        "ACK",
        received=True,
        at=refusal.attempt.seat,
        where=lambda ack: (
            ack.number not in known
            and ack.number > refusal.final.number
            and ack.call_id == refusal.invite.call_id
            and ack.to_tag is not None
            and ack.to_tag == refusal.final.to_tag
        ),
    )


def _changed(acks: Sequence[Event], requirement: str) -> Finding | None:
    """The first ACK that is another than the first one; None if all are the same."""
    first, *others = acks
    for ack in others:
        changed = [
            name
            for name, was, now in (
                ("Request-URI", first.request_uri, ack.request_uri),
                ("branch", first.branch, ack.branch),
                ("To tag", first.to_tag, ack.to_tag),
                ("From tag", first.from_tag, ack.from_tag),
                ("CSeq", first.cseq_number, ack.cseq_number),
            )
            if was != now
        ]
        if changed:
            return violated(
                code="ack-changed",
                expected="the same ACK for each copy",
                actual=f"another {', '.join(changed)} than in message {first.number}",
                event=ack,
                means="the other side matches only one of the ACKs",
                look_at="is the ACK kept by the transaction, or built anew for each copy?",
                requirement=requirement,
            )
    return None


def doubt(flow: Flow, refusal: Refusal) -> str:
    """Why a missing ACK of a copy does not prove that none was sent, in words; "" if it does."""
    if flow.watch.closed_at - refusal.attempt.finals[-1].time < 0.2:
        return "the flow ends with the last copy"
    # The first ACK shows that one can arrive; what is left to doubt is the end of the flow.
    return no_ack_doubt(flow, dataclasses.replace(refusal, final=refusal.attempt.finals[0]))
