"""The state of a dialog and the requests inside it (RFC 3261 section 12)."""

from __future__ import annotations

from dataclasses import dataclass

from .headers import parse_name_addr, tag_of
from .identity import Identity
from .sip_uri import Address, SipUri, destination_of
from .tokens import new_branch
from .wire import Fields, Inbound, InboundRequest, InboundResponse, OutboundRequest

DialogId = tuple[str, str, str]


@dataclass(slots=True)
class Dialog:
    """One dialog. ``local`` and ``remote`` are header values with their tags; the sequence numbers move on."""

    call_id: str
    local: str
    remote: str
    remote_target: str
    route_set: tuple[str, ...]
    local_sequence: int
    remote_sequence: int
    fallback: Address
    """Where requests go if neither the route set nor the remote target can be reached."""

    @classmethod
    def of_client(cls, invite: OutboundRequest, response: InboundResponse) -> Dialog:
        """Make the dialog that a response to this INVITE created (12.1.2)."""
        return cls(
            call_id=response.call_id,
            local=invite.field("From"),
            remote=response.headers["To"],
            remote_target=_contact_of(response) or invite.uri,
            route_set=_routes_of(response)[::-1],
            local_sequence=invite.sequence,
            remote_sequence=0,
            fallback=invite.destination,
        )

    @classmethod
    def of_server(cls, invite: InboundRequest, tag: str) -> Dialog:
        """Make the dialog that an answer to this INVITE with this To tag creates (12.1.1)."""
        return cls(
            call_id=invite.call_id,
            local=f"{invite.headers['To']};tag={tag}",
            remote=invite.headers["From"],
            remote_target=_contact_of(invite) or f"sip:{invite.source.in_uri}",
            route_set=_routes_of(invite),
            local_sequence=0,
            remote_sequence=invite.cseq.sequence,
            fallback=invite.source,
        )

    @property
    def id(self) -> DialogId:
        """Call-ID, local tag and remote tag."""
        return self.call_id, tag_of(self.local), tag_of(self.remote)

    def refresh(self, message: Inbound) -> None:
        """Take the remote target of a re-INVITE or of its 2xx (12.2)."""
        self.remote_target = _contact_of(message) or self.remote_target

    def request(self, method: str, identity: Identity, fields: Fields = (), body: bytes = b"") -> OutboundRequest:
        """Build the next request of this side (12.2.1.1)."""
        self.local_sequence += 1
        return self._build(method, self.local_sequence, identity, fields, body)

    def ack(self, sequence: int, identity: Identity, fields: Fields = (), body: bytes = b"") -> OutboundRequest:
        """Build the ACK of a 2xx, a transaction of its own with the INVITE's number (13.2.2.4)."""
        return self._build("ACK", sequence, identity, fields, body)

    def _build(self, method: str, sequence: int, identity: Identity, fields: Fields, body: bytes) -> OutboundRequest:
        uri, routes = self._route()
        next_hop = parse_name_addr(routes[0]).uri if routes and uri == self.remote_target else uri
        destination = destination_of(next_hop, identity.transports) or self.fallback
        head: Fields = (
            ("Via", identity.towards(destination).via(new_branch())),
            ("Max-Forwards", "70"),
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{sequence} {method}"),
            *(("Route", route) for route in routes),
        )
        return OutboundRequest(method, uri, head + fields, body, destination)

    def _route(self) -> tuple[str, tuple[str, ...]]:
        """Return Request-URI and Route values; a strict router on top takes the Request-URI for itself."""
        if not self.route_set:
            return self.remote_target, ()
        first = parse_name_addr(self.route_set[0]).uri
        if SipUri.parse(first).parameter("lr") is not None:
            return self.remote_target, self.route_set
        return first, (*self.route_set[1:], f"<{self.remote_target}>")


def _contact_of(message: Inbound) -> str | None:
    """Return the URI of the first Contact, if it is one to which requests can be sent."""
    values = message.values("Contact")
    try:
        uri = parse_name_addr(values[0]).uri
        return str(SipUri.parse(uri).as_request_uri())
    except (IndexError, ValueError):
        return None


def _routes_of(message: Inbound) -> tuple[str, ...]:
    """Return the Record-Route values; one that is no address to send to cannot be a route."""
    return tuple(value for value in message.values("Record-Route") if _is_route(value))


def _is_route(value: str) -> bool:
    try:
        SipUri.parse(parse_name_addr(value).uri)
    except ValueError:
        return False
    return True
