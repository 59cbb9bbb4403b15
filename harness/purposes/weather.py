"""What a finding is worth in a flow whose messages the tap lost, delayed, copied or reordered on purpose."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from harness.model.finding import Finding
from harness.model.flow import Event, Flow


def despite_weather(findings: Iterable[Finding], flows: Sequence[Flow]) -> list[Finding]:
    """``findings`` about ``flows``, in which no violation rests on what the tap did.

    A violation stands where the tap had touched nothing before the device's decisive message.  Else what the device did
    may be its lawful answer to a bad line, and nothing was seen.
    """
    # A plan that makes its own weather has judges that know of it.
    if not any(_touched(flow) for flow in flows if not flow.plan.weather):
        return list(findings)
    return [_weathered(finding, flows) if finding.outcome == "violated" else finding for finding in findings]


def weathered(flow: Flow) -> bool:
    """Whether the tap did something to a message of ``flow``."""
    return bool(_touched(flow))


def _weathered(finding: Finding, flows: Sequence[Flow]) -> Finding:
    touched = [event for flow in flows for event in _touched(flow)]
    decisive = _decisive(finding, flows)
    if decisive is not None and decisive.from_device:
        touched = [event for event in touched if event.time <= decisive.time]
    if not touched:
        return finding
    counted = ", ".join(
        f"{number} {fate}" for fate in ("lost", "delayed", "copied") if (number := _count(touched, fate))
    )
    why = f"{finding.actual}, but the tap had changed what the network does ({counted}): a better line would tell"
    return dataclasses.replace(finding, outcome="unseen", actual=why)


def _decisive(finding: Finding, flows: Sequence[Flow]) -> Event | None:
    if finding.event is None or len(flows) != 1:
        return None
    return next((event for event in flows[0].events if event.number == finding.event), None)


def _touched(flow: Flow) -> list[Event]:
    # What the plan itself wants odd is no weather.
    return [*flow.lost, *(event for event in flow.events if event.fate not in ("", "changed"))]


def _count(events: Iterable[Event], fate: str) -> int:
    return sum(event.fate == fate for event in events)
