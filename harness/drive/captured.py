"""One message as a drive hears it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.endpoints.sipp.trace import TracedMessage
from harness.sip.message import SipMessage


@dataclass(frozen=True)
class Heard:
    """One message as it came from a trace."""

    seat: str
    traced: TracedMessage
    message: SipMessage

    @property
    def received(self) -> bool:
        """Whether the device sent it."""
        return self.traced.direction == "received"
