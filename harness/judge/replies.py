"""What a server transaction owes its request beside the contents of the answer: RFC 3261 17.2, 18.2 and 19.3."""

from __future__ import annotations

from harness.judge.answers import Asked, unproven
from harness.judge.calls import calls
from harness.judge.say import Findings, expect, satisfied, violated
from harness.judge.served import served, strayed
from harness.judge.timers import timers_of
from harness.model.finding import Finding
from harness.model.flow import Event, Flow

TRYING_S = 0.2
"""Seconds in which an INVITE gets a response of some kind (17.2.1)."""


def first_response_in_time(flow: Flow, requirement: str) -> Findings:
    """Each INVITE got some response before its sender had to repeat it.

    The rule says 200 ms; what a busy machine takes is not counted, up to T1.
    """
    t1 = timers_of(flow).t1
    for one in served(flow):
        if one.request.method != "INVITE":
            continue
        name = f"the INVITE (message {one.request.number})"
        first = one.responses[0] if one.responses else None
        took = (first.time if first else flow.watch.closed_at) - one.request.time
        if first is not None and took <= t1:
            note = f"only after {took * 1000:.0f} ms: a slow device, or a busy machine" if took > TRYING_S else ""
            said = f"{first.status} {took * 1000:.0f} ms after {name}"
            yield satisfied(said, event=first, note=note, requirement=requirement)
        elif took > t1 and not unproven(flow, one.seat, one.request.time + t1):
            yield violated(
                code="no-trying",
                expected=f"a 100, or another response, within 200 ms of {name}",
                actual=f"{first.status} after {took:.1f} s" if first else f"no response in {took:.1f} s",
                event=first or one.request,
                means="the caller's side repeats its INVITE, and may try another server meanwhile",
                look_at="does the server transaction send a 100 by itself while the application is busy?",
                requirement=requirement,
            )


def one_final(flow: Flow, requirement: str) -> Findings:
    """Each request got one final response; what repeats it is the same again.

    A proxy passes on every 2xx to an INVITE, whatever it has sent before (16.7 item 5).
    """
    for one in served(flow):
        if one in strayed(flow):
            continue
        finals = [final for final in one.finals if not _further_2xx(flow, one, final)]
        if not finals:
            continue
        first = finals[0]
        other = next((final for final in finals if _another(first, final)), None)
        code = "second-final" if other and other.status != first.status else "other-to-tag"
        yield expect(
            other is None,
            code=code,
            expected=f"one final response to the {one.request.method} (message {one.request.number})",
            actual=f"{first.status}, and then {_said(first, other)}" if other else f"{first.status} and no other",
            event=other or first,
            means="the caller takes the second answer for one to another request, or for another phone's",
            look_at="does the application answer twice, and does the transaction let that through?",
            requirement=requirement,
        )


def _further_2xx(flow: Flow, one: Asked, final: Event) -> bool:
    return flow.role == "proxy" and one.request.method == "INVITE" and 200 <= (final.status or 0) < 300


def _another(first: Event, final: Event) -> bool:
    return final.status != first.status or (final.to_tag or "").lower() != (first.to_tag or "").lower()


def _said(first: Event, other: Event) -> str:
    tag = f" with another To tag ({other.to_tag or 'none'} instead of {first.to_tag or 'none'})"
    return f"{other.status} {other.reason}{'' if other.status != first.status else tag}"


def went_where_they_belong(flow: Flow, requirement: str) -> Findings:
    """Each response arrived where its request came from: at the address, and at the port that the Via asks for."""
    seats: dict[tuple[str, str, str], Asked] = {}
    for one in served(flow):
        seats.setdefault((one.request.call_id, one.request.branch or "", one.request.method or ""), one)
        for response in one.responses:
            yield _destination(flow, one.request, response, requirement)
    for event in flow.events:
        if event.from_device and event.status is not None:
            asked = seats.get((event.call_id, event.branch or "", event.cseq_method))
            if asked is not None and asked.seat != event.seat:
                yield _destination(flow, asked.request, event, requirement)


def _destination(flow: Flow, request: Event, response: Event, requirement: str) -> Finding:
    via, source, arrived = request.vias[0], request.source, response.destination
    if source is None or arrived is None:
        right = request.seat == response.seat
    else:
        allowed: set[tuple[str, int | None]] = {(source.host, source.port)}
        # Over a stream the port of the Via is for when the connection has gone (18.2.2).
        if not source.reliable or _gone(flow, request, response):
            allowed.add((via.maddr or source.host, via.sent_by[2]))
        right = (arrived.host, arrived.port) in allowed
    return expect(
        right,
        code="response-elsewhere",
        expected=f"the response at {source or flow.seat(request.seat).address}, where the {request.method} came from",
        actual=f"{response.status} {response.reason} at {arrived or flow.seat(response.seat).address}",
        event=response,
        means="the caller waits for an answer that somebody else gets",
        look_at="is the response sent by the topmost Via (received, rport), or by a Contact or From?",
        requirement=requirement,
    )


def _gone(flow: Flow, request: Event, response: Event) -> bool:
    """Whether the connection of ``request`` had ended before ``response`` came, or is not known."""
    ends = {request.source, request.destination}
    known = [one for one in flow.seat(request.seat).connections if {one.local, one.peer} == ends]
    return not known or any(one.closed_at is not None and one.closed_at <= response.time for one in known)


def seen_from(flow: Flow, received: str, rport: str) -> Findings:
    """What the device notes of where a request came from, in its responses and in what it forwards, is right.

    ``received`` and ``rport`` name the requirements: 18.2.1 asks for the address where the Via has another one, and RFC
    3581 for both where the sender asks for the port.  Whoever does not know RFC 3581 leaves ``rport`` as it came.
    """
    for one in served(flow):
        for response in one.responses:
            if response.vias:
                yield from _noted(one.request, response, 0, received, rport)
    asked = {one.request.branch or "": one.request for one in served(flow)}
    for event in flow.events:
        if event.from_device and event.method is not None and len(event.vias) > 1:
            below = asked.get(event.vias[1].branch or "")
            if below is not None:
                yield from _noted(below, event, 1, received, rport)


def _noted(request: Event, message: Event, place: int, received: str, rport: str) -> Findings:
    sent, noted, source = request.vias[0], message.vias[place], request.source
    if source is None or noted.branch != sent.branch or sent.has_source:
        return
    host = source.host.lower()
    if sent.asks_for_rport and noted.rport is not None:
        yield expect(
            noted.rport == str(source.port),
            code="wrong-rport",
            expected=f"rport={source.port}, from which the {request.method} came",
            actual=f"Via: {noted.text}",
            event=message,
            means="behind a NAT the answer goes to a closed port, and the call fails",
            look_at="is rport the port that the datagram came from, or one that a header names?",
            requirement=rport,
        )
        yield expect(
            noted.received is not None,
            code="no-received",
            expected=f"received={host} beside rport={source.port}",
            actual=f"Via: {noted.text}",
            event=message,
            means="an element on the way back has half of the address, and may send the answer nowhere",
            look_at="RFC 3581 section 4: with rport, received is added even if it repeats the address of the Via",
            requirement=rport,
        )
    if sent.host.strip("[]").lower() != host or noted.received is not None:
        yield expect(
            noted.received == host,
            code="wrong-received",
            expected=f"received={host}, from which the {request.method} came",
            actual=f"Via: {noted.text}",
            event=message,
            means="the answer goes to an address from which nothing came",
            look_at="is received the address that the datagram came from?",
            requirement=received,
        )


def tags_are_new(flow: Flow, requirement: str) -> Findings:
    """No tag that the device made is that of another call, nor the caller's own."""
    # Each side makes the From tag of its requests and the To tag of its responses.
    ours = {e.from_tag if e.method else e.to_tag for e in flow.events if not e.from_device}
    answering: dict[str, Event] = {}
    for one in served(flow):
        tagged = [r for r in one.responses if r.to_tag and (r.status or 0) > 100]
        if one.request.to_tag is not None or not tagged:
            continue
        if flow.role != "proxy" and tagged[0].to_tag == one.request.from_tag:
            yield _used(one.request, tagged[0], "the caller's own From tag", requirement)
        for response in {r.to_tag: r for r in reversed(tagged) if r.to_tag not in ours}.values():
            yield from _new_in(answering, response, response.to_tag or "", "To tag", requirement)
    calling: dict[str, Event] = {}
    # The INVITEs of one call may have one From and several Call-IDs (8.1.3.4): its first one stands for them all.
    first_of = {
        attempt.invite.number: call.tries[0].invite
        for call in calls(flow)
        for attempt in call.tries
        if attempt.invite.from_tag == call.tries[0].invite.from_tag
    }
    for event in flow.events:
        if event.method == "INVITE" and event.from_device and event.to_tag is None and event.from_tag not in ours:
            first = first_of.get(event.number, event)
            yield from _new_in(calling, first, event.from_tag or "", "From tag", requirement)


def _new_in(known: dict[str, Event], event: Event, tag: str, what: str, requirement: str) -> Findings:
    """Whether the first call with ``tag`` is that of ``event``; nothing as long as there is only one call."""
    first = known.setdefault(tag, event)
    if first.call_id != event.call_id:
        yield _used(first, event, f"the {what} of another call", requirement)
    elif any(other.call_id != event.call_id for other in known.values()):
        yield satisfied(f"{what} {tag} in no other call", event=event, requirement=requirement)


def _used(first: Event, event: Event, whose: str, requirement: str) -> Finding:
    return violated(
        code="tag-reused",
        expected="a tag that no other call has",
        actual=f"{event.to_tag if event.status else event.from_tag}, {whose} (message {first.number})",
        event=event,
        means="an element that finds calls by their tags mixes two calls up",
        look_at="does each call get a random tag of at least 32 bits?",
        requirement=requirement,
    )
