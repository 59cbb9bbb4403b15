"""Silence must be proven: "did not happen" is a pass only when four things are in the evidence.

1. every guard was bound before the stimulus and stayed so for the whole window, and could read each request it got,
   and no call to a number that belongs to no plan came to an address that all drives share;
2. the window is stated and was kept, from the last copy of the final response;
3. a positive control: this device, in this run, reached an address like the guard's when it should;
4. the device was alive after the window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from harness.judge.acks import IN_FLIGHT_S
from harness.judge.attempts import Attempt, tries
from harness.judge.extent import extent, later
from harness.judge.say import Gap, not_proven, satisfied, violated
from harness.judge.targets import repeats
from harness.model.finding import Finding
from harness.model.flow import Event, Flow, Seat
from harness.model.verdict import Verdict
from harness.sip.uri import request_uri_of, same_uri

NOT_LISTENING: Final = "guard-not-listening"
UNREADABLE: Final = "unreadable-request"
DROPS: Final = "datagrams-dropped"
WINDOW: Final = "window-not-kept"
NO_CONTROL: Final = "no-positive-control"
NO_LIFE: Final = "no-sign-of-life"
UNKNOWN_CALL: Final = "call-to-unknown-number"
"""The kinds of :class:`~harness.judge.say.Gap`: which condition is missing."""


def silent(
    flow: Flow,
    *,
    code: str,
    after: Event,
    at: Iterable[str] | None = None,
    unless: Callable[[Attempt], bool] = lambda _attempt: False,
    expected: str,
    means: str,
    look_at: str = "",
    at_most: Verdict = Verdict.FAIL,
    at_least: Verdict = Verdict.NONE,
    requirement: str = "",
) -> Finding:
    """No new INVITE attempt arrived at the seats ``at`` (None: anywhere) once ``after`` was there, and that is proven.

    ``unless`` says which later attempts are allowed.  Copies of an INVITE (same transaction) are no new attempts.
    """
    seats = tuple(at) if at is not None else tuple(seat.name for seat in flow.seats if seat.kind != "caller")
    came = [a for a in tries(flow) if a.seat in seats and a.invite.number > after.number and not unless(a)]
    crossed = [attempt for attempt in came if _on_its_way(flow, attempt, after)]
    found = [attempt for attempt in came if attempt not in crossed]
    if found:
        first = found[0].invite
        return violated(
            code=code,
            expected=expected,
            actual=f"{first.start_line} arrived {later(first.time - after.time)} after {_name(after)}"
            + extent(flow, found),
            event=first,
            means=means,
            look_at=look_at,
            at_most=at_most,
            at_least=at_least,
            requirement=requirement,
        )
    if missing := gap(flow, seats):
        return not_proven("nothing arrived", missing, requirement=requirement)
    watched = flow.watch.closed_at - (flow.watch.opened_at or flow.watch.closed_at)
    return satisfied(
        f"silent for {watched:.0f} s ({flow.watch.window.name} window) after {_name(after)}, at {', '.join(seats)}",
        note=f"{crossed[0].invite.label}, was on its way when {_name(after)} was sent" if crossed else "",
        requirement=requirement,
    )


def _on_its_way(flow: Flow, attempt: Attempt, after: Event) -> bool:
    """Whether the device may have sent the INVITE of ``attempt`` before it had read ``after``.

    A device may call all Contacts of a redirection at once.  So an INVITE for a URI that it had been given before,
    which comes within 100 ms and before the device shows that it has read ``after``, shows nothing.  It shows that by
    the ACK of a response, and by any response to a request, such as the 200 of a CANCEL.
    """
    invite = attempt.invite
    if invite.time - after.time > IN_FLIGHT_S or repeats(flow, attempt) is not None:
        return False
    of_its_transaction = flow.select(
        received=True, at=after.seat, where=lambda event: (event.call_id, event.branch) == (after.call_id, after.branch)
    )
    shows = (
        event
        for event in of_its_transaction
        if event.method == "ACK" or (after.method is not None and event.cseq_method == after.method)
    )
    if any(after.number < event.number < invite.number for event in shows):
        return False
    given = flow.select(received=False, where=lambda event: event.number < after.number)
    return any(same_uri(request_uri_of(uri), invite.request_uri) for event in given for uri in event.contact_uris)


def gap(flow: Flow, seats: Iterable[str]) -> Gap | None:
    """What is missing for a proof of silence at ``seats``; None if nothing is."""
    guards = [flow.seat(name) for name in seats]
    for seat in guards:
        reason = _unguarded(flow, seat) or _uncontrolled(flow, seat)
        if reason:
            return reason
    if unread := _unread(flow, guards):
        return unread
    if strange := _strange_call(flow):
        return strange
    window, opened, closed = flow.watch.window, flow.watch.opened_at, flow.watch.closed_at
    if opened is None:
        return Gap(WINDOW, "no final response was ever sent, so the window never began")
    if closed - opened < window.seconds:
        lasted = f"was cut short after {closed - opened:.1f} s"
        return Gap(WINDOW, f"the window of {window.seconds:g} s ({window.name}) {lasted}")
    if flow.life is None or flow.life.at < opened + window.seconds:
        return Gap(NO_LIFE, "the device gave no sign of life after the window")
    return None


def _unguarded(flow: Flow, seat: Seat) -> Gap | None:
    first = min((call.placed_at for call in flow.calls), default=None)
    if seat.bound_at is None:
        return Gap(NOT_LISTENING, f"{seat.name} ({seat.where}) was never listening")
    if first is not None and seat.bound_at > first:
        return Gap(NOT_LISTENING, f"{seat.name} ({seat.where}) was not yet listening when the call was placed")
    if seat.lost_at is not None:
        lasted = f"{seat.lost_at - seat.bound_at:.1f} s into the watch"
        return Gap(NOT_LISTENING, f"{seat.name} ({seat.where}) stopped listening {lasted}")
    if seat.drops:
        return Gap(DROPS, f"this machine dropped {seat.drops} datagrams that arrived at {seat.name} ({seat.where})")
    return None


def _unread(flow: Flow, seats: Iterable[Seat]) -> Gap | None:
    """A request that arrived at one of ``seats`` and is no event; what does not look like one (keepalives) is none."""
    places = {seat.name: seat.where for seat in seats}
    for one in flow.unreadable:
        if one.seat in places and (line := one.request_line):
            where = f"{one.seat} ({places[one.seat]})"
            return Gap(UNREADABLE, f"a request without Call-ID arrived at {where} at an unknown time ({line[:80]})")
    if flow.unreadable_left_out:
        more = f"and {flow.unreadable_left_out} more"
        return Gap(UNREADABLE, f"more arrived that is no SIP message than a flow keeps ({more})")
    return None


def _strange_call(flow: Flow) -> Gap | None:
    """That a call came while this drive went on which may be its own, for it bears nobody's digits."""
    first = min((call.placed_at for call in flow.calls), default=None)
    for stray in flow.strays:
        if stray.method == "INVITE" and stray.to_tag is None and (first is None or stray.time >= first):
            came = f"{stray.start_line[:120]} came to the {stray.seat} meanwhile"
            return Gap(UNKNOWN_CALL, f"{came}, and whose call it was is not known")
    return None


def _uncontrolled(flow: Flow, seat: Seat) -> Gap | None:
    """That ``seat`` has no positive control: nothing shows that this device can reach an address like it."""
    if flow.select("INVITE", at=seat.name, received=True):
        return None
    reached = {control.seat_kind for control in flow.controls if control.address.carrier == seat.address.carrier}
    if seat.kind == "backup":
        if "backup" in reached:
            return None
        return Gap(NO_CONTROL, f"no positive control: the device was never seen to use {seat.address}")
    # A device that places no calls can only be seen to answer; its answers go to an address like the guard's.
    if flow.role in ("redirect", "uas"):
        answered = any(flow.select(at=other.name, received=True) for other in flow.seats if other.kind == "caller")
        return None if answered else Gap(NO_CONTROL, "no positive control: the device answered no request in this flow")
    # A device that follows redirections must have been seen to reach an address it learnt from a Contact; one that
    # does not follow can only be seen to reach what it dials.  A proxy reaches both in one way.
    follows = flow.device["pics"].get("follows_redirects")
    if "target" in reached or ("callee" in reached and not follows):
        return None
    how = "follow a redirection to an address" if follows else "reach an address"
    where = f"{how} like {seat.name}'s ({seat.address})"
    return Gap(NO_CONTROL, f"no positive control: this device was not seen, in this run, to {where}")


def _name(event: Event) -> str:
    return f"the {event.status or event.method} (message {event.number})"
