"""What a proxy makes of a message on its way: pure functions (RFC 3261 sections 16.6 and 16.7, RFC 5393 section 4)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from sipmessage import Via

from ..headers import canonical, parse_name_addr, split_unquoted
from ..identity import Identity
from ..sip_uri import Address, SipUri, bare, default_port
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

    @classmethod
    def of(cls, request: InboundRequest, here: Collection[Address]) -> Journey:
        """Read a request; raises :class:`ValueError` if its Max-Forwards or its Route cannot be read."""
        text = request.headers.get("Max-Forwards")
        hops = MAX_FORWARDS + 1 if text is None else int(text)
        routes = tuple(request.values("Route"))
        if routes and is_here(parse_name_addr(routes[0]).uri, here):
            routes = routes[1:]
        return cls(request, hops, routes)

    def next_hop(self, uri: str) -> str:
        """Return the URI to which a request for a target is sent (16.6 item 7)."""
        return parse_name_addr(self.routes[0]).uri if self.routes else uri


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
