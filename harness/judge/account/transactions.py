"""The transaction layer of the account: the requests of both sides, and what each has been answered so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.model.flow import Event

CROSSING_S = 0.1
"""A message that was sent before another could be read may arrive so long after it."""


@dataclass
class Transaction:
    """One request with its copies and responses, as far as the flow has come."""

    request: Event
    copies: int = 0
    """How many copies of the request there have been."""
    answered_copies: int = 0
    """How many of them a copy of the response has been put down to."""
    provisionals: list[Event] = field(default_factory=list)
    finals: list[Event] = field(default_factory=list)
    """Copies included."""
    acks: list[Event] = field(default_factory=list)
    cancel: Event | None = None

    @property
    def final(self) -> Event | None:
        """The first final response."""
        return self.finals[0] if self.finals else None

    @property
    def status(self) -> int:
        """Its status; 0 without one."""
        return (self.finals[0].status or 0) if self.finals else 0

    @property
    def first_response(self) -> Event | None:
        """The first response of all."""
        return min((*self.provisionals[:1], *self.finals[:1]), key=lambda event: event.number, default=None)

    def add(self, response: Event) -> None:
        """Take a response."""
        (self.finals if (response.status or 0) >= 200 else self.provisionals).append(response)


class Transactions:
    """All transactions of a flow, one side's requests apart from the other's."""

    def __init__(self) -> None:
        self.ours: dict[tuple[str, str, str], Transaction] = {}
        """Our requests by seat, branch and method."""
        self.theirs: dict[tuple[str, str, str, str], Transaction] = {}
        """The device's requests by seat, branch, method and Call-ID with CSeq."""
        self.strays: dict[tuple[str, int | None, str | None], Event] = {}
        """Our responses to nothing that the device has asked, by Call-ID, status and To tag."""
        self._ours_by_call: dict[tuple[str, str, int | None], Transaction] = {}
        self._theirs_by_branch: dict[tuple[str, str], Transaction] = {}
        self._invites_by_call: dict[tuple[str, int | None], list[Transaction]] = {}

    # --- our messages

    def we_ask(self, event: Event) -> Transaction | None:
        """Take a request of ours; the transaction that it begins, None for a copy or an ACK."""
        if event.method == "ACK":
            if answered := self._ours_by_call.get((event.call_id, "INVITE", event.cseq_number)):
                answered.acks.append(event)
            return None
        key = (event.seat, event.branch or "", event.method or "")
        if known := self.ours.get(key):
            known.copies += 1
            return None
        begun = self.ours[key] = Transaction(event)
        self._ours_by_call[event.call_id, event.method or "", event.cseq_number] = begun
        if event.method == "CANCEL" and (gone := self.ours.get((event.seat, event.branch or "", "INVITE"))):
            gone.cancel = event
        return begun

    def we_answer(self, event: Event) -> Transaction | None:
        """Take a response of ours; the transaction of the device's request that it answers."""
        key = (event.seat, event.branch or "", event.cseq_method, _call(event))
        if found := self.theirs.get(key):
            found.add(event)
        else:
            self.strays[event.call_id, event.status, event.to_tag] = event
        return found

    # --- the device's messages

    def asked_by_us(self, response: Event) -> Transaction | None:
        """The request of ours that a response of the device belongs to, however wrong its branch is."""
        found = self.ours.get((response.seat, response.branch or "", response.cseq_method))
        return found or self._ours_by_call.get((response.call_id, response.cseq_method, response.cseq_number))

    def known(self, request: Event) -> Transaction | None:
        """The transaction of the device that a request is a copy in."""
        return self.theirs.get((request.seat, request.branch or "", request.method or "", _call(request)))

    def begin(self, request: Event) -> Transaction:
        """A new transaction of the device."""
        begun = Transaction(request)
        self.theirs[request.seat, request.branch or "", request.method or "", _call(request)] = begun
        if request.method == "INVITE":
            self._theirs_by_branch.setdefault((request.call_id, request.branch or ""), begun)
            self._invites_by_call.setdefault((request.call_id, request.cseq_number), []).append(begun)
        return begun

    def invite_of(self, event: Event) -> Transaction | None:
        """The INVITE that an ACK or CANCEL is for: by branch and place, by branch alone, by Call-ID and CSeq."""
        same_place = self.theirs.get((event.seat, event.branch or "", "INVITE", _call(event)))
        if same_place or (by_branch := self._theirs_by_branch.get((event.call_id, event.branch or ""))):
            return same_place or by_branch
        others = self._invites_by_call.get((event.call_id, event.cseq_number), [])
        to_tag = event.to_tag
        of_tag = [other for other in others if any(final.to_tag == to_tag for final in other.finals)]
        return next(iter(of_tag or (others if event.method == "ACK" else ())), None)


def crossed(event: Event, other: Event | None) -> bool:
    """Whether ``event`` may have been sent before its sender had read ``other``."""
    return other is None or event.time - other.time <= CROSSING_S


def _call(event: Event) -> str:
    return f"{event.cseq_number} {event.call_id}"
