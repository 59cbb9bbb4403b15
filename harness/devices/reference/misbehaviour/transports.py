"""Faults in what carries a message (RFC 3261 section 18, RFC 3263 section 4.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ..behaviour import Behaviour
from ..contacts import Target
from ..sip_uri import Address, bare, default_port
from ..wire import Final, InboundRequest, OutboundRequest, OutboundResponse
from .names import LeavesItsServer

_RECORDED = b"\r\nRecord-Route: "
_CONTACT_THERE = re.compile(rb"(\r\nContact: <sip:reference@[^>\r]*):[0-9]+;transport=[a-z]+>")


class KeepsTransport(Behaviour):
    """Wrong by RFC 3263 section 4.1: the Contact says by what it is reached."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Go on with the transport of the redirected INVITE."""
        invite = super().redirected(invite, previous, target)
        if not (_changes_transport(invite, previous) and self.passes_over(target.uri)):
            return invite
        kept = invite.destination._replace(transport=previous.destination.transport)
        return replace(invite, destination=kept).with_field("Via", _old_via(invite, previous))

    def branches(self, request: OutboundRequest, previous: OutboundRequest) -> OutboundRequest:
        """Do so as a proxy, too."""
        request = super().branches(request, previous)
        if not (_changes_transport(request, previous) and self.passes_over(request.uri)):
            return request
        kept = request.destination._replace(transport=previous.destination.transport)
        return replace(_with_top_via(request, _old_via(request, previous)), destination=kept)

    def passes_over(self, uri: str) -> bool:
        """Say whether the transport that a URI names is not heeded: never."""
        return True


class KnowsSmallTransports(KeepsTransport):
    """Wrong by 7.3.1 and 19.1.4: the names of transports are the same in capitals."""

    def passes_over(self, uri: str) -> bool:
        """Pass over what is written in capitals."""
        return any(f";transport={name}" in uri for name in ("TCP", "UDP"))


class AcksOverOldTransport(LeavesItsServer):
    """Wrong by 9.1 and 17.1.1.3: CANCEL and the ACK of a refusal go by the transport of their INVITE."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Remember by what the redirected INVITE went."""
        invite = super().redirected(invite, previous, target)
        self._remember(invite, previous)
        return invite

    def branches(self, request: OutboundRequest, previous: OutboundRequest) -> OutboundRequest:
        """Do so as a proxy, too."""
        request = super().branches(request, previous)
        self._remember(request, previous)
        return request

    def _remember(self, request: OutboundRequest, previous: OutboundRequest) -> None:
        there = request.destination
        self.instead[there] = there._replace(transport=previous.destination.transport)


class ViaOfOldTransport(Behaviour):
    """Wrong by 18.1.1: the Via says by what the request is sent."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Write the Via as that of the redirected INVITE was."""
        invite = super().redirected(invite, previous, target)
        return invite.with_field("Via", _old_via(invite, previous)) if _changes_transport(invite, previous) else invite

    def branches(self, request: OutboundRequest, previous: OutboundRequest) -> OutboundRequest:
        """Do so as a proxy, too."""
        request = super().branches(request, previous)
        changes = _changes_transport(request, previous)
        return _with_top_via(request, _old_via(request, previous)) if changes else request


class TakesAnyCertificate(Behaviour):
    """Wrong by RFC 5922 section 7.1: a certificate that nobody known has signed says nothing."""

    checks_certificates = False


class TakesExpiredCertificates(Behaviour):
    """Wrong by RFC 5922 section 7.1 and RFC 5280 section 6.1.3."""

    checks_certificate_dates = False


class TakesAnyName(Behaviour):
    """Wrong by RFC 5922 section 7.3: the certificate has to name whom the URI names."""

    checks_certificate_names = False


class TrustsNamesOfDns(Behaviour):
    """Wrong by RFC 5922 sections 4 and 7.3: an SRV record may be forged."""

    trusts_names_of_dns = True


class KnowsNoSipDomains(Behaviour):
    """Wrong by RFC 5922 section 7.1: a sip: URI in a certificate names a domain."""

    knows_sip_domains = False


class FallsBackToTcp(Behaviour):
    """Wrong by RFC 3263 section 4.1: the URI says TLS, and whoever asks for it wants no listeners."""

    asked_for, instead_of_it = "tls", "tcp"

    def located(self, servers: Sequence[Address]) -> Sequence[Address]:
        """Know another way to each server."""
        others = [one._replace(transport=self.instead_of_it) for one in servers if one.transport == self.asked_for]
        return (*super().located(servers), *others)

    def tries_next_server(self, final: Final) -> bool:
        """Take that way when there is no connection; a 503 came on one."""
        return final.response is None


class FallsBackToUdp(FallsBackToTcp):
    """Against RFC 3263 section 4.1: the URI says by what it is reached, and UDP is no second choice."""

    asked_for, instead_of_it = "tcp", "udp"


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


class NoLengthOverStreams(Behaviour):
    """Wrong by RFC 3261 section 20.14: over a stream nothing else says where a message ends."""

    def worded(self, data: bytes, destination: Address) -> Sequence[tuple[bytes, Address]]:
        """Leave the length of an empty body out."""
        return ((data.replace(b"\r\nContent-Length: 0\r\n", b"\r\n", 1), destination),)


class RepeatsInviteOverStreams(Behaviour):
    """Wrong by RFC 3261 section 17.1.1.2: over a reliable transport Timer A is not started."""

    def worded(self, data: bytes, destination: Address) -> Sequence[tuple[bytes, Address]]:
        """Send the same once more."""
        return ((data, destination),) * (2 if data.startswith(b"INVITE ") else 1)


class PlainViaOverTls(Behaviour):
    """Wrong by RFC 3261 section 18.1.1: the Via says by what the request was sent."""

    def worded(self, data: bytes, destination: Address) -> Sequence[tuple[bytes, Address]]:
        """Write TCP into its own Via."""
        if not data.startswith(b"SIP/2.0 "):
            data = data.replace(b"\r\nVia: SIP/2.0/TLS ", b"\r\nVia: SIP/2.0/TCP ", 1)
        return ((data, destination),)

    def datagram(self, data: bytes) -> bytes:
        """Know it again in a response."""
        if data.startswith(b"SIP/2.0 "):
            data = data.replace(b"\r\nVia: SIP/2.0/TCP ", b"\r\nVia: SIP/2.0/TLS ", 1)
        return data


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


class KeepsCallersTransport(Behaviour):
    """Wrong by RFC 3263 section 4.1: a numeric host without a transport means UDP, however the caller came."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Go on over the transport of the caller."""
        return self._as_called(super().redirected(invite, previous, target))

    def branches(self, request: OutboundRequest, previous: OutboundRequest) -> OutboundRequest:
        """Do so as a proxy, too."""
        return self._as_called(super().branches(request, previous))

    def _as_called(self, request: OutboundRequest) -> OutboundRequest:
        if self.called_at is None:
            return request
        transport = self.called_at.transport
        via = request.field("Via").replace(request.destination.transport.upper(), transport.upper(), 1)
        return replace(request.with_field("Via", via), destination=request.destination._replace(transport=transport))


class ContactOfCallersSide(Behaviour):
    """Wrong by 8.1.1.8: the callee cannot reach it there, over a transport that it does not have."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Name where it was called."""
        invite = super().redirected(invite, previous, target)
        return invite.with_field("Contact", f"<sip:reference@{self.called_at.in_uri}>") if self.called_at else invite


class ContactOfTrunkSide(Behaviour):
    """Wrong by 12.1.1: the caller cannot reach it there, over a transport that it does not have."""

    def worded(self, data: bytes, destination: Address) -> Sequence[tuple[bytes, Address]]:
        """Write the address of its own calls into every answer to its callers."""
        if self.called_at and data.startswith(b"SIP/2.0 2") and destination.transport == self.called_at.transport:
            data = _CONTACT_THERE.sub(rb"\1:5060>", data)
        return super().worded(data, destination)


class RecordsOneSide(Behaviour):
    """Wrong by 16.6 item 4: the next element cannot send there, over a transport that it does not have."""

    def worded(self, data: bytes, destination: Address) -> Sequence[tuple[bytes, Address]]:
        """Leave out the first of two Record-Route headers."""
        return super().worded(without_nearest_route(data), destination)


def without_nearest_route(data: bytes) -> bytes:
    """Return an INVITE without the first of its two Record-Route headers, and anything else as it is."""
    if data.startswith(b"INVITE ") and data.count(_RECORDED) == 2:
        before, _, last = data.split(_RECORDED)
        return before + _RECORDED + last
    return data


def _changes_transport(invite: OutboundRequest, previous: OutboundRequest) -> bool:
    return invite.destination.transport != previous.destination.transport


def _with_top_via(request: OutboundRequest, via: str) -> OutboundRequest:
    return replace(request, fields=(("Via", via), *request.fields[1:]))


def _old_via(invite: OutboundRequest, previous: OutboundRequest) -> str:
    return previous.field("Via").replace(previous.branch, invite.branch)
