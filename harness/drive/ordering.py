"""The order of a flow: messages of several SIPps put together so that no cause comes after its effect.

Within one trace the order is certain.  Between traces only times tell, and SIPp writes the time of a message that it
sent *after* having sent it: on a busy machine the device's reaction can be logged elsewhere first.  So a sent message
is put where it may have been sent at the earliest: after the message before it in its own trace, and after the
delay its plan asks for.  The times themselves stay as SIPp logged them.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.drive.recorder import Heard
from harness.plan import Plan

_EARLY = 0.98
"""SIPp's pauses may end a little early by its own clock."""


def in_causal_order(heard: Iterable[Heard], plan: Plan) -> list[Heard]:
    """``heard``, in which the messages of each seat are in the order of its trace, as one sequence."""
    by_seat: dict[str, list[Heard]] = {}
    for one in heard:
        by_seat.setdefault(one.seat, []).append(one)
    keyed = [pair for seat, messages in by_seat.items() for pair in _with_earliest(seat, messages, plan)]
    return [one for _, one in sorted(keyed, key=lambda pair: pair[0])]


def _with_earliest(seat: str, messages: list[Heard], plan: Plan) -> list[tuple[tuple[float, int], Heard]]:
    pairs: list[tuple[tuple[float, int], Heard]] = []
    said: dict[str, float] = {}
    """The earliest time of the last message of each INVITE transaction, by branch."""
    before = float("-inf")
    for place, one in enumerate(messages):
        at, branch = one.traced.time, one.message.branch or ""
        if one.traced.direction == "sent":
            delay = _delay(seat, one, plan) if branch in said else 0.0
            at = min(at, max(before, said.get(branch, before) + delay * _EARLY))
        at = max(at, before)
        if one.message.method == "INVITE" or one.message.cseq_method == "INVITE":
            said[branch] = at
        pairs.append(((at, place), one))
        before = at
    return pairs


def _delay(seat: str, one: Heard, plan: Plan) -> float:
    """The least delay that the plan asks for before a response of this status at this seat."""
    return min(
        (
            response.after
            for endpoint in plan.endpoints
            if endpoint.name == seat
            for answer in endpoint.answers
            for response in answer.responses
            if response.status == one.message.status
        ),
        default=0.0,
    )
