"""When a request without answer is repeated on UDP: timers A and E (RFC 3261 17.1.1.2, 17.1.2.2).

A late copy is harmless and mostly the doing of a busy machine, so lateness has to be great.  What makes a copy come too
early is the device.  Times are counted from the request, because one late copy does not make the next one early.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from harness.judge.answers import unproven
from harness.judge.say import Findings, satisfied, violated
from harness.judge.served import Begun
from harness.judge.timers import timers_of
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict

_EARLY = 0.75
"""A copy comes early after less than this part of its interval."""
_AT_ONCE_S = 0.05
"""A request that is sent twice to be sure comes within so many seconds."""
_NOT_DOUBLED = 0.8
"""A later copy comes too early after less than this part of the time that the intervals before it make."""
_LATE = 1.9
"""An interval is long at this multiple of what it should be.  One may be the machine's doing; all are the device's."""
_SILENT, _SILENT_S = 3.0, 2.0
"""A copy is missing when nothing came for this multiple of its interval, and so many seconds more."""
_LONGEST = 64
"""Timers B and F, in T1: nothing is due after them."""


def on_time(flow: Flow, one: Begun, requirement: str) -> Findings:
    """Whether the copies of a request came after T1, then after twice as long each time, until it was answered.

    Timer E stops growing at T2.  Timer A goes on (17.1.1.2); a device that stops it at T2, too, does no harm.
    """
    copies = unanswered_copies(one)
    if not copies:
        return
    request, timers = one.request, timers_of(flow)
    name = f"the {request.method} (message {request.number})"
    seen = ", ".join(f"{copy.time - request.time:.1f}" for copy in copies)
    expected = f"copies of {name} after T1 ({timers.t1:g} s), then each interval twice as long as the one before"
    actual, look_at = f"copies {seen} s after it", f"Timer {_letter(request)}: it begins with T1 and is doubled"
    first = copies[0].time - request.time
    if _too_early(request, copies, timers.t1):
        yield violated(
            code="copy-too-early",
            expected=f"the first copy of {name} {timers.t1:g} s after it",
            actual=f"a copy after {first * 1000:.0f} ms",
            event=copies[0],
            means="the network is filled with copies that nobody needs",
            look_at=f"{look_at}; or is each request sent twice? A device of a network with another T1 declares it "
            "(pixit.t1_s)",
            at_most=Verdict.WARN,
            requirement=requirement,
        )
    unit = min(timers.t1, first)
    for place, copy in enumerate(copies):
        due = sum(min(unit * 2**number, timers.t2) for number in range(place + 1))
        if place and copy.time - request.time < _NOT_DOUBLED * due:
            yield violated(
                code="interval-not-doubled",
                expected=expected,
                actual=actual,
                event=copy,
                means="a server that is slow or away gets more copies the longer it is so",
                look_at=look_at,
                requirement=requirement,
            )
            return
    gaps = [late.time - early.time for early, late in pairwise((request, *copies))]
    wanted = [_interval(one, timers.t1, timers.t2, place) for place in range(len(gaps))]
    if len(gaps) > 1 and all(gap > _LATE * due for gap, due in zip(gaps, wanted, strict=True)):
        yield violated(
            code="copies-too-late",
            expected=expected,
            actual=actual,
            event=copies[0],
            means="after a lost datagram the caller waits longer than it has to",
            look_at=look_at,
            at_most=Verdict.WARN,
            requirement=requirement,
        )
        return
    if gone_silent(flow, one, _interval(one, timers.t1, timers.t2, len(copies)), _LONGEST * timers.t1):
        yield violated(
            code="copies-stop",
            expected=expected,
            actual=f"{actual}, and no more",
            event=copies[-1],
            means="where several datagrams are lost, the call is never made or never ends",
            look_at=f"whether Timer {_letter(request)} is set again each time that it fires",
            at_most=Verdict.WARN,
            requirement=requirement,
        )
        return
    yield satisfied(f"copies {seen} s after {name}", event=copies[0], requirement=requirement)


def _too_early(request: Event, copies: Sequence[Event], t1: float) -> bool:
    """Whether another timer than A or E has sent the first copy.

    Where a busy machine has sent the request itself late, the first copy comes early, and the second one in time.
    """
    first = copies[0].time - request.time
    if first >= _EARLY * t1:
        return False
    return first < _AT_ONCE_S or (len(copies) > 1 and copies[1].time - copies[0].time < _EARLY * 2 * t1)


def unanswered_copies(one: Begun) -> tuple[Event, ...]:
    """The copies that came while the request had no response of any kind."""
    heard = one.responses[0].number if one.responses else None
    return tuple(copy for copy in one.copies if heard is None or copy.number < heard)


def gone_silent(flow: Flow, one: Begun, wanted: float, longest: float) -> bool:
    """Whether the next copy, due in ``wanted`` seconds, is missing although the device had nothing else to do."""
    last = unanswered_copies(one)[-1]
    until = one.responses[0].time if one.responses else flow.watch.closed_at
    silence = until - last.time
    if silence < _SILENT * wanted or silence < wanted + _SILENT_S or last.time + wanted >= one.request.time + longest:
        return False
    # A device that goes on to another target, or ends the call, gives the old one up.
    elsewhere = flow.select(
        received=True, where=lambda e: e.method is not None and e.number > last.number and e.branch != last.branch
    )
    return not elsewhere and not unproven(flow, one.request.seat, last.time + _SILENT * wanted)


def _interval(one: Begun, t1: float, t2: float, place: int) -> float:
    """The longest that the interval before copy ``place`` (from 0) may be meant to be."""
    interval: float = t1 * 2**place
    return interval if one.request.method == "INVITE" else min(interval, t2)


def _letter(request: Event) -> str:
    return "A" if request.method == "INVITE" else "E"
