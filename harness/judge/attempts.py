"""A flow read as INVITE attempts: what the device tried, where, and what belongs to each attempt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.judge.once import once_per_flow
from harness.judge.passed_on import passed_on
from harness.model.flow import Event, Flow

Transaction = tuple[str, str, str, str]
_Draft = tuple[Event, tuple[Event, ...], tuple[Event, ...]]
"""An INVITE, its copies and the responses to it."""


@dataclass(frozen=True)
class Attempt:
    """One INVITE client transaction of the device, at the endpoint where it arrived."""

    invite: Event
    copies: tuple[Event, ...]
    """Retransmissions of the INVITE."""
    responses: tuple[Event, ...]
    acks: tuple[Event, ...]
    """The ACKs that were meant for it, wherever they arrived and however wrong they are.

    The ACK that a caller sends to a refusal, and that a proxy passes on, is none: it is not the proxy's."""
    in_dialog: bool
    """A re-INVITE."""

    @property
    def seat(self) -> str:
        """The endpoint where it arrived."""
        return self.invite.seat

    @property
    def finals(self) -> tuple[Event, ...]:
        """The final responses it was given, copies included."""
        return tuple(response for response in self.responses if (response.status or 0) >= 200)

    @property
    def final(self) -> Event | None:
        """The first final response."""
        return self.finals[0] if self.finals else None

    @property
    def status(self) -> int | None:
        """The status of the first final response."""
        return self.final.status if self.final else None

    @property
    def offer(self) -> tuple[str, ...]:
        """The lines of its session description less those that count versions (o=) or say nothing (blank ones)."""
        lines = (line.strip() for line in self.invite.body.splitlines())
        return tuple(line for line in lines if line and not line.startswith("o="))


@once_per_flow
def attempts(flow: Flow) -> tuple[Attempt, ...]:
    """Every INVITE transaction of the device in ``flow``, in order of arrival."""
    invites: dict[Transaction, list[Event]] = {}
    responses: dict[Transaction, list[Event]] = {}
    dialogs: dict[tuple[str, str, str | None], int] = {}
    acks: list[Event] = []
    broken: list[Event] = []
    for event in flow.events:
        if event.method == "INVITE" and event.from_device:
            invites.setdefault(_transaction(event), []).append(event)
        elif event.method == "ACK" and event.from_device:
            acks.append(event)
        elif event.status is not None and not event.from_device:
            if event.cseq_method == "INVITE" and cut_short(event):
                broken.append(event)
            elif event.cseq_method == "INVITE":
                responses.setdefault(_transaction(event), []).append(event)
            if event.status == 200:
                dialogs.setdefault((event.seat, event.call_id, event.to_tag), event.number)
    # A response that it ought to have dropped is one to a device that has acknowledged it.
    taken = {(ack.call_id, ack.to_tag) for ack in acks}
    for event in broken:
        if (event.call_id, event.to_tag) in taken:
            of_it = responses.setdefault(_transaction(event), [])
            of_it.append(event)
            of_it.sort(key=lambda response: response.number)
    drafts = [(copies[0], tuple(copies[1:]), tuple(responses.get(key, ()))) for key, copies in invites.items()]
    meant = _meant_for(flow, acks, drafts)
    return tuple(
        Attempt(invite, copies, answers, tuple(meant.get(invite.number, ())), _in_dialog(dialogs, invite))
        for invite, copies, answers in drafts
    )


def tries(flow: Flow) -> tuple[Attempt, ...]:
    """The attempts that open a call: no re-INVITEs."""
    return tuple(attempt for attempt in attempts(flow) if not attempt.in_dialog)


def original(flow: Flow) -> Attempt | None:
    """The first attempt of the flow; None if the device never called."""
    return next(iter(tries(flow)), None)


def at(flow: Flow, seat: str) -> tuple[Attempt, ...]:
    """The call-opening attempts that arrived at ``seat``."""
    return tuple(attempt for attempt in tries(flow) if attempt.seat == seat)


def cut_short(response: Event) -> bool:
    """Whether a datagram ends before the body that its Content-Length announces: such a response is dropped (18.3)."""
    length = (response.header("Content-Length") or "").strip()
    return response.transport == "udp" and length.isdecimal() and int(length) > len(response.body)


def _transaction(event: Event) -> Transaction:
    # The seat is part of the key: a device that reuses its branch for the next target still opens a new attempt.
    return (event.seat, event.call_id, str(event.cseq_number), event.branch or "")


def _meant_for(flow: Flow, acks: Iterable[Event], drafts: Iterable[_Draft]) -> dict[int, list[Event]]:
    """The ACKs by the number of the INVITE that each was most likely meant for."""
    of_call: dict[str, list[_Draft]] = {}
    for draft in drafts:
        of_call.setdefault(draft[0].call_id, []).append(draft)
    meant: dict[int, list[Event]] = {}
    for ack in acks:
        # The ACK of a 2xx is passed on from end to end; that of a refusal is made anew by each hop (17.1.1.3).
        forwarded = passed_on(flow, ack)
        scored = [
            (_kinship(ack, invite, responses), invite.number)
            for invite, _, responses in of_call.get(ack.call_id, ())
            if not forwarded or _accepted(responses)
        ]
        best = max(scored, default=(0, 0))
        if best[0]:
            meant.setdefault(best[1], []).append(ack)
    return meant


def _accepted(responses: tuple[Event, ...]) -> bool:
    return any(200 <= (response.status or 0) < 300 for response in responses)


def _kinship(ack: Event, invite: Event, responses: tuple[Event, ...]) -> int:
    """How much speaks for ``ack`` being meant for ``invite``: 0 is nothing.  A faulty ACK still belongs somewhere."""
    if ack.call_id != invite.call_id or ack.number < invite.number:
        return 0
    tags = {response.to_tag for response in responses if (response.status or 0) >= 200}
    return (
        8 * (ack.branch is not None and ack.branch == invite.branch)
        + 4 * (ack.to_tag is not None and ack.to_tag in tags)
        + 2 * (ack.cseq_number == invite.cseq_number)
        + (ack.seat == invite.seat)
    )


def _in_dialog(dialogs: Mapping[tuple[str, str, str | None], int], invite: Event) -> bool:
    # The To tag alone does not make a re-INVITE: a device may wrongly keep the tag of a 302 in a new attempt.
    begun = dialogs.get((invite.seat, invite.call_id, invite.to_tag))
    return invite.to_tag is not None and begun is not None and begun < invite.number
