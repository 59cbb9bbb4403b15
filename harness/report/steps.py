"""The content of a ladder, for SVG and for text: one step per line, and the seats at which nothing arrived."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from harness.judge.account.entry import Account
from harness.judge.account.replay import account
from harness.model.flow import Event, Flow, PlacedCall, Seat

StepKind = Literal["request", "response", "garbled", "call", "more", "closed"]
LIMIT = 120
"""Steps shown; of a longer flow the first ones, the last ones and those about the decisive message."""
_LAST = 20
_LOOKUPS = 8
"""How many questions to the lab's resolver stand below a ladder."""


@dataclass(frozen=True)
class Step:
    """One line of a ladder.  Its texts are the device's, raw: the drawing code shortens and escapes them."""

    kind: StepKind
    label: str
    """The start line: ``INVITE sip:…``, ``302 Moved Temporarily``; or an event."""
    number: int | None = None
    """The message's number in the flow."""
    offset: float | None = None
    """Seconds since the first thing that happened."""
    seat: str = ""
    from_device: bool = True
    suffix: str = ""
    """The end of the label, never shortened: ``(BYE)``, ``(copy)``."""
    detail: str = ""
    """A second, smaller line: the target of a redirection."""
    full: str = ""
    """The whole message."""
    decisive: bool = False
    cause: str = ""
    """Why the device sent it, by the account (:mod:`harness.judge.account`), in a short phrase."""
    explained: bool = True
    """Whether the account knows a cause."""


@dataclass(frozen=True)
class Silence:
    """A seat at which nothing arrived from the device."""

    seat: str
    brief: str
    """``silent for 40 s``, or the reason why that is unknown."""
    watched: bool
    """Whether it was watched as planned, to the end of the window."""
    since: float | None
    """Seconds since the first thing that happened; None if no window was opened."""
    window: str = ""
    """The name of the window; empty without one."""

    @property
    def text(self) -> str:
        """The same with the name of the window: ``silent for 40 s (standard window)``."""
        return f"{self.brief} ({self.window} window)" if self.window else self.brief


def start_of(flow: Flow) -> float:
    """The time of the first event: seconds since the epoch."""
    return min([*(call.placed_at for call in flow.calls), *(event.time for event in flow.events[:1])], default=0.0)


def times_of(flows: Iterable[Flow]) -> tuple[float, float, float]:
    """When the first of ``flows`` began, when the last one ended (seconds since the epoch), and how long they took.

    That is how long any of them was driven or watched, in seconds: what went on side by side counts once.
    """
    spans = sorted((start, max(start, flow.watch.closed_at)) for flow in flows for start in [start_of(flow)] if start)
    busy, until = 0.0, 0.0
    for start, end in spans:
        busy += max(0.0, end - max(start, until))
        until = max(until, end)
    return (spans[0][0] if spans else 0.0), until, busy


def steps(flow: Flow, mark: int | None = None, limit: int = LIMIT) -> tuple[Step, ...]:
    """The steps of ``flow`` in order, at most about ``limit``; ``mark`` is the number of the decisive message."""
    start, causes = start_of(flow), account(flow)
    further = {(seat.name, address) for seat in flow.seats for address in seat.further}
    made: list[Step] = []
    calls = list(flow.calls)
    seen: set[tuple[str, str, str]] = set()

    def step(event: Event) -> Step:
        drawn = _step(event, start, mark, causes, copy=(event.seat, event.direction, event.raw) in seen)
        ours = event.destination if event.from_device else event.source
        if (event.seat, ours) in further:
            drawn = replace(drawn, suffix=f"{drawn.suffix} (at {ours})".strip())
        seen.add((event.seat, event.direction, event.raw))
        return drawn

    for event in sorted((*flow.events, *flow.lost), key=lambda event: event.time):
        while calls and calls[0].placed_at <= event.time:
            made.append(_call(calls.pop(0), start))
        made.append(step(event))
    made.extend(_call(call, start) for call in calls)
    made = _cut(made, limit)
    if flow.plan.watched and flow.watch.opened_at is not None:
        watched = flow.watch.closed_at - flow.watch.opened_at
        text = f"{watched:.0f} s watched since the last final response ({flow.watch.window.name} window)"
        made.append(Step("closed", text, offset=flow.watch.closed_at - start))
    return (*made, *_cut([step(event) for event in flow.late], limit))


def silences(flow: Flow) -> tuple[Silence, ...]:
    """The seats, other than callers, at which nothing arrived from the device but what it said to their REGISTER."""
    heard = {event.seat for event in flow.events if event.from_device and event.cseq_method != "REGISTER"}
    return tuple(_silence(flow, seat) for seat in flow.seats if seat.kind != "caller" and seat.name not in heard)


def _silence(flow: Flow, seat: Seat) -> Silence:
    watch = flow.watch
    since = watch.opened_at - start_of(flow) if watch.opened_at is not None and flow.plan.watched else None
    if seat.bound_at is None:
        return Silence(seat.name, "was never listening", False, since)
    if seat.lost_at is not None:
        return Silence(seat.name, f"stopped listening after {seat.lost_at - seat.bound_at:.1f} s", False, since)
    if seat.drops:
        return Silence(seat.name, f"nothing was heard, and this machine dropped {seat.drops} datagrams", False, since)
    if since is None or watch.opened_at is None:
        return Silence(seat.name, "nothing arrived, no window was watched", False, None)
    seconds = watch.closed_at - watch.opened_at
    whole = seconds >= watch.window.seconds
    cut = "" if whole else f" of {watch.window.seconds:g} s"
    return Silence(seat.name, f"silent for {seconds:.0f} s{cut}", whole, since, watch.window.name)


def _call(placed: PlacedCall, start: float) -> Step:
    return Step("call", f"is asked to call {placed.uri}", suffix=f"by {placed.by}", offset=placed.placed_at - start)


def _step(event: Event, start: float, mark: int | None, causes: Account, *, copy: bool) -> Step:
    notes, detail = [], ""
    kind: StepKind
    if event.status is not None:
        kind, label = "response", f"{event.status} {event.reason}".strip()
        if event.cseq_method not in ("INVITE", ""):
            notes.append(f"({event.cseq_method[:16]})")
        if 300 <= event.status < 400:
            contacts = event.contact_uris[:5]
            detail = f"Contact: {', '.join(contacts)}" if contacts else "no Contact"
    elif event.method is not None:
        kind, label = "request", f"{event.method} {event.request_uri}"
        if event.method == "INVITE" and event.to_tag:
            notes.append("(re-INVITE)")
    else:
        kind, label = "garbled", f"not SIP: {event.start_line}"
    if copy:
        notes.append("(copy)")
    if event.fate:
        notes.append(f"({event.fate} by the tap)")
    return Step(
        kind,
        label,
        number=event.number or None,
        offset=event.time - start,
        seat=event.seat,
        from_device=event.from_device,
        suffix=" ".join(notes),
        detail=detail,
        full=event.text,
        decisive=event.number == mark,
        cause=causes.phrase(event.number),
        explained=causes.explains(event.number),
    )


def _cut(made: list[Step], limit: int) -> list[Step]:
    if len(made) <= limit:
        return made
    kept = set(range(limit - _LAST)) | set(range(len(made) - _LAST, len(made)))
    for place in [place for place, step in enumerate(made) if step.decisive]:
        kept |= set(range(max(place - 3, 0), min(place + 4, len(made))))
    cut: list[Step] = []
    for left_out, places in itertools.groupby(range(len(made)), key=lambda place: place not in kept):
        group = list(places)
        cut += [Step("more", f"… {len(group)} more")] if left_out else [made[place] for place in group]
    return cut


def crosses(flow: Flow) -> bool:
    """Whether its endpoints have more than one transport, so that each lane must say which."""
    return len({seat.address.transport for seat in flow.seats}) > 1


def sides(flow: Flow) -> list[str]:
    """The seats of each transport, where there are several: text has no lanes that could say it."""
    seats: dict[str, list[str]] = {}
    for seat in flow.seats if crosses(flow) else ():
        seats.setdefault(seat.address.transport.upper(), []).append(seat.name)
    ordered = sorted(seats.items(), key=lambda side: "caller" not in side[1])
    return ["; ".join(f"over {transport}: {', '.join(names)}" for transport, names in ordered)] if seats else []


def notes(flow: Flow) -> list[str]:
    """What stands below a ladder: troubles, and what no line of it shows."""
    made = [f"{trouble.blame}: {trouble.text}" for trouble in flow.troubles[:5]]
    made += [f"no SIP message: {one.label}" for one in flow.unreadable[:3]]
    if past := [event.method or str(event.status) for event in flow.between]:
        made.append(f"between the endpoints, past the device, which is not in the route set: {', '.join(past)}")
    made += [f"asked of the lab's resolver: {one}" for one in flow.lookups[:_LOOKUPS]]
    strays = [one for one in flow.strays if one.method == "INVITE"]
    made += [f"of no known drive, at the {one.seat}: {one.start_line}" for one in strays[:3]]
    more = max(len(flow.troubles) - 5, 0) + max(len(flow.unreadable) - 3, 0) + max(len(strays) - 3, 0)
    more += max(len(flow.lookups) - _LOOKUPS, 0) + flow.unreadable_left_out
    return [*made, *([f"… {more} more"] if more else [])]
