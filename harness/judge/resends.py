"""How the device repeats its requests (RFC 3261 17.1.1.2, 17.1.2.2): on UDP until they are answered, unchanged.

On a stream it repeats none.
"""

from __future__ import annotations

from harness.judge.answers import unproven
from harness.judge.extent import later
from harness.judge.intervals import on_time
from harness.judge.say import Findings, expect, violated
from harness.judge.served import Begun, begun
from harness.judge.timers import timers_of
from harness.model.flow import Event, Flow
from harness.net.address import UNRELIABLE

_PATIENCE = 2
"""So many T1 after a request that has no answer there must be a copy of it: one, and what a busy machine takes."""
CROSSED_S = 0.35
"""A copy may have been sent before the device had read a response, if it comes no later than so long after it."""


def repeated(flow: Flow, requirement: str, *, invites: bool) -> Findings:
    """Each request that had to wait for its answer came again, unchanged."""
    for one in begun(flow):
        if (one.request.method == "INVITE") is invites:
            yield from _repeated(flow, one, requirement)


def rests(flow: Flow, requirement: str) -> Findings:
    """No INVITE came again after it had been answered, with a 1xx or otherwise; no other request after its final."""
    for one in begun(flow):
        invite = one.request.method == "INVITE"
        vias = len(one.request.vias)  # A response with more or fewer is one that the device has to drop.
        heard = (response for response in one.responses if len(response.vias) == vias)
        answered = next((response for response in heard if invite or (response.status or 0) >= 200), None)
        if answered is None:
            continue
        name = f"the {answered.status} (message {answered.number})"
        late = [copy for copy in one.copies if copy.number > answered.number and _crossing_is_over(copy, answered)]
        final = any((r.status or 0) >= 200 and late and r.number < late[0].number for r in one.responses)
        yield expect(
            not late,
            code="repeated-after-final" if final else "repeated-after-1xx",
            expected=f"no copy of the {one.request.method} once {name} was there",
            actual=f"a copy {late[0].time - answered.time:.1f} s after {name}" if late else f"none after {name}",
            event=late[0] if late else answered,
            means="the other side is asked again and again what it has already answered",
            look_at="does every response reach the transaction, and does it stop Timer A (INVITE) or E?",
            requirement=requirement,
        )


def sent_once(flow: Flow, requirement: str) -> Findings:
    """No INVITE came again on a stream, which loses nothing."""
    for one in begun(flow):
        request = one.request
        if request.method != "INVITE" or request.transport in UNRELIABLE:
            continue
        copy = next(iter(one.copies), None)
        yield expect(
            copy is None,
            code="repeated-on-a-stream",
            expected=f"the INVITE (message {request.number}) once, over {request.transport.upper()}",
            actual=f"a copy (message {copy.number}) {later(copy.time - request.time)} later" if copy else "no copy",
            event=copy or request,
            means="the other side is sent what it has already, and a slow one is sent more and more of it",
            look_at="does the client transaction ask whether its transport is reliable before it starts Timer A?",
            requirement=requirement,
        )


def _crossing_is_over(copy: Event, answered: Event) -> bool:
    return copy.time - answered.time > CROSSED_S


def _repeated(flow: Flow, one: Begun, requirement: str) -> Findings:
    request, name = one.request, f"the {one.request.method} (message {one.request.number})"
    if request.transport not in UNRELIABLE:
        return
    t1 = timers_of(flow).t1
    due = _PATIENCE * t1
    for copy in one.copies:
        changed = changes(request, copy)
        yield expect(
            not changed,
            code="copy-differs",
            expected=f"copies like {name}",
            actual=f"a copy with another {', '.join(changed)}" if changed else "an unchanged copy",
            event=copy,
            means="the other side takes the copy for another request, or answers something else than the first",
            look_at="does the transaction keep the request as it was sent, or is each copy built anew?",
            requirement=requirement,
        )
    if one.copies:
        yield from on_time(flow, one, requirement)
    elif _answered_after(one) > due and not unproven(flow, request.seat, request.time + due):
        yield violated(
            code="not-repeated",
            expected=f"a copy of {name} {t1:g} s after it, for nothing had been answered",
            actual=f"no copy in {min(_answered_after(one), flow.watch.closed_at - request.time):.1f} s",
            event=request,
            means="one lost datagram, and the call is never made or never ends",
            look_at="is it sent by a client transaction with Timer A (INVITE) or E, or once by the application?",
            requirement=requirement,
        )


def _answered_after(one: Begun) -> float:
    """Seconds until its first response."""
    return one.responses[0].time - one.request.time if one.responses else float("inf")


def changes(request: Event, copy: Event) -> tuple[str, ...]:
    """In what a copy of a request differs; bytes that nobody matches or reads do not count."""
    return tuple(
        name
        for name, was, now in (
            ("Request-URI", request.request_uri, copy.request_uri),
            ("Via", request.headers("Via"), copy.headers("Via")),
            ("From", request.header("From"), copy.header("From")),
            ("To", request.header("To"), copy.header("To")),
            ("CSeq", request.cseq_number, copy.cseq_number),
            ("Max-Forwards", request.header("Max-Forwards"), copy.header("Max-Forwards")),
            ("Route", request.headers("Route"), copy.headers("Route")),
            ("Contact", request.headers("Contact"), copy.headers("Contact")),
            ("body", request.body, copy.body),
            ("destination", request.destination, copy.destination),
        )
        if was != now
    )
