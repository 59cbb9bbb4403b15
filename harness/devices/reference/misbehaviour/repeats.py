"""Faults of transactions: how a request or refusal is repeated, what a CANCEL does to it (RFC 3261 9.2, 17)."""

from __future__ import annotations

from ..behaviour import Behaviour
from ..wire import InboundRequest, Refusal


class RepeatsWithoutDoubling(Behaviour):
    """Wrong by 17.1.1.2: timer A grows."""

    doubles_interval = False


class FinalNotRepeated(Behaviour):
    """Wrong by 17.2.1: the response may have been lost."""

    repeats_finals = False


class FinalRepeatedForEver(Behaviour):
    """Wrong by 17.2.1: timer H ends it after 64*T1."""

    stops_repeating = False


class FinalRepeatedAfterAck(Behaviour):
    """Wrong by 17.2.1: the caller has it."""

    hears_ack = False


class IgnoresInviteCopy(Behaviour):
    """Wrong by 17.2.1: whoever asks again has not heard the answer."""

    answers_copies = False


class ForgetsAcknowledgedCall(Behaviour):
    """Wrong by 17.2.1: the transaction stays for timer I."""

    remembers_acknowledged = False


class AnswersAck(Behaviour):
    """Wrong by 17.1: an ACK has no answer."""

    def answers_ack(self) -> Refusal | None:
        """Take it for a request without a transaction."""
        return Refusal(481, "Call/Transaction Does Not Exist")


class LateCancelEndsCall(Behaviour):
    """Wrong by 9.2: there is nothing left to cancel."""

    def answers_late_cancel(self) -> Refusal | None:
        """Take the answer back."""
        return Refusal(487, "Request Terminated")


class CancelDeclined(Behaviour):
    """Wrong by 9.2: the caller gave up, nobody declined."""

    def cancelled(self) -> Refusal:
        """Decline what was cancelled."""
        return Refusal(603, "Decline")


class RemembersCalls(Behaviour):
    """Wrong by 8.2.2.2: only what is still being answered can be the same request on another way."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[tuple[str, str, str]] = set()

    def merges(self, request: InboundRequest, *, ongoing: bool) -> bool:
        """Remember every call."""
        identifiers = (request.from_tag, request.call_id, str(request.cseq))
        known = identifiers in self._seen
        self._seen.add(identifiers)
        return known or super().merges(request, ongoing=ongoing)


class MergesByCallId(Behaviour):
    """Wrong by 8.2.2.2: whoever is redirected back has another number."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[tuple[str, str], int] = {}

    def merges(self, request: InboundRequest, *, ongoing: bool) -> bool:
        """Know a request by Call-ID and From tag."""
        number = request.cseq.sequence
        seen = self._numbers.setdefault((request.call_id, request.from_tag), number)
        return seen != number or super().merges(request, ongoing=ongoing)


class IgnoresCancel(Behaviour):
    """Wrong by 9.2: the CANCEL is a transaction of its own."""

    answers_cancel = False
