"""One message as a drive hears it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.sip import SipMessage
from harness.sipp.trace import TracedMessage


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
