"""What is known of one drive while it runs: its messages, and whether a call is still going on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.plan import Plan
from harness.sip import SipMessage
from harness.sipp.trace import TracedMessage


@dataclass(frozen=True)
class Heard:
    """One message as it came from a trace."""

    seat: str
    traced: TracedMessage
    message: SipMessage


@dataclass
class _Invite:
    """An INVITE transaction as it stands."""

    seat: str
    ordinal: int
    finals: int = 0
    status: int = 0
    acked: bool = False
    ended: bool = False
    last_final: float | None = None


@dataclass
class Recorder:
    """Collects the messages of one drive and tells when something happened."""

    plan: Plan
    on_message: Callable[[Heard], None] = lambda _heard: None
    heard: list[Heard] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    last_message_at: float = 0.0
    """Loop time of the last message; what "quiet" is counted from."""
    _invites: dict[tuple[str, str, str], _Invite] = field(default_factory=dict)
    _ended_calls: set[str] = field(default_factory=set)

    def hear(self, heard: Heard) -> None:
        """Take one message."""
        self.heard.append(heard)
        self._follow(heard)
        self.last_message_at = asyncio.get_running_loop().time()
        self.on_message(heard)
        self.changed.set()

    def invites(self) -> int:
        """How many INVITE transactions of the device have arrived."""
        return len(self._invites)

    def busy(self) -> bool:
        """Whether a call is going on: an INVITE that its endpoint has yet to answer, or an answered call not ended."""
        return any(self._open(invite) for invite in self._invites.values())

    def last_final_at(self) -> float | None:
        """Time (epoch) of the last final response that an endpoint sent; None if there was none."""
        return max((i.last_final for i in self._invites.values() if i.last_final is not None), default=None)

    def saw(self, predicate: Callable[[Heard], bool]) -> bool:
        """Whether a message that satisfies ``predicate`` was heard."""
        return any(predicate(heard) for heard in self.heard)

    def _open(self, invite: _Invite) -> bool:
        endpoint = self.plan.endpoint(invite.seat)
        # From its cap on an endpoint answers 480 by itself.
        if invite.ordinal > endpoint.cap:
            return False
        answer = endpoint.answers[min(invite.ordinal, len(endpoint.answers)) - 1]
        if invite.finals and invite.status < 300:
            return not invite.ended
        return invite.finals < answer.finals

    def _follow(self, heard: Heard) -> None:
        message, received = heard.message, heard.traced.direction == "received"
        if message.method == "INVITE" and received and heard.seat in {e.name for e in self.plan.endpoints}:
            key = (heard.seat, message.call_id, message.branch or "")
            if key not in self._invites and not self._is_reinvite(heard):
                ordinal = 1 + sum(invite.seat == heard.seat for invite in self._invites.values())
                self._invites[key] = _Invite(heard.seat, ordinal)
        elif message.status is not None and message.cseq_method == "INVITE" and not received and message.status >= 200:
            invite = self._invites.get((heard.seat, message.call_id, message.branch or ""))
            if invite:
                invite.finals += 1
                invite.status = invite.status or message.status
                invite.last_final = heard.traced.time
        elif message.method == "BYE" or (message.status is not None and message.cseq_method == "BYE"):
            # The call is over when the BYE has been answered, whoever sent it; an unanswered one ends at the deadline.
            if message.status is not None:
                self._end(heard.seat, message.call_id)

    def _is_reinvite(self, heard: Heard) -> bool:
        return heard.message.to_tag is not None and any(
            seat == heard.seat and call_id == heard.message.call_id and invite.status == 200
            for (seat, call_id, _), invite in self._invites.items()
        )

    def _end(self, seat: str, call_id: str) -> None:
        for (at, call, _), invite in self._invites.items():
            if at == seat and call == call_id:
                invite.ended = True
