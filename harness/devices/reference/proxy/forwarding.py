"""What a proxy makes of a message on its way: pure functions (RFC 3261 sections 16.6 and 16.7, RFC 5393 section 4)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from sipmessage import Via

from ..headers import canonical, parse_name_addr, split_unquoted
from ..identity import Identity
from ..sip_uri import Address, SipUri, bare, default_port, destination_of
from ..tokens import new_branch
from ..transactions import echoed_vias, response_destination
from ..wire import Fields, InboundRequest, InboundResponse, OutboundRequest, OutboundResponse

MAX_FORWARDS = 70

_ROUTING = ("Route", "Proxy-Require", "Max-Breadth")


@dataclass(frozen=True, slots=True)
class Journey:
    """A request as it is to be forwarded, whatever the target: what 16.3 and 16.4 found out about it."""

    request: InboundRequest
    hops: int
    """Max-Forwards as it came; what 16.6 would write where there is none, and one more."""
    routes: tuple[str, ...]
    """The Route that is left when this proxy has taken itself off it."""
    back: Address | None = None
    """Whom this proxy wrote into its Record-Route because the dialog goes on over something else there."""

    @classmethod
    def of(cls, request: InboundRequest, here: Collection[Address]) -> Journey:
        """Read a request; raises :class:`ValueError` if its Max-Forwards or its Route cannot be read."""
        text = request.headers.get("Max-Forwards")
        hops = MAX_FORWARDS + 1 if text is None else int(text)
        routes = tuple(request.values("Route"))
        back: Address | None = None
        while routes and is_here(own := parse_name_addr(routes[0]).uri, here):
            routes = routes[1:]
            if (noted := _noted(own)) and noted != request.source:
                back = noted
        return cls(request, hops, routes, back)

    def next_hop(self, uri: str) -> str:
        """Return the URI to which a request for a target is sent (16.6 item 7)."""
        return parse_name_addr(self.routes[0]).uri if self.routes else uri

    def destination(self, uri: str, transports: Collection[str]) -> Address | None:
        """Return where a request for a target is sent; ``None`` where that is a name, or cannot be reached."""
        if self.back and not self.routes:
            return self.back
        return destination_of(self.next_hop(uri), transports)


def is_here(uri: str, here: Collection[Address]) -> bool:
    """Say whether a URI's host and port are this device, at one of its addresses."""
    try:
        sip = SipUri.parse(uri)
    except ValueError:
        return False
    named = bare(sip.host), int(sip.port or default_port(sip.parameter("transport") or "udp"))
    return any((one.host, one.port) == named for one in here)


def forwarded(journey: Journey, uri: str, destination: Address, hops: int, identity: Identity) -> OutboundRequest:
    """Copy a request for a target (16.6): every header as it came, but Via, Max-Forwards and Route."""
    request = journey.request
    vias = (identity.towards(destination).via(f"{new_branch()}.{loop_mark(request)}"), *echoed_vias(request))
    fields: list[tuple[str, str]] = [("Via", via) for via in vias]
    fields += _recorded(request, identity, destination)
    if request.headers.get("Max-Forwards") is None:
        fields.append(("Max-Forwards", str(hops)))
    routes: Fields = tuple(("Route", route) for route in journey.routes)
    for name, value in request.fields:
        match canonical(name):
            case "via" | "content-length":
                continue
            case "max-forwards":
                fields.append((name, str(hops)))
            case "route":
                fields += routes
                routes = ()
            case _:
                fields.append((name, value))
    return OutboundRequest(request.method, uri, tuple(fields), request.body, destination)


def _recorded(request: InboundRequest, identity: Identity, destination: Address) -> Fields:
    """Return the Record-Route of a dialog that changes its transport or its IP family here: one for each side.

    RFC 5658 section 3.1, RFC 6157 section 3.
    That of a caller who came by a connection notes it, as nobody can open one to a browser (RFC 5626 section 5.2).
    """
    there, here = identity.towards(destination).local, identity.towards(request.source).local
    if request.method != "INVITE" or request.to_tag or there.carrier == here.carrier:
        return ()
    source = request.source
    note = "" if source.transport == "udp" else f"{source.transport} {source.port} {source.host}".encode().hex() + "@"
    return ("Record-Route", f"<sip:{there.in_uri};lr>"), ("Record-Route", f"<sip:{note}{here.in_uri};lr>")


def _noted(route: str) -> Address | None:
    """Return the connection that :func:`_recorded` noted in a Route of this proxy; ``None`` where it did not."""
    try:
        transport, port, host = bytes.fromhex(SipUri.parse(route).user or "").decode().split(" ")
        return Address(host, int(port), transport)
    except ValueError:
        return None


def relayed(response: InboundResponse, request: InboundRequest) -> OutboundResponse:
    """Copy a response for whoever sent the request (16.7): every header as it came, but the top Via."""
    return OutboundResponse(
        response.code, response.reason, _without_top_via(response), response.body, response_destination(request)
    )


def relayed_statelessly(response: InboundResponse) -> OutboundResponse | None:
    """Copy a response for whom its second Via names (18.2.2); ``None`` where it has none."""
    if len(response.vias) < 2:
        return None
    via = response.vias[1]
    host = via.parameters.get("received") or via.host
    transport = via.transport.lower()
    port = int(via.parameters.get("rport") or via.port or default_port(transport))
    return OutboundResponse(
        response.code, response.reason, _without_top_via(response), response.body, Address(bare(host), port, transport)
    )


def reason_of(request: InboundRequest) -> Fields:
    """Return the Reason of a CANCEL (RFC 3326)."""
    return tuple((name, value) for name, value in request.fields if canonical(name) == "reason")


def loop_mark(request: InboundRequest) -> str:
    """Return what is the same when a request comes back unchanged, and different for a spiral (RFC 5393 4.2.1)."""
    parts = [request.uri, request.from_tag, request.to_tag, request.call_id, str(request.cseq)]
    parts += [value for name in _ROUTING for value in request.values(name)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def is_loop(request: InboundRequest, here: Collection[Address]) -> bool:
    """Say whether this device has forwarded the request before, for the same Request-URI (16.3 item 4)."""
    mark = f".{loop_mark(request)}"
    return any(
        any((one.host, one.port) == _sent_by(via) for one in here)
        and (via.parameters.get("branch") or "").endswith(mark)
        for via in request.vias
    )


def _sent_by(via: Via) -> tuple[str, int]:
    return bare(via.host), via.port or default_port(via.transport.lower())


def _without_top_via(response: InboundResponse) -> Fields:
    fields: list[tuple[str, str]] = []
    topmost = True
    for name, value in response.fields:
        kind = canonical(name)
        if kind == "via" and topmost:
            topmost = False
            _, *others = split_unquoted(value, ",")
            fields += [(name, other) for other in others]
        elif kind != "content-length":
            fields.append((name, value))
    return tuple(fields)
