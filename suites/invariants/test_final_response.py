"""Nobody is left waiting: every request of a caller gets a final response (RFC 3261 8.2.6, 16.7 item 6)."""

from __future__ import annotations

from harness.judge.answers import Asked, asked, unproven
from harness.judge.attempts import Attempt
from harness.judge.calls import Call, calls
from harness.judge.say import Findings, satisfied, violated
from harness.judge.targets import address_of
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.purposes.invariant import invariant

BOUND_S = 2.0
"""Seconds by which the caller must have its final response once nothing is left to wait for."""
RINGS_ON = "rings"
"""The number of a device that rings until its caller gives up."""
LONGEST_S = 34.0
"""A target that never answers is given up after Timer B (32 s)."""


@invariant(
    "INT-FINAL-01",
    faults=["leaves_caller_ringing", "hangs_on_dead_302", "loses_200", "swallows_302", "swallows_302_without_contact"],
)
def test_every_caller_gets_a_final_response(flow: Flow) -> Findings:
    """Once nothing is left to wait for, the caller gets a final response.

    Otherwise it hears ringing until it gives up. Typical defects: a 3xx whose Contacts cannot be used ends nothing; a
    code without a mapping is not reported.

    A number that is declared to decline or redirect, and rings for longer than 34 s instead, is a warning.

    What it waits for: branches without a final response, for as long as Timer B lets it; and, for a request other than
    INVITE, a target that never answers (RFC 4320: then there is none).
    """
    by_request = {call.asked.request.number: call for call in calls(flow) if call.asked is not None}
    for one in asked(flow):
        if one.final is not None:
            yield satisfied(f"{one.status} to the {one.request.method}", event=one.final)
            continue
        since = _nothing_left(flow, one, by_request.get(one.request.number))
        if since is None:
            yield from _never_decided(flow, one)
            continue
        if unproven(flow, one.seat, since.time + BOUND_S):
            continue
        yield violated(
            code="no-final-response",
            expected=f"a final response at {one.seat} within {BOUND_S:g} s of message {since.number} "
            f"({since.start_line})",
            actual=f"no final response for the caller in {flow.watch.closed_at - since.time:.1f} s after "
            f"{since.start_line}",
            event=since,
            means="the caller hears ringing, or nothing, until it gives up",
            look_at="what ends the caller's transaction when the other side has ended, or could not be called at all",
        )


@invariant("RFC3261-12.2.2-02", faults=["answers_message_481"])
def test_481_is_for_requests_in_a_dialog(flow: Flow) -> Findings:
    """A request that places a call or stands alone (MESSAGE, OPTIONS) is not answered 481.

    481 says that the dialog of the request is gone; a request without a To tag has none. Typical defect: the device
    looks for the session of every request, and a MESSAGE comes without one.

    With Replaces, Join or Target-Dialog the request does name a dialog.
    """
    for one in asked(flow):
        if one.final is None or any(one.request.headers(name) for name in ("Replaces", "Join", "Target-Dialog")):
            continue
        if one.status != 481:
            yield satisfied(f"{one.request.method} answered {one.status}", event=one.final)
            continue
        yield violated(
            code="481-without-dialog",
            expected=f"no 481 to a {one.request.method} without To tag (message {one.request.number})",
            actual=f"the {one.request.method} was answered {one.final.start_line}",
            event=one.final,
            means="the sender takes it that a call has ended, and not that its message was refused",
            look_at="where requests outside of a dialog are answered",
        )


def _never_decided(flow: Flow, one: Asked) -> Findings:
    """Whether a device that answers calls itself goes on ringing, though it is declared to do something else."""
    rang = [response for response in one.provisionals if (response.status or 0) > 100]
    if flow.role != "uas" or not rang or RINGS_ON in flow.plan.numbers or _cancelled(flow, one):
        return
    if not unproven(flow, one.seat, one.request.time + LONGEST_S):
        yield violated(
            code="never-decided",
            expected=f"a final response at {one.seat}: the number is declared to decline or to redirect",
            actual=f"{rang[-1].start_line}, and no final response in {flow.watch.closed_at - one.request.time:.0f} s",
            event=rang[-1],
            means="the caller hears ringing until it gives up",
            look_at="what ends the ringing of this number; a number that rings for longer is for lab.numbers.rings",
            at_most=Verdict.WARN,
        )


def _cancelled(flow: Flow, one: Asked) -> bool:
    return bool(flow.select("CANCEL", received=False, at=one.seat, where=lambda e: e.call_id == one.request.call_id))


def _nothing_left(flow: Flow, one: Asked, call: Call | None) -> Event | None:
    """The message after which nothing was left to wait for; None while something was, or if that cannot be told."""
    if one.request.method != "INVITE" or call is None:
        return None
    tries: tuple[Attempt, ...] = call.tries
    if not tries:
        # An early 18x of a device that answers itself: it rings, and nobody has decided yet.
        rang = any((r.status or 0) > 100 for r in one.provisionals)
        # What a proxy has sent to where the suite does not listen is given up with Timer B.
        waits = flow.role == "proxy" and flow.watch.closed_at - one.request.time <= LONGEST_S + BOUND_S
        return None if rang or waits else one.request
    finals = [attempt.final for attempt in tries]
    if any(final is None for final in finals):
        return None
    last = max((final for final in finals if final is not None), key=lambda final: final.number)
    if 300 <= (last.status or 0) < 400 and any(_unreachable(flow, uri) for uri in last.contact_uris):
        # It may be calling a Contact that the suite cannot hear.
        return last if flow.watch.closed_at - last.time > LONGEST_S + BOUND_S else None
    return last


def _unreachable(flow: Flow, uri: str) -> bool:
    """Whether a Contact names an address where the suite does not listen."""
    place = address_of(uri)
    return bool(place) and place not in {str(seat.address) for seat in flow.seats}
