"""A flow read as dialogs: each one between a seat and the device, with the requests that went through it both ways.

A dialog is early from a 101-199 with a To tag on, and confirmed by a 2xx (RFC 3261 12.1).  Through a proxy the other
end of a seat's dialog is another seat; what arrives from there came through the device all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from harness.judge.answers import asked
from harness.judge.attempts import attempts
from harness.judge.once import once_per_flow
from harness.model.flow import Event, Flow
from harness.sip.message import addr_spec, split_list
from harness.sip.uri import SipUri

_Key = tuple[str, str, str]


@dataclass
class Leg:
    """One dialog as one seat has it."""

    seat: str
    invite: Event
    """The INVITE that made it."""
    other_tag: str
    """The tag of the device's end (through a proxy: of the far end)."""
    our_tag: str
    """The seat's tag."""
    early: Event | None = None
    """The first provisional response that made it."""
    answer: Event | None = None
    """The first 2xx."""
    answers: list[Event] = field(default_factory=list)
    """The 2xx and their copies."""
    refused: Event | None = None
    """The 300-699 that ended its INVITE."""
    theirs: list[Event] = field(default_factory=list)
    """What the device sent in it, INVITE, ACK and CANCEL included, wherever it arrived; copies included."""
    ours: list[Event] = field(default_factory=list)
    """The same of the tester."""
    replies: dict[tuple[str, str], list[Event]] = field(default_factory=dict)
    """The final responses to each side's requests, by branch and method."""

    @property
    def by_device(self) -> bool:
        """Whether the device placed the call."""
        return self.invite.from_device

    def reply(self, request: Event) -> Event | None:
        """The first final response to ``request``; None without one."""
        return next((r for r in self.replies_to(request) if (r.status or 0) >= 200), None)

    def replies_to(self, request: Event) -> list[Event]:
        """Every response to ``request``."""
        return self.replies.get((request.branch or "", request.method or ""), [])

    @property
    def bye(self) -> Event | None:
        """The first BYE, whoever sent it."""
        byes = [event for event in (*self.theirs, *self.ours) if event.method == "BYE"]
        return min(byes, key=lambda bye: bye.number, default=None)

    def target_at(self, number: int) -> str:
        """The URI of the seat's end when message ``number`` was sent: the Contact by which requests reach it; "" if
        none.

        A re-INVITE or UPDATE that is accepted renews it (12.2); what is sent while that is open may still use the old
        one, see :meth:`targets_at`.
        """
        found = self.targets_at(number)
        return found[-1] if found else ""

    def targets_at(self, number: int) -> tuple[str, ...]:
        """Every Contact that the seat had given for itself before message ``number``, the latest last."""
        given = [self.early, *self.answers] if self.by_device else [self.invite]
        given += [event for event in self.ours if event.method in ("INVITE", "UPDATE")]
        given += [r for e in self.theirs if e.method in ("INVITE", "UPDATE") for r in self.replies_to(e)]
        said = sorted((e for e in given if e is not None and e.number < number), key=lambda event: event.number)
        return tuple(event.contact_uris[0] for event in said if event.contact_uris and (event.status or 200) < 300)

    def acknowledges_refusal(self, ack: Event) -> bool:
        """Whether ``ack`` is of the transaction of one of the device's INVITEs: it goes where that went (17.1.1.3)."""
        invites = (self.invite, *(event for event in self.theirs if event.method == "INVITE"))
        return ack.method == "ACK" and any(invite.branch == ack.branch for invite in invites)

    @property
    def route_set(self) -> tuple[str, ...]:
        """The Record-Route values by which the device's requests go once there is a 2xx, the nearest first.

        RFC 3261 12.1.1 and 12.1.2; that of a 18x is replaced (13.2.2.4)."""
        made = self.answer if self.by_device else self.invite
        values = recorded_routes(made) if made else ()
        return values[::-1] if self.by_device else values


def is_strict(route: str) -> bool:
    """Whether a route is that of a strict router, which gets its own URI for a Request-URI (12.2.1.1)."""
    uri = SipUri.parse(addr_spec(route))
    return uri is None or uri.parameter("lr") is None


def recorded_routes(message: Event) -> tuple[str, ...]:
    """The Record-Route values of ``message``, in order, white space aside."""
    return tuple("".join(value.split()) for line in message.headers("Record-Route") for value in split_list(line))


@dataclass(frozen=True)
class Dialogs:
    """The dialogs of a flow."""

    legs: tuple[Leg, ...]
    homeless: tuple[Event, ...]
    """The device's requests with a To tag that belong to no dialog, copies included; ACKs to refusals are none."""

    def at(self, seat: str) -> tuple[Leg, ...]:
        """Those of one seat."""
        return tuple(leg for leg in self.legs if leg.seat == seat)


@once_per_flow
def dialogs(flow: Flow) -> Dialogs:
    """Every dialog of ``flow``, and what was meant for one and belongs to none."""
    legs: dict[_Key, Leg] = {}
    for invite, responses in _openings(flow):
        _open(legs, invite, responses)
    homeless = []
    requests: dict[tuple[str, str, str, str], Leg] = {}
    for event in flow.events:
        if event.method is not None:
            leg = legs.get(_key(event))
            if leg is not None and event.number > leg.invite.number:
                (leg.theirs if event.from_device else leg.ours).append(event)
                requests.setdefault((event.call_id, event.branch or "", event.method, event.direction), leg)
            elif leg is None and event.from_device and event.to_tag is not None and event.method != "ACK":
                homeless.append(event)
        elif event.status is not None:
            asked_by = "sent" if event.from_device else "received"
            leg = requests.get((event.call_id, event.branch or "", event.cseq_method, asked_by))
            if leg is not None:
                leg.replies.setdefault((event.branch or "", event.cseq_method), []).append(event)
    return Dialogs(tuple(legs.values()), tuple(homeless))


def _openings(flow: Flow) -> Iterator[tuple[Event, Iterable[Event]]]:
    """Each INVITE outside of a dialog, and its responses."""
    for attempt in attempts(flow):
        if not is_inside(flow, attempt.invite):
            yield attempt.invite, attempt.responses
    for one in asked(flow):
        if one.request.method == "INVITE":
            yield one.request, one.responses


def is_inside(flow: Flow, invite: Event) -> bool:
    """Whether the device's ``invite`` is a re-INVITE: its To tag is one that its seat has used in this call.

    The To tag alone does not make one: a device may wrongly keep the tag of a 302.
    """
    return _tags(flow).get((invite.seat, invite.call_id, invite.to_tag), invite.number) < invite.number


@once_per_flow
def _tags(flow: Flow) -> dict[tuple[str, str, str | None], int]:
    """The tags by which a seat is known in a call (as it was called and answered, or as it called), and since when."""
    found: dict[tuple[str, str, str | None], int] = {}
    for event in flow.events:
        if not event.from_device and event.call_id:
            if event.status is not None and 100 < event.status < 300:
                found.setdefault((event.seat, event.call_id, event.to_tag or ""), event.number)
            elif event.method == "INVITE":
                found.setdefault((event.seat, event.call_id, event.from_tag or ""), event.number)
    return found


def _open(legs: dict[_Key, Leg], invite: Event, responses: Iterable[Event]) -> None:
    caller = invite.from_tag or ""
    made: list[Leg] = []
    refused: Event | None = None
    for response in responses:
        status = response.status or 0
        if status >= 300:
            refused = refused or response
            for leg in made:
                leg.refused = leg.refused or response
        elif status > 100 and response.to_tag and not (refused and invite.from_device):
            # What comes after a refusal is dropped, a 2xx too (17.1.1.2): it makes no dialog.
            ends = (caller, response.to_tag) if invite.from_device else (response.to_tag, caller)
            key = (invite.call_id, *ends)
            if key not in legs or legs[key].seat != invite.seat:
                # Of two with one name (a device that keeps the tag of a 302 makes them) the later one is the call.
                legs[key] = Leg(invite.seat, invite, *ends)
            leg = legs[key]
            made.append(leg)
            if status < 200:
                leg.early = leg.early or response
            else:
                leg.answer = leg.answer or response
                leg.answers.append(response)


def _key(request: Event) -> _Key:
    """The dialog of ``request``, with the device's end first."""
    ends = (request.from_tag or "", request.to_tag or "")
    return (request.call_id, *(ends if request.from_device else ends[::-1]))
