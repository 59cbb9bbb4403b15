"""What RFC 7118 asks of every WebSocket that carries SIP: its subprotocol."""

from __future__ import annotations

from collections.abc import Iterator

from harness.judge.say import Findings, satisfied, violated
from harness.model.connection import Connection
from harness.model.flow import Flow
from harness.purposes.invariant import invariant

SIP = "sip"


@invariant("RFC7118-4.1-01", faults=["omits_subprotocol"], side="either")
def test_device_offers_the_subprotocol(flow: Flow) -> Findings:
    """A device that opens a WebSocket asks for the subprotocol ``sip`` (RFC 7118 4.1).

    One server carries SIP, XMPP and others at the same port, and knows by it what is spoken. Typical defect: the
    WebSocket is opened by its address alone, and servers that go by the RFC answer 400.
    """
    for one in _upgraded(flow, opened_by="device"):
        assert one.upgrade is not None
        offered = ", ".join(one.upgrade.offered) or "none"
        if SIP in one.upgrade.offered:
            yield satisfied(f"the WebSocket from {one.peer} asks for the subprotocol sip")
        else:
            yield violated(
                code="subprotocol-not-offered",
                expected="Sec-WebSocket-Protocol: sip in the request for the WebSocket",
                actual=f"the WebSocket from {one.peer}: {offered}",
                means="a server that goes by the RFC refuses the WebSocket, and no call is possible",
                look_at="the list of subprotocols where the WebSocket is opened",
            )


@invariant("RFC7118-4.1-02", faults=["omits_subprotocol"], side="either")
def test_device_agrees_on_the_subprotocol(flow: Flow) -> Findings:
    """A device that accepts a WebSocket names the subprotocol ``sip`` in its 101 (RFC 7118 4.1).

    Typical defect: the WebSocket server is that of a web page, which knows no subprotocols; a browser then ends the
    WebSocket at once.
    """
    for one in _upgraded(flow, opened_by="suite"):
        assert one.upgrade is not None
        if one.upgrade.agreed == SIP:
            yield satisfied(f"the 101 of {one.peer} names the subprotocol sip")
        else:
            yield violated(
                code="subprotocol-not-agreed",
                expected="Sec-WebSocket-Protocol: sip in the 101",
                actual=f"the 101 of {one.peer}: {one.upgrade.agreed or 'none'}",
                means="a browser ends the WebSocket as soon as it is open, and no call is possible",
                look_at="whether the server of the WebSocket is given the subprotocols that it may choose from",
            )


def _upgraded(flow: Flow, *, opened_by: str) -> Iterator[Connection]:
    """The WebSockets whose handshake the device has answered, or asked for."""
    for seat in flow.seats:
        for one in seat.connections:
            if one.opened_by == opened_by and one.upgrade is not None and one.upgrade.status == 101:
                yield one
