"""The server side of a device: the requests of callers to it, and the responses that came back.

A response belongs to the request with which it has most in common, however wrong the rest of it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.judge.once import once_per_flow
from harness.model.flow import Event, Flow

_OF_ANOTHER = ("ACK", "CANCEL", "REGISTER", "BYE", "PRACK", "UPDATE")
"""Requests of a caller that ask for no call: they belong to one, or prepare it."""

NOT_ANSWERED = "the caller's request got no final response in this flow"
NOT_REFUSED_HERE = "the device sent neither a refusal nor a redirection"
NOT_REDIRECTED = "the caller was not redirected in this flow"


@dataclass(frozen=True)
class Asked:
    """One request of a caller, and what belongs to it."""

    request: Event
    copies: tuple[Event, ...]
    """The same request again."""
    responses: tuple[Event, ...]
    acks: tuple[Event, ...]
    """The ACKs that the caller sent to a refusal."""

    @property
    def seat(self) -> str:
        """The caller."""
        return self.request.seat

    @property
    def provisionals(self) -> tuple[Event, ...]:
        """The 1xx, 100 included."""
        return tuple(response for response in self.responses if (response.status or 0) < 200)

    @property
    def finals(self) -> tuple[Event, ...]:
        """Every final response that came, copies included."""
        return tuple(response for response in self.responses if (response.status or 0) >= 200)

    @property
    def final(self) -> Event | None:
        """The first final response."""
        return self.finals[0] if self.finals else None

    @property
    def status(self) -> int:
        """The status of the first final response; 0 without one."""
        return (self.final.status or 0) if self.final else 0


def callers(flow: Flow) -> tuple[str, ...]:
    """The seats of the SIPp callers."""
    return tuple(seat.name for seat in flow.seats if seat.kind == "caller")


@once_per_flow
def asked(flow: Flow) -> tuple[Asked, ...]:
    """What the callers asked the device for, in order: INVITEs and other requests outside a dialog."""
    sent = flow.select(received=False, at=callers(flow), where=lambda event: event.method is not None)
    drafts: dict[tuple[str, ...], list[Event]] = {}
    for event in sent:
        if event.method not in _OF_ANOTHER and event.to_tag is None:
            drafts.setdefault((event.seat, event.call_id, event.branch or "", event.method or ""), []).append(event)
    requests = [copies[0] for copies in drafts.values()]
    responses = _shared_out(flow.select(received=True, at=callers(flow), where=lambda e: e.status is not None), sent)
    acks = _shared_out([event for event in sent if event.method == "ACK"], requests)
    made = [
        Asked(copies[0], tuple(copies[1:]), responses.get(copies[0].number, ()), acks.get(copies[0].number, ()))
        for copies in drafts.values()
    ]
    return tuple(one for one in made if not _asked_again_with_credentials(one, made))


def _asked_again_with_credentials(one: Asked, made: Iterable[Asked]) -> bool:
    """Whether ``one`` was only challenged (RFC 3261 22.2, 22.3), and is followed by the request that counts."""
    return one.status in (401, 407) and any(
        other.request.call_id == one.request.call_id
        and other.request.number > one.request.number
        and (other.request.header("Authorization") or other.request.header("Proxy-Authorization"))
        for other in made
    )


def first_asked(flow: Flow) -> Asked | None:
    """The first request of the flow; None if no caller sent one."""
    return next(iter(asked(flow)), None)


def refused_here(flow: Flow) -> tuple[Asked, Event] | None:
    """The first request with its 300-699 response; None if it was not answered so."""
    one = first_asked(flow)
    return (one, one.final) if one and one.final and one.status >= 300 else None


def redirected_here(flow: Flow) -> tuple[Asked, Event] | None:
    """The first request with its 3xx; None if it was not redirected."""
    one = first_asked(flow)
    return (one, one.final) if one and one.final and 300 <= one.status < 400 else None


def why_not_refused(flow: Flow, what: str = NOT_REFUSED_HERE) -> str:
    """Why there is no refusal (or no ``what``) to judge, in words."""
    one = first_asked(flow)
    if one is None or one.final is None:
        troubles = "; ".join(trouble.text for trouble in flow.troubles)
        return f"{NOT_ANSWERED}: {troubles}" if troubles else NOT_ANSWERED
    return f"{what}: {one.final.start_line}"


def answers_to(flow: Flow, method: str) -> tuple[tuple[Event, ...], tuple[Event, ...]]:
    """The callers' requests of ``method``, and the final responses to them: a 100 before them says nothing yet."""
    sent = flow.select(method, received=False, at=callers(flow))
    came = flow.select(
        received=True,
        at=callers(flow),
        where=lambda event: (
            (event.status or 0) >= 200 and event.cseq_method == method and bool(sent) and event.number > sent[0].number
        ),
    )
    return sent, came


def unproven(flow: Flow, seat: str, until: float) -> str:
    """Why it is not proven that all the device sent to ``seat`` until then (epoch) was seen; "" if it is."""
    place = flow.seat(seat)
    if place.lost_at is not None:
        return f"{place.name} ({place.address}) stopped listening"
    if flow.watch.closed_at < until:
        return f"the flow ends {until - flow.watch.closed_at:.1f} s too early"
    if flow.unreadable:
        return f"something arrived that is no SIP message ({flow.unreadable[0].label[:80]})"
    if told := "; ".join(trouble.text for trouble in flow.troubles if trouble.blame != "stimulus"):
        return told
    if (flow.life is None or flow.life.at < until) and _last_heard(flow) < until:
        return "the device gave no sign of life afterwards"
    return ""


@once_per_flow
def _last_heard(flow: Flow) -> float:
    return max((event.time for event in flow.events if event.from_device), default=0.0)


def _shared_out(events: Iterable[Event], requests: Iterable[Event]) -> dict[int, tuple[Event, ...]]:
    """``events`` by the number of the request that they were meant for."""
    shares: dict[int, list[Event]] = {}
    asked_for = list(requests)
    for event in events:
        # Of equal ones the first: later ones are its copies.
        scored = [(_kinship(event, request), -request.number) for request in asked_for]
        best = max(scored, default=(0, 0))
        if best[0]:
            shares.setdefault(-best[1], []).append(event)
    return {number: tuple(share) for number, share in shares.items()}


def _kinship(event: Event, request: Event) -> int:
    """How much speaks for ``event``, a response or an ACK, being meant for ``request``: 0 is nothing."""
    if event.seat != request.seat or event.number < request.number:
        return 0
    of_method = request.method if event.status is not None else "ACK"
    if event.cseq_method != of_method:
        return 0
    return (
        4 * (event.branch is not None and event.branch == request.branch)
        + 2 * (bool(event.call_id) and event.call_id == request.call_id)
        + (event.cseq_number == request.cseq_number)
    )
