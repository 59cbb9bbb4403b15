"""Faults in what carries a message (RFC 3261 section 18, RFC 3263 section 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..behaviour import Behaviour
from ..contacts import Target
from ..sip_uri import Address, bare, default_port
from ..wire import InboundRequest, OutboundRequest, OutboundResponse


class KeepsTransport(Behaviour):
    """Wrong by RFC 3263 section 4.1: the Contact says by what it is reached."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Go on with the transport of the redirected INVITE."""
        invite = super().redirected(invite, previous, target)
        kept = invite.destination._replace(transport=previous.destination.transport)
        return replace(invite, destination=kept).with_field("Via", _old_via(invite, previous))


class ViaOfOldTransport(Behaviour):
    """Wrong by 18.1.1: the Via says by what the request is sent."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Write the Via as that of the redirected INVITE was."""
        invite = super().redirected(invite, previous, target)
        return invite.with_field("Via", _old_via(invite, previous))


class ManglesIpv6(Behaviour):
    """Wrong by RFC 3261 section 25.1: an IPv6 address stands in brackets, or its port is part of it."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Write host and port as a socket library shows them."""
        invite = super().redirected(invite, previous, target)
        return replace(invite, uri=invite.uri.replace("[", "").replace("]", ""))


class RepeatsRefusalOverStreams(Behaviour):
    """Wrong by 17.2.1: Timer G is for transports that lose messages."""

    repeats_over_streams = True


class AnswersOnNewConnection(Behaviour):
    """Wrong by 18.2.2: the response goes back on the connection of its request."""

    def answer(self, response: OutboundResponse, request: InboundRequest) -> OutboundResponse:
        """Send it where the Via of a caller points."""
        response, via, source = super().answer(response, request), request.vias[0], request.source
        port = via.port or default_port(source.transport)
        return replace(response, destination=Address(bare(via.host), port, source.transport))


class OmitsSubprotocol(Behaviour):
    """Wrong by RFC 7118 section 4.1: the client names ``sip``, and the server answers with it."""

    subprotocols = ()


class PlainViaWhenSecure(Behaviour):
    """Wrong by RFC 7118 section 5.2.1: ``ws`` is the word of URIs for both, and not that of the Via."""

    def worded(self, data: bytes, destination: Address) -> Sequence[tuple[bytes, Address]]:
        """Write WS into its own Via."""
        if not data.startswith(b"SIP/2.0 "):
            data = data.replace(b"\r\nVia: SIP/2.0/WSS ", b"\r\nVia: SIP/2.0/WS ", 1)
        return super().worded(data, destination)

    def datagram(self, data: bytes) -> bytes:
        """Know its own Via in a response."""
        data = super().datagram(data)
        return data.replace(b" SIP/2.0/WS ", b" SIP/2.0/WSS ", 1) if data.startswith(b"SIP/2.0 ") else data


def _old_via(invite: OutboundRequest, previous: OutboundRequest) -> str:
    return previous.field("Via").replace(previous.branch, invite.branch)
