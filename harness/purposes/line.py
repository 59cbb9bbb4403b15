"""What a finding is worth on a line that loses packets by itself.  Pure: the session and ``replay`` both use it.

The taps see what arrives, and not what should have.  So on such a line a violation counts only if it rests on something
that the device sent, in a flow in which no message had to be repeated.  All else may be the line's doing, is asked for
again, and is inconclusive if it stays so.  What passes although packets get lost has passed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Final

from harness.model.finding import Finding
from harness.model.flow import Flow
from harness.model.line import Line

MOST_DRIVES: Final = 6
"""How often a plan is driven at most to see it once without a lost packet: at 5 % one in three flows has one."""
FAILS: Final = 3
"""How many drives have to show a violation on a line that loses packets: a lost packet that leaves no trace may look
like one, and does so again with the chance that packets get lost."""


def line_of(flows: Iterable[Flow]) -> Line | None:
    """The line of ``flows`` if it loses packets."""
    return next((flow.line for flow in flows if flow.line is not None), None)


def blamed(line: Line | None) -> str:
    """How a reason ends whose cause may be that ``line`` loses packets; "" where it does not."""
    return f" - but {line.sentence}: a better line would show it" if line else ""


def despite_the_line(findings: Iterable[Finding], flows: Sequence[Flow]) -> list[Finding]:
    """``findings`` about ``flows``, in which no violation can be the line's doing."""
    line = line_of(flows)
    if line is None:
        return list(findings)
    return [_doubted(finding, flows, line) for finding in findings]


def repeated(flow: Flow) -> bool:
    """Whether a message crossed twice in ``flow``: somebody had to send it again."""
    seen: set[tuple[str, str, str]] = set()
    for event in (*flow.events, *flow.late):
        key = (event.direction, event.seat, event.raw)
        if key in seen:
            return True
        seen.add(key)
    return False


def _doubted(finding: Finding, flows: Sequence[Flow], line: Line) -> Finding:
    if finding.outcome == "satisfied":
        return finding
    if finding.outcome == "violated" and _rests_on_the_device(finding, flows) and not any(map(repeated, flows)):
        return finding
    return dataclasses.replace(finding, outcome="unseen", actual=finding.actual + blamed(line))


def _rests_on_the_device(finding: Finding, flows: Sequence[Flow]) -> bool:
    """Whether the decisive message came from the device: that something did not come may be the line's doing."""
    if finding.event is None:
        return False
    decisive = [event for flow in flows for event in flow.events if event.number == finding.event]
    return bool(decisive) and all(event.from_device for event in decisive)
