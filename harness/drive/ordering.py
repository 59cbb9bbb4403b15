"""The order of a flow: messages of several SIPps put together so that no cause comes after its effect.

Within one trace the order is certain.  Between traces only times tell, and SIPp writes the time of a message that it
sent *after* having sent it: on a busy machine the device's reaction can be logged elsewhere first.  So a sent message
is put where it may have been sent at the earliest: after the message before it in its own trace (a SIPp does nothing
but for what it has read, or when a wait is over), and after the delay that its plan or its timers ask for.  That holds
for endpoints and callers alike, and nothing is asked of what the device makes of a message on its way through.
The times themselves stay as SIPp logged them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.drive.captured import Heard
from harness.model.plan import Plan

_EARLY = 0.98
"""SIPp's pauses may end a little early by its own clock."""
_T1_S = 0.5
_LATE_S = 1.0
"""How much later than it was sent a message is logged, at the most."""


def in_causal_order(heard: Iterable[Heard], plan: Plan, began: Mapping[str, float] | None = None) -> list[Heard]:
    """``heard``, in which the messages of each seat are in the order of its trace, as one sequence.

    ``began``: for seats that act by themselves, the time before which they said nothing.
    """
    by_seat: dict[str, list[Heard]] = {}
    for one in heard:
        by_seat.setdefault(one.seat, []).append(one)
    floor = began or {}
    keyed = [
        pair
        for seat, messages in by_seat.items()
        for pair in _with_earliest(seat, messages, plan, floor.get(seat, float("-inf")))
    ]
    return [one for _, one in sorted(keyed, key=lambda pair: pair[0])]


def _with_earliest(
    seat: str, messages: list[Heard], plan: Plan, before: float
) -> list[tuple[tuple[float, int], Heard]]:
    pairs: list[tuple[tuple[float, int], Heard]] = []
    said: dict[str, float] = {}
    """The earliest time of the last message of each INVITE transaction, by branch."""
    requested: dict[str, float] = {}
    """The earliest time of the last copy of each request that was sent, by its text."""
    for place, one in enumerate(messages):
        at, branch, text = one.traced.time, one.message.branch or "", one.traced.raw
        if not one.received:
            delay = _delay(seat, one, plan) if branch in said else 0.0
            earliest = max(before, at - _LATE_S, said.get(branch, before) + delay * _EARLY)
            if one.message.method not in (None, "ACK") and text in requested:
                # A copy by a timer, unless the plan wants one sooner.
                soon = any(call.act == "repeat" for call in plan.calls)
                earliest = max(earliest, requested[text] + (0 if soon else _T1_S * _EARLY))
            at = min(at, earliest)
            requested[text] = at
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
