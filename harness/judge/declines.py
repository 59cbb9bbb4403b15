"""A declined call stays declined: the rule of RFC 3261 21.6, with the times that a verdict rests on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator

from harness.judge.acks import NOT_REFUSED, Refusal, acknowledged, refused
from harness.judge.attempts import Attempt, tries
from harness.judge.say import Gap, not_proven, satisfied, unseen
from harness.judge.silence import gap, silent
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.model.windows import EXTENDED, STANDARD, Window

COMPARED_S = 1.0
"""Seconds by which one flow must be silent longer than the other takes to show a new call, for the two to differ."""


def never(_attempt: Attempt) -> bool:
    """No later attempt is allowed."""
    return False


def since(flow: Flow, attempt: Attempt) -> Flow:
    """The flow with its window counted from the last copy of the final response of ``attempt``.

    A further call of the device gets its own final response, which must not shorten the watch over the first call.
    """
    finals = attempt.finals
    opened_at = finals[-1].time if finals else None
    return dataclasses.replace(flow, watch=dataclasses.replace(flow.watch, opened_at=opened_at))


def watched_seats(flow: Flow) -> tuple[str, ...]:
    """The seats where the device's own calls arrive."""
    return tuple(seat.name for seat in flow.seats if seat.kind != "caller")


def called_again(
    flow: Flow,
    refusal: Refusal,
    at: Iterable[str] | None = None,
    unless: Callable[[Attempt], bool] = never,
) -> Attempt | None:
    """The first call that the device placed after it had been refused; None if it placed none."""
    seats = tuple(at) if at is not None else watched_seats(flow)
    later = (a for a in tries(flow) if a.seat in seats and a.invite.number > refusal.final.number and not unless(a))
    return next(later, None)


def stays_declined(
    flow: Flow,
    refusal: Refusal,
    *,
    code: str = "redialled",
    means: str = "the device of a declined caller calls again by itself",
    look_at: str = "auto-redial, route advance and failover settings: do they count this answer as a failed route?",
    at: Iterable[str] | None = None,
    unless: Callable[[Attempt], bool] = never,
    at_least: Verdict = Verdict.NONE,
    requirement: str = "",
) -> Finding:
    """No further call after the refusal, proven.

    No RFC says for how long a 6xx binds the caller.  The catalogue does: a new call within the standard window is a
    violation, one up to the end of the extended window at most a warning, and a later one is allowed.
    """
    seats = tuple(at) if at is not None else watched_seats(flow)
    again = called_again(flow, refusal, seats, unless)
    at_most = _cost(again.invite.time - last_final(flow, again).time) if again else Verdict.FAIL
    return silent(
        since(flow, refusal.attempt),
        code=code,
        after=refusal.final,
        at=seats,
        unless=unless,
        expected=f"an ACK, and no further INVITE within the window{_at(at)}",
        means=means,
        look_at=look_at,
        at_most=at_most,
        # Whatever the row's ruling: how late the call comes still counts.
        at_least=min(at_least, at_most),
        requirement=requirement,
    )


def last_final(flow: Flow, attempt: Attempt) -> Event:
    """The last final response of any earlier attempt that was sent before ``attempt``; its own INVITE if none was."""
    finals = (f for other in tries(flow) for f in other.finals if f.number < attempt.invite.number)
    return max(finals, key=lambda final: final.number, default=attempt.invite)


def handled_like(usual: Flow, other: Flow, *, means: str, look_at: str, requirement: str = "") -> Iterator[Finding]:
    """Whether the refusal in ``other`` is handled as the well-known one in ``usual``: acknowledged, and final.

    Defects that occur after the well-known response as well are judged by the rules about that response.
    """
    known, unknown = refused(usual), refused(other)
    if known is None or unknown is None:
        yield unseen(NOT_REFUSED, code="not-refused", requirement=requirement)
        return
    if known.acks:
        ack = acknowledged(other, unknown, requirement)
        yield dataclasses.replace(ack, means=means, look_at=look_at) if ack.outcome == "violated" else ack
    else:
        yield unseen(
            f"the {known.final.status} to compare with got no ACK either",
            code="not-acknowledged",
            requirement=requirement,
        )
    again = called_again(other, unknown)
    if again is None:
        yield stays_declined(other, unknown, means=means, look_at=look_at, requirement=requirement)
    elif called_again(usual, known) is not None:
        yield satisfied(
            f"the device calls again after the {known.final.status} {known.final.reason} as well",
            note="handled alike, and wrongly: the rules about calling again judge that",
            requirement=requirement,
        )
    elif missing := _not_silent_for(usual, known, again.invite.time - unknown.final.time):
        quiet = f"the device was silent after the {known.final.status} {known.final.reason}"
        yield not_proven(quiet, missing, requirement=requirement)
    else:
        yield stays_declined(other, unknown, means=means, look_at=look_at, requirement=requirement)


def _not_silent_for(flow: Flow, refusal: Refusal, seconds: float) -> Gap | None:
    """Why it is not proven that the device was silent so long after ``refusal``; None if it is."""
    narrowed = since(flow, refusal.attempt)
    window = Window("the time compared", seconds + COMPARED_S, "as late as the call came after the other response")
    return gap(
        dataclasses.replace(narrowed, watch=dataclasses.replace(narrowed.watch, window=window)), watched_seats(flow)
    )


def _cost(late: float) -> Verdict:
    if late <= STANDARD.seconds:
        return Verdict.FAIL
    return Verdict.WARN if late <= EXTENDED.seconds else Verdict.PASS


def _at(seats: Iterable[str] | None) -> str:
    return f" at {', '.join(seats)}" if seats is not None else ", anywhere"
