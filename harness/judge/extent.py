"""How much of something a device did: how many, for how long, and what ended it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from harness.judge.attempts import Attempt, tries
from harness.model.flow import Flow


def extent(flow: Flow, found: Sequence[Attempt]) -> str:
    """The size of ``found``, attempts that should not be, for the end of a sentence; "" for a single one.

    A loop that only the suite's limit or the end of the flow has stopped is called one.  Of a flood a flow keeps the
    first and the last messages, so their number is a least one.
    """
    if len(found) < 2:
        return ""
    moments = [attempt.invite.time for attempt in found]
    lasted, longest = moments[-1] - moments[0], max(late - early for early, late in pairwise(moments))
    least = "at least " if flow.left_out.get("INVITE") else ""
    size = f"; {least}{len(found)} such INVITEs in {later(lasted)}"
    if limit := _limit(flow):
        return f"{size}, a loop that only this suite's limit ended: {limit}"
    if flow.watch.closed_at - moments[-1] < 1.5 * longest:
        return f"{size}, and no end of it before the flow ended"
    return f"{size}, and then no more for {flow.watch.closed_at - moments[-1]:.0f} s"


def later(seconds: float) -> str:
    """A delay for people: milliseconds below a second.  What is negative came before, and is shown so."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _limit(flow: Flow) -> str:
    for endpoint in flow.plan.endpoints:
        if sum(attempt.seat == endpoint.name for attempt in tries(flow)) > endpoint.cap:
            return f"after {endpoint.cap} calls {endpoint.name} answers 480"
    return ""
