"""A flow read as a proxy's response contexts (RFC 3261 16.7): a request of the caller, and its branches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.judge.answers import Asked, asked
from harness.judge.attempts import Attempt, tries
from harness.judge.redirection import call_index
from harness.model.flow import Event, Flow

NOT_FORKED = "no other branch was open when the 6xx came, so there was nothing to wait for"
NOT_RECURSED = "the proxy called none of the Contacts in this flow, so there is no recursed branch to judge"
NOT_PROXIED = "no request of the caller was seen in this flow"


@dataclass(frozen=True)
class Branch:
    """One INVITE client transaction of the proxy, with the CANCELs that match it."""

    attempt: Attempt
    cancels: tuple[Event, ...]
    """Those with its branch, at its endpoint; copies included."""

    @property
    def seat(self) -> str:
        """Where it went."""
        return self.attempt.seat

    @property
    def invite(self) -> Event:
        """The first copy of its INVITE."""
        return self.attempt.invite

    @property
    def final(self) -> Event | None:
        """The first final response it was given."""
        return self.attempt.final

    @property
    def status(self) -> int:
        """The status of that; 0 without one."""
        return self.attempt.status or 0

    @property
    def cancel(self) -> Event | None:
        """The first CANCEL."""
        return next(iter(self.cancels), None)

    @property
    def provisionals(self) -> tuple[Event, ...]:
        """The provisional responses it was given, 100 included."""
        return tuple(response for response in self.attempt.responses if (response.status or 0) < 200)

    def open_at(self, event: Event) -> bool:
        """Whether it had begun and got no final response when ``event`` happened."""
        return self.invite.number < event.number and (self.final is None or self.final.number > event.number)

    def pending_at(self, event: Event) -> bool:
        """Whether it was open and had got a provisional response: only then may it be cancelled (16.7 item 10)."""
        return self.open_at(event) and any(response.number < event.number for response in self.provisionals)


@dataclass(frozen=True)
class ResponseContext:
    """A request of a caller, what came back for it, and the branches that the proxy opened for it."""

    asked: Asked
    branches: tuple[Branch, ...]

    @property
    def finals(self) -> tuple[Event, ...]:
        """The first final response of each branch, in the order in which they were sent."""
        return tuple(sorted((b.final for b in self.branches if b.final is not None), key=lambda final: final.number))

    @property
    def refused(self) -> Branch | None:
        """The branch that was the first to get a 6xx."""
        refused = (branch for branch in self.branches if branch.status >= 600)
        return min(refused, key=lambda branch: branch.final.number if branch.final else 0, default=None)

    def others(self, branch: Branch) -> tuple[Branch, ...]:
        """The branches beside ``branch``."""
        return tuple(other for other in self.branches if other is not branch)

    def at(self, *seats: str) -> tuple[Branch, ...]:
        """The branches that went to ``seats``."""
        return tuple(branch for branch in self.branches if branch.seat in seats)


def contexts(flow: Flow) -> tuple[ResponseContext, ...]:
    """The response contexts of ``flow``, one for each request of a caller, in order.

    A proxy keeps the Call-ID, so the Call-ID tells to which context a branch belongs, however late it was opened.  A
    branch with a Call-ID that no caller has belongs to the last call that was placed before it.
    """
    requests = asked(flow)
    by_call_id = {one.request.call_id: number for number, one in enumerate(requests)}
    groups: list[list[Branch]] = [[] for _ in requests]
    for attempt in tries(flow):
        number = by_call_id.get(attempt.invite.call_id, call_index(flow, attempt.invite))
        if number < len(groups):
            groups[number].append(Branch(attempt, _cancels(flow, attempt)))
    return tuple(ResponseContext(one, tuple(group)) for one, group in zip(requests, groups, strict=True))


def context_of(flow: Flow) -> ResponseContext | None:
    """The first response context; None if no caller sent anything."""
    return next(iter(contexts(flow)), None)


def last_end(branches: Iterable[Branch]) -> Event | None:
    """The last of the first final responses of ``branches``; None if one of them is still open, or there are none."""
    finals = [branch.final for branch in branches]
    if not finals or None in finals:
        return None
    return max((final for final in finals if final is not None), key=lambda final: final.number)


def _cancels(flow: Flow, attempt: Attempt) -> tuple[Event, ...]:
    invite = attempt.invite
    return flow.select(
        "CANCEL",
        received=True,
        at=attempt.seat,
        where=lambda event: event.call_id == invite.call_id and event.branch == invite.branch,
    )
