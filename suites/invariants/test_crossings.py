"""A call that goes from one transport or IP family to another: what each side is told of the device."""

from __future__ import annotations

from collections.abc import Iterator

from harness.judge.say import Findings, expect, satisfied, violated
from harness.model.flow import Event, Flow
from harness.net.address import DEFAULT_PORTS, FAMILY_NAMES, family_of
from harness.purposes.invariant import invariant
from harness.sip.message import addr_spec, split_list
from harness.sip.uri import SipUri

_WRITES = "which of its addresses does the device write, and does it know by what the message goes?"


@invariant("INT-CROSS-01", faults=["contact_of_callers_side", "contact_of_trunk_side"])
def test_contact_of_a_leg_can_be_reached_by_its_transport(flow: Flow) -> Findings:
    """The Contact that a gateway names to one side leads to it over the transport of that side.

    A trunk over UDP cannot send its BYE to the WebSocket of a gateway, so its calls never end. Typical defect: one
    Contact is written for all calls, or that of the leg by which the call came is copied.
    """
    for event in _making_dialogs(flow):
        for uri in filter(None, map(SipUri.parse, event.contact_uris)):
            if _leads_to_the_other_side(flow, event, uri):
                yield violated(
                    code="contact-of-other-side",
                    expected=f"a Contact that is reached over {event.transport.upper()}",
                    actual=f"Contact {uri}",
                    event=event,
                    means="the other end cannot send a BYE or a re-INVITE there",
                    look_at=_WRITES,
                )
            else:
                yield satisfied(f"Contact {uri} over {event.transport.upper()}", event=event)


@invariant("INT-CROSS-02", faults=["records_one_side"])
def test_recorded_route_leads_to_the_side_that_it_is_told(flow: Flow) -> Findings:
    """Where a proxy records its route between two transports, each side finds the one that it has nearest to itself.

    A phone over UDP cannot send its BYE to a WebSocket, so its calls never end. Typical defects: one Record-Route for
    both sides; the two of RFC 5658 in the wrong order.

    Two values, and one that is rewritten in the response, both conform. Whether it records its route is its own affair.
    """
    if len({seat.address.transport for seat in flow.seats}) < 2:
        return
    for event in _making_dialogs(flow):
        uri = _nearest_route(event)
        if uri is None:
            continue
        if _leads_to_the_other_side(flow, event, uri):
            yield violated(
                code="route-of-other-side",
                expected=f"a Record-Route that is reached over {event.transport.upper()} nearest to {event.seat}",
                actual=f"Record-Route: <{uri}>",
                event=event,
                means="the other end cannot send a BYE or a re-INVITE there",
                look_at=f"{_WRITES[:-1]} (two values, or one that is rewritten in the response: RFC 5658)?",
            )
        else:
            yield satisfied(f"Record-Route {uri} over {event.transport.upper()}", event=event)


@invariant(
    "INT-302-FAMILY-02",
    faults=[
        *("via_of_old_family", "contact_of_old_family", "reinvites_from_old_family"),
        *("records_old_family", "records_one_side"),
    ],
)
def test_each_side_is_told_addresses_of_its_family(flow: Flow) -> Findings:
    """In a call that changes its IP family, the Via of each INVITE has an address of the family over which it goes; so
    have the Contact of a user agent and the Record-Route of a proxy.

    The target may have this one family only.  Then it cannot send a BYE to a Contact or a Route of the other one, and
    the call stays up; nor a response, if it takes the Via at its word.  Typical defect: these headers are made when the
    account starts, when the call does, or once for all servers of a name.  Of a proxy the nearest Record-Route counts,
    in the responses to its caller as well: it may write two (RFC 5658).

    A name is as good as an address.  No clause says in so many words that the families must agree: a warning.
    """
    families = {seat.name: seat.address.family for seat in flow.seats}
    if len({*families.values()}) < 2:
        return
    for event in _making_dialogs(flow):
        wanted = families.get(event.seat)
        if wanted is None:  # a caller that could not be kept has no seat in the flow
            continue
        for header, host, code in _own_hosts(event, proxy=flow.role == "proxy"):
            yield expect(
                family_of(host) in (None, wanted),
                code=code,
                expected=f"a {header} that can be reached over {FAMILY_NAMES[wanted]}",
                actual=f"{header} with the host {host}",
                event=event,
                means="answers may get lost" if header == "Via" else "who has one family cannot end the call",
                look_at=f"is the {header} written when it is known where the message goes?",
            )


def _own_hosts(event: Event, *, proxy: bool) -> Iterator[tuple[str, str, str]]:
    """What the device names of itself: header, host, and the code of a wrong one."""
    if event.method:
        yield from (("Via", via.host, "old-via") for via in event.vias[:1])
    uris = [_nearest_route(event)] if proxy else map(SipUri.parse, event.contact_uris)
    header, code = ("Record-Route", "old-route") if proxy else ("Contact", "old-contact")
    yield from ((header, uri.host, code) for uri in uris if uri is not None)


def _nearest_route(event: Event) -> SipUri | None:
    """The Record-Route by which its receiver begins: a callee with the topmost, which was added last, a caller with the
    other end (12.1.1, 12.1.2); None where there is none."""
    recorded = [value for line in event.headers("Record-Route") for value in split_list(line)]
    return SipUri.parse(addr_spec(recorded[0] if event.method else recorded[-1])) if recorded else None


def _making_dialogs(flow: Flow) -> Iterator[Event]:
    """The device's INVITEs, and its responses to others that make a dialog (12.1)."""
    for event in flow.events:
        answered = event.cseq_method == "INVITE" and 100 < (event.status or 0) < 300 and event.to_tag is not None
        if event.from_device and (event.method == "INVITE" or answered):
            yield event


def _leads_to_the_other_side(flow: Flow, event: Event, uri: SipUri) -> bool:
    """Whether it says another transport, or by its port can only be the place of the other side."""
    if not uri.reached_by(event.transport):
        return True
    named = uri.host.strip("[]"), DEFAULT_PORTS[event.transport] if uri.port is None else uri.port
    called = flow.places.device
    if called is None or named in _sources(flow, event.transport):
        return False
    if event.transport != called.transport:
        return flow.carrier.called_over is not None and named == (called.host, called.port)
    # TCP and UDP may share a port (18.2.1); a URI that names its transport has been believed.
    unsaid = uri.scheme.lower() == "sip" and uri.parameter("transport") is None
    return unsaid and event.transport not in ("udp", "tcp") and named in _sources(flow, flow.carrier.transport)


def _sources(flow: Flow, transport: str) -> set[tuple[str, int]]:
    """Whence the device sends over ``transport``."""
    sent = (one.source for one in flow.events if one.from_device and one.transport == transport)
    return {(source.host, source.port) for source in sent if source}
