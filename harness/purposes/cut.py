"""What a finding is worth in a flow that was cut, because more came than a flow keeps.  Pure.

A flooding device would fill the disk, so of each kind of message only the first and the last are kept.  What rests on a
message of the device from before the cut stands: a device that floods is judged by how it began.  Whatever was counted,
or looked for in vain, over messages of which some are missing shows nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from harness.model.finding import Finding
from harness.model.flow import Flow


def despite_the_cut(findings: Iterable[Finding], flows: Sequence[Flow]) -> list[Finding]:
    """``findings`` about ``flows``, in which no violation rests on what is missing."""
    cut = [flow for flow in flows if flow.cut_at is not None]
    return [_doubted(finding, cut) if cut and finding.outcome == "violated" else finding for finding in findings]


def _doubted(finding: Finding, cut: Sequence[Flow]) -> Finding:
    for flow in cut:
        decisive = next((event for event in flow.events if event.number == finding.event), None)
        if decisive is not None and decisive.from_device and decisive.time < (flow.cut_at or 0):
            return finding
    why = f"{finding.actual} - but more came than a flow keeps, and what is missing here was not counted"
    return dataclasses.replace(finding, outcome="unseen", actual=why)
