"""How many calls a device placed that it should not have placed, for how long, and what ended them."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judge.attempts import Attempt, tries
from harness.model.flow import Flow

_GOING_ON = 2
"""If the watch ended within so many usual intervals after the last call, the calls were still going on."""


def amount(flow: Flow, late: Sequence[Attempt]) -> str:
    """The amount in words, to follow the description of the first of ``late``; "" for a single one."""
    if len(late) < 2:
        return ""
    lasted = late[-1].invite.time - late[0].invite.time
    return f"; {len(late)} such INVITEs in {lasted:.1f} s, {_ended(flow, late, lasted)}"


def _ended(flow: Flow, late: Sequence[Attempt], lasted: float) -> str:
    for endpoint in flow.plan.endpoints:
        placed = sum(attempt.seat == endpoint.name for attempt in tries(flow))
        if placed > endpoint.cap and any(attempt.seat == endpoint.name for attempt in late):
            return f"stopped only by the suite, which answers 480 after {endpoint.cap} calls to {endpoint.name}"
    rest = flow.watch.closed_at - late[-1].invite.time
    if rest < _GOING_ON * lasted / (len(late) - 1):
        return "still going on at the end of the window"
    return f"and none in the last {rest:.1f} s of the window"
