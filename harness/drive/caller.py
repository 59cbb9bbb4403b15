"""The state of one SIPp caller's request during its drive: the responses so far, and whether more are due."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model.flow import Event
from harness.model.plan import Call


@dataclass
class CallerState:
    """The current state of one caller's request."""

    call: Call
    began_at: float
    """Its start time; it sent nothing before."""
    hangs_up: bool = False
    """Whether the caller ends a call that is answered."""
    authorises: bool = False
    """Whether the caller answers a challenge, and asks a second time."""
    reached: bool = False
    """Whether the device has sent more than 100 in response to the request."""
    status: int = 0
    """Of the first final response; 0 before."""
    answered_at: float | None = None
    """Time (epoch) of the first copy of the first final response."""
    _acks: int = 0
    _turn: int = 1
    """The CSeq of the request that counts: 2 once the first has been challenged."""
    _ended: bool = False

    @property
    def due(self) -> bool:
        """Whether a message is due: a final response, an ACK, or the end of an answered call."""
        if not self.status:
            return True
        if self.call.method != "INVITE":
            return False
        if self.status >= 300:
            return self._acks < self.call.acks
        return self.hangs_up and not self._ended

    def follow(self, event: Event) -> None:
        """Take one message of the caller."""
        status = event.status or 0
        if not event.from_device:
            self._acks += event.method == "ACK"
        elif event.cseq_method == "BYE" and status >= 200:
            self._ended = True
        elif event.cseq_method == self.call.method and event.cseq_number == self._turn and status > 100:
            if self.authorises and self._turn == 1 and status in (401, 407):
                self._turn = 2
                self._acks -= self.call.method == "INVITE"
                return
            self.reached = True
            if status >= 200 and not self.status:
                self.status, self.answered_at = status, event.time
