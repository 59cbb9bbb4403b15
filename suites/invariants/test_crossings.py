"""A call that comes over one transport and goes on over another: what each side is told of the device."""

from __future__ import annotations

from harness.judge.say import Findings, satisfied, violated
from harness.model.flow import Event, Flow
from harness.net.address import DEFAULT_PORTS
from harness.purposes.invariant import invariant
from harness.sip.uri import SipUri


@invariant("INT-CROSS-01", faults=["contact_of_callers_side"], side="either")
def test_contact_of_a_leg_can_be_reached_by_its_transport(flow: Flow) -> Findings:
    """The Contact that a gateway names to one side leads to it over the transport of that side.

    A trunk over UDP cannot send its BYE to the WebSocket of a gateway, so its calls never end. Typical defect: one
    Contact is written for all calls, or that of the leg by which the call came is copied.
    """
    for event in flow.events:
        if not event.from_device or not _makes_a_dialog(event):
            continue
        for uri in filter(None, map(SipUri.parse, event.contact_uris)):
            if _leads_to_the_other_side(flow, event, uri):
                yield violated(
                    code="contact-of-other-side",
                    expected=f"a Contact that is reached over {event.transport.upper()}",
                    actual=f"Contact {uri}",
                    event=event,
                    means="the other end cannot send a BYE or a re-INVITE there",
                    look_at="which of its addresses does the device write, and does it know by what the message goes?",
                )
            else:
                yield satisfied(f"Contact {uri} over {event.transport.upper()}", event=event)


def _makes_a_dialog(event: Event) -> bool:
    return event.method == "INVITE" or (event.cseq_method == "INVITE" and 200 <= (event.status or 0) < 300)


def _leads_to_the_other_side(flow: Flow, event: Event, uri: SipUri) -> bool:
    if not uri.reached_by(event.transport):
        return True
    called = flow.places.device
    port = DEFAULT_PORTS[event.transport] if uri.port is None else uri.port
    ours = {(one.source.host, one.source.port) for one in flow.events if one.from_device and one.source}
    return (
        called is not None
        and event.transport != called.transport
        and (uri.host.strip("[]"), port) == (called.host, called.port)
        and (called.host, called.port) not in ours
    )
