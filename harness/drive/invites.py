"""How far the calls are that reach the endpoints of a drive: what each INVITE got, and what is still due."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.model.flow import Event
from harness.model.plan import Answer, Plan

MOST_FOLLOWED = 200
"""The most INVITE transactions that are followed at one endpoint: in a flood each further one would slow down every
message."""


@dataclass
class _Invite:
    """The current state of a call-opening INVITE transaction."""

    answer: Answer | None
    """The answer of its endpoint; None beyond the endpoint's cap (then it sends 480)."""
    finals: int = 0
    status: int = 0
    acked: bool = False
    ended: bool = False
    """Answered, and hung up again."""
    reinvites: int = 0
    """The number of answered re-INVITEs in its dialog."""
    last_final: float | None = None
    cancelled: bool = False
    """Whether a CANCEL has arrived that its answer follows with a final response."""


@dataclass
class Invites:
    """The INVITE transactions that the device has opened at the endpoints of ``plan``."""

    plan: Plan
    _invites: dict[tuple[str, str, str], _Invite] = field(default_factory=dict)
    """By seat, Call-ID and branch."""

    def follow(self, event: Event) -> None:
        """Take one message of an endpoint."""
        key = (event.seat, event.call_id, event.branch or "")
        if event.from_device:
            if event.method == "INVITE" and not self._dialog(event) and key not in self._invites:
                self._open(event, key)
            elif event.method == "ACK":
                for (seat, call_id, branch), invite in self._invites.items():
                    if (seat, call_id) == key[:2] and (branch == key[2] or invite.status < 300):
                        invite.acked = True
            elif event.method == "CANCEL" and (gone := self._invites.get(key)) and gone.answer:
                gone.cancelled = not gone.finals and gone.answer.cancelled in ("terminate", "answer")
        elif event.fate == "changed" and (event.status or 200) >= 200:
            self._odd_final(event, key)
        elif event.status is not None and event.status >= 200 and event.cseq_method not in ("BYE", "CANCEL"):
            self._final(event, key)
        if event.status is not None and event.cseq_method == "BYE":
            # The call is over when either side's BYE has been answered; an unanswered one ends at the limit.
            for (seat, call_id, _), invite in self._invites.items():
                if (seat, call_id) == key[:2]:
                    invite.ended = True

    def count(self) -> int:
        """The number of call-opening INVITE transactions of the device so far."""
        return len(self._invites)

    def busy(self) -> bool:
        """Whether an endpoint will still act: its answer is incomplete, or it will hang up."""
        return any(self._due(invite) for invite in self._invites.values())

    def standing(self) -> list[tuple[str, str]]:
        """Seat and Call-ID of every answered call without a BYE."""
        return [
            (seat, call_id)
            for (seat, call_id, _), invite in self._invites.items()
            if 200 <= invite.status < 300 and not invite.ended
        ]

    def unacknowledged(self) -> bool:
        """Whether a final response has no ACK: the device may not know that its call is over."""
        return any(invite.finals and not invite.acked for invite in self._invites.values())

    def established(self) -> bool:
        """Whether a call was answered and the answer acknowledged; where none is to be, whether a refusal was."""
        answered = any(200 <= status < 300 for status in self.plan.statuses)
        return any(one.acked and (not answered or 200 <= one.status < 300) for one in self._invites.values())

    def reinvited(self) -> bool:
        """Whether a re-INVITE of the device has been answered."""
        return any(invite.reinvites for invite in self._invites.values())

    def last_final_at(self, of_first: int | None = None) -> float | None:
        """Time (epoch) of the last final response to an INVITE that an endpoint sent; None if there was none.

        ``of_first``: only of that many INVITE transactions, in order of arrival.
        """
        invites = list(self._invites.values())[:of_first]
        return max((i.last_final for i in invites if i.last_final is not None), default=None)

    def _due(self, invite: _Invite) -> bool:
        answer = invite.answer
        if answer is None:
            return False
        if invite.cancelled and invite.status >= 300:
            return False  # the copies that its answer asks for are not sent
        if not invite.finals and invite.cancelled:
            return True
        if invite.finals and invite.last_final is None and not answer.copies:
            return True  # the tap dropped it on purpose; it is repeated until the ACK
        if not invite.finals or invite.status >= 300:
            return invite.finals < answer.finals
        if answer.then != "wait":
            return not invite.ended
        # The call stays up by plan: only the acts of the calling side are still due.
        wanted = sum(call.act in ("reinvite", "reinvite_hangup") for call in self.plan.calls)
        return not invite.ended and invite.reinvites < wanted

    def _open(self, event: Event, key: tuple[str, str, str]) -> None:
        endpoint = next((e for e in self.plan.endpoints if e.name == event.seat), None)
        if endpoint is None:
            return
        before = sum(seat == event.seat for seat, _, _ in self._invites)
        if before >= MOST_FOLLOWED:
            return
        answer = endpoint.answers[min(before, len(endpoint.answers) - 1)] if before < endpoint.cap else None
        self._invites[key] = _Invite(answer)

    def _final(self, event: Event, key: tuple[str, str, str]) -> None:
        to_invite = event.cseq_method == "INVITE"
        invite = self._invites.get(key)
        if invite and to_invite:
            invite.finals += 1
            invite.status = invite.status or event.status or 0
        elif to_invite and (invite := self._dialog(event)):
            invite.reinvites += 1
        elif invite := self._forged(event):
            invite.finals += 1
        if invite and event.fate != "lost":
            invite.last_final = event.time

    def _odd_final(self, event: Event, key: tuple[str, str, str]) -> None:
        """Take a final response whose bytes the tap has changed: what it is, and whose, may not be told by them."""
        at_seat = (invite for (seat, _, _), invite in reversed(self._invites.items()) if seat == event.seat)
        if invite := self._invites.get(key) or next(at_seat, None):
            invite.finals += 1
            invite.status = invite.status or event.status or 0
            invite.last_final = event.time

    def _forged(self, event: Event) -> _Invite | None:
        """The INVITE of a response whose Via or CSeq is forged on purpose and does not match."""
        for (seat, call_id, _), invite in reversed(self._invites.items()):
            forges = invite.answer and any(response.forged for response in invite.answer.responses)
            if forges and (seat, call_id) == (event.seat, event.call_id):
                return invite
        return None

    def _dialog(self, event: Event) -> _Invite | None:
        """The answered call that a message with a To tag belongs to."""
        if event.to_tag is None:
            return None
        for (seat, call_id, _), invite in self._invites.items():
            if seat == event.seat and call_id == event.call_id and 200 <= invite.status < 300:
                return invite
        return None
