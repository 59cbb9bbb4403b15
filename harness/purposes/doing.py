"""Whose doing it is that a case is inconclusive: the harness's, the profile's, or the device's.  Pure, and data.

``harness``: the suite or this machine, and the window of the run.  ``profile``: what the profile says, or does not say,
of the device and of what makes it call.  ``device``: what the device did, or did not do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from harness.errors import DeviceError, ProfileError
from harness.judge.patience import TOO_SHORT
from harness.judge.say import NO_GROUNDS
from harness.judge.silence import DROPS, NOT_LISTENING, WINDOW
from harness.model.finding import Party, Ruled
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.purposes.evidence_check import no_evidence
from harness.purposes.weather import weathered

_NOT_PROVEN: Final = "not-proven"
_OF_TROUBLE: Final[Mapping[str, Party]] = {"harness": "harness", "stimulus": "profile", "device": "device"}
_OF_CODE: Final[Mapping[str, Party]] = {
    **dict.fromkeys((DROPS, NOT_LISTENING, NO_GROUNDS, TOO_SHORT, WINDOW), "harness"),
    # A response of the harness crossed one of the device's.
    "timer-g": "harness",
    "no-reinvite": "profile",
    # The device has another name server, or none.
    "resolver-not-asked": "profile",
}
"""Codes of findings that name the doing; without one it is the device that did not come to what was to be judged."""


def doing_of(verdict: Verdict, ruled: Sequence[Ruled], drives: int, flows: Sequence[Flow]) -> Party:
    """Whose doing it is that ``verdict`` is INCONCLUSIVE; "" for any other.

    ``flows`` are those of all ``drives``, in order; the last drive is what the verdict is about.
    """
    if verdict is not Verdict.INCONCLUSIVE:
        return ""
    last = flows[-(len(flows) // drives) :] if drives > 1 else flows
    worst = max(ruled, key=lambda one: one.verdict, default=None)
    if any(no_evidence(flow) for flow in last) or worst is None:
        return "harness"
    parties = {_OF_TROUBLE[trouble.blame] for flow in last for trouble in flow.troubles}
    for party in ("harness", "profile"):
        if party in parties:
            return party
    if any(flow.loss for flow in last):
        return "device"
    if any(weathered(flow) for flow in last if not flow.plan.weather):
        return "harness"
    if worst.finding.code == _NOT_PROVEN:
        # The flow ends too early, or lacks something; a device that is alive has no part in that.
        return "device" if any(flow.plan.watched and flow.life is None for flow in last) else "harness"
    return _OF_CODE.get(worst.finding.code, "device")


def doing_of_error(error: BaseException) -> Party:
    """Whose doing it is that a case could not be driven at all."""
    if isinstance(error, ProfileError):
        return "profile"
    return "device" if isinstance(error, DeviceError) else "harness"
