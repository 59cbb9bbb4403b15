"""How long a device may take for what no RFC gives it a time for.

A device may play an announcement, wait before it calls the next target, or let a backup ring that the suite does not
see.  The window of a run says how long silence is watched; it is no deadline.  So that something has *not yet* happened
at the end of a short window is no failure.
"""

from __future__ import annotations

from typing import Final

from harness.judge.say import Gap
from harness.model.flow import Event, Flow

PATIENCE_S: Final = 32.0
"""64*T1: after that time any request that is still unanswered has failed (RFC 3261 17.1.1.2)."""
TOO_SHORT: Final = "window-too-short"
"""The code of a finding that a longer window would decide."""


def may_yet_come(flow: Flow, after: Event) -> Gap | None:
    """What keeps the end of ``flow`` from showing that nothing follows ``after`` any more; None if nothing does."""
    watched = flow.watch.closed_at - after.time
    if watched >= PATIENCE_S:
        return None
    return Gap(
        TOO_SHORT,
        f"this flow ends {watched:.1f} s after message {after.number}, and a device may take longer: "
        f"a window of {PATIENCE_S:g} s and more (standard) decides it",
    )
