"""Whether a flow is evidence at all: nothing was done to the time of this machine, and it is of the axes it claims.

Pure: it looks at the labels of a flow and at its messages, so a stored flow is checked like one that was just driven.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from harness.judge.once import once_per_flow
from harness.model.flow import Event, Flow
from harness.net.address import Carrier, family_of
from harness.sip.uri import SipUri

_FORGOTTEN_S: Final = 4.0
"""Seconds after its final response within which a request that is sent again is still known.  17.2.1 asks for 32, and
there are products that have forgotten it after 5; but only a tester that is late finds out."""


@once_per_flow
def no_evidence(flow: Flow) -> str:
    """Why nothing in ``flow`` shows anything, in one sentence; "" if it does."""
    return spoilt(flow) or contradiction(flow)


@once_per_flow
def spoilt(flow: Flow) -> str:
    """What this machine did to ``flow``, so that nothing in it is evidence, in one sentence; "" if nothing."""
    if flow.interruptions:
        return f"{flow.interruptions[0].sentence} while flow {flow.id} was recorded: nothing in it is evidence"
    # A final response that the caller never acknowledges is one that it could not take: that is the device's doing.
    taken = {_transaction(event): event.number for event in flow.events if _is_our(event, "ACK")}
    refused: dict[tuple[object, ...], Event] = {}
    for event in flow.events:
        transaction = _transaction(event)
        if event.from_device and event.cseq_method == "INVITE" and (event.status or 0) >= 300:
            refused.setdefault(transaction, event)
        elif _is_our(event, "INVITE") and transaction in refused and taken.get(transaction, 0) > event.number:
            final = refused[transaction]
            if (late := event.time - final.time) > _FORGOTTEN_S:
                return (
                    f"{event.seat} of the suite sent its INVITE again {late:.1f} s after the {final.status} had come "
                    f"(message {event.number}): this machine was too busy, and nothing in flow {flow.id} is evidence"
                )
    return ""


def _transaction(event: Event) -> tuple[object, ...]:
    return event.seat, event.branch, event.call_id, event.cseq_number


def _is_our(event: Event, method: str) -> bool:
    return not event.from_device and event.method == method


def contradiction(flow: Flow) -> str:
    """Why ``flow`` is no evidence of its axes, in one sentence; "" if it is."""
    for found in _contradictions(flow):
        return f"a bug in sipverdict: flow {flow.id} is recorded as {flow.carrier}, but {found}"
    return ""


def _contradictions(flow: Flow) -> Iterator[str]:
    for seat in flow.seats:
        for address in filter(None, (*seat.addresses, seat.behind)):
            if address.carrier != _planned(flow, seat.name):
                yield f"{seat.name} was at {address} ({address.transport}, {address.family})"
    for event in flow.events:
        if event.transport != _planned(flow, event.seat).transport and not _in_clear(flow, event):
            yield f"{event.label}, went over {event.transport}"
    for event in flow.events:
        if not event.from_device:
            yield from _of_ours(flow, event)
    yield from _of_the_device(flow)


def _in_clear(flow: Flow, event: Event) -> bool:
    """Whether it crossed a connection that came to a TLS port without TLS: the device's doing, and recorded as such."""
    ends = {event.source, event.destination}
    return any({one.local, one.peer} == ends for one in flow.seat(event.seat).connections)


def _planned(flow: Flow, seat: str) -> Carrier:
    """What carries the messages of a seat: what the flow's do, unless its plan says that the call changes it there."""
    own = flow.carrier.outbound
    for endpoint in flow.plan.endpoints:
        if endpoint.name == seat:
            return Carrier(endpoint.by or own.transport, own.across.family if endpoint.crosses else own.family)
    # A caller that could not be kept has no seat in the flow, and may have sent something all the same.
    kind = next((one.kind for one in flow.seats if one.name == seat), "caller")
    return flow.carrier.inbound if kind == "caller" else own


def _of_ours(flow: Flow, event: Event) -> Iterator[str]:
    """What the suite wrote itself: the top Via of its requests, and where its endpoints want to be reached.

    The top Via of its responses is the device's.  Contacts of a REGISTER and of a redirection name other endpoints.
    """
    carrier = _planned(flow, event.seat)
    if event.method is not None and event.vias:
        via = event.vias[0]
        if via.transport.lower() != carrier.transport:
            yield f"{event.label}, has the Via SIP/2.0/{via.transport}"
        elif family_of(via.host) not in (None, carrier.family):
            yield f"{event.label}, has the Via host {via.host}"
    if event.cseq_method != "REGISTER" and (event.method is not None or 200 <= (event.status or 0) < 300):
        for uri in map(SipUri.parse, event.contact_uris):
            if uri is not None and family_of(uri.host) not in (None, carrier.family):
                yield f"{event.label}, has the Contact host {uri.host}"


def _of_the_device(flow: Flow) -> Iterator[str]:
    """The device's own requests, if none of them was sent over the transport.

    A device that sometimes writes another transport than it uses does wrong by itself, and is judged for it.  Where a
    connection was established, with all the handshakes that belong to it, or requests of the suite went over the same
    transport, that shows what was used, and a Via that says something else is the device's doing, too.
    """
    own = flow.carrier.transport
    if any(one.method and not one.from_device and _planned(flow, one.seat).transport == own for one in flow.events):
        return
    lines = (one for seat in flow.seats for one in seat.connections)
    if any(one.established_at is not None and one.local.transport == own for one in lines):
        return
    requests = [event for event in flow.events if event.from_device and event.method is not None and event.vias]
    if requests and all(event.vias[0].transport.lower() != own for event in requests):
        label, transport = requests[0].label, requests[0].vias[0].transport
        doubt = "unless the device writes a transport that it does not use"
        yield f"no request of the device says so: {label}, has the Via SIP/2.0/{transport} ({doubt})"
