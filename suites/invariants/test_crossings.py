"""A call that comes over one transport and goes on over another: what each side is told of the device."""

from __future__ import annotations

from collections.abc import Iterator

from harness.judge.say import Findings, satisfied, violated
from harness.model.flow import Event, Flow
from harness.net.address import DEFAULT_PORTS
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
    for event in _making_dialogs(flow):
        recorded = [value for line in event.headers("Record-Route") for value in split_list(line)]
        if not recorded:
            continue
        # A callee goes by the topmost, which was added last; a caller begins at the other end (12.1.1, 12.1.2).
        uri = SipUri.parse(addr_spec(recorded[0] if event.method else recorded[-1]))
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


def _making_dialogs(flow: Flow) -> Iterator[Event]:
    """The device's INVITEs, and the 2xx of those to it."""
    for event in flow.events:
        answered = event.cseq_method == "INVITE" and 200 <= (event.status or 0) < 300
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
        return named == (called.host, called.port)
    # TCP and UDP may share a port (18.2.1); a URI that names its transport has been believed.
    unsaid = uri.scheme.lower() == "sip" and uri.parameter("transport") is None
    return unsaid and event.transport not in ("udp", "tcp") and named in _sources(flow, flow.carrier.transport)


def _sources(flow: Flow, transport: str) -> set[tuple[str, int]]:
    """Whence the device sends over ``transport``."""
    sent = (one.source for one in flow.events if one.from_device and one.transport == transport)
    return {(source.host, source.port) for source in sent if source}
