"""What the flows of a device show of its claims (PICS): seen, not seen although there was a chance, or not observable.

It gives no verdicts: a claim that is never seen, or a feature that is seen and not claimed, is only reported.  What one
flow shows: :mod:`harness.judge.glimpses`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from harness.judge.glimpses import Glimpse

EVIDENCE: Final = 3
"""So many flows are named."""

UNOBSERVABLE: Final[Mapping[str, str]] = {
    "dns": "a name is used only in calls of devices that claim it",
    "forwards_tel": "what a tel: URI resolves to is configured outside of SIP",
    "isup_gateway": "the other side of a gateway is not SIP",
    "maps_isup": "the other side of a gateway is not SIP",
    "rfc5630": "what a sips: URI means to it shows only in calls of devices that claim it",
    "stateless_proxy": "what keeps no state differs only in what it does not do",
    "stateless_server": "what keeps no state differs only in what it does not do",
    "stops_on_603plus": "any device may stop; who must is a matter of law and operation",
    "verifies_certificates": "what it checks shows only where a certificate is wrong",
    "transports_603plus": "any device may pass a 603+ on; who must is a matter of law and operation",
}
"""Claims that no flow can show."""


@dataclass(frozen=True)
class Observation:
    """What the flows of one device show of one claim."""

    device: str
    key: str
    claimed: bool
    seen: bool | None
    """None: nothing in these flows gave it a chance to show, or no flow ever can."""
    reason: str
    evidence: tuple[str, ...] = ()
    """Ids of flows."""

    @property
    def differs(self) -> bool:
        """Whether the device is not what it is declared to be: claimed and not seen, or seen and not claimed."""
        return self.seen is not None and self.seen != self.claimed

    @property
    def sentence(self) -> str:
        """It in one line."""
        claim = "is claimed" if self.claimed else "is not claimed"
        return f"{self.device}: {self.key} {claim}, and {self.reason}"


def observe(device: str, claims: Mapping[str, bool], flows: Mapping[str, Mapping[str, Glimpse]]) -> list[Observation]:
    """What the ``flows`` of ``device`` (glimpses by flow id) show of its claims: of what it claims, and what shows."""
    shown: dict[str, list[str]] = {}
    missed: dict[str, list[str]] = {}
    for flow, seen in sorted(flows.items()):
        for key, glimpse in seen.items():
            (shown if glimpse == "shown" else missed).setdefault(key, []).append(flow)
    found = []
    for key in sorted(claims):
        claimed, yes, no = claims[key], shown.get(key, []), missed.get(key, [])
        if yes:
            said = f"was seen in {_in(yes)}"
            found.append(Observation(device, key, claimed, True, said, tuple(yes[:EVIDENCE])))
        elif no:
            said = f"did not show in {_in(no)}, in which it had an occasion"
            found.append(Observation(device, key, claimed, False, said, tuple(no[:EVIDENCE])))
        elif claimed:
            why = UNOBSERVABLE.get(key)
            said = f"cannot be seen: {why}" if why else "could not be seen: nothing in this run gave it a chance"
            found.append(Observation(device, key, claimed, None, said))
    return found


def _in(flows: list[str]) -> str:
    return f"{len(flows)} flows (the first is {flows[0]})" if len(flows) > 1 else f"flow {flows[0]}"
