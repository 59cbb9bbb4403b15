"""Building the requests of a call that has no dialog yet (RFC 3261 sections 8.1.1, 8.1.3.4 and 9.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .identity import PRODUCT, SDP_TYPE, Identity
from .sip_uri import Address, without_transport
from .tokens import new_branch, new_call_id, new_tag
from .wire import Fields, InboundResponse, OutboundRequest


@dataclass(frozen=True, slots=True)
class CallOrder:
    """What is to be called: the dialled URI, who calls (a From value without tag), and the session offered."""

    dialled: str
    caller: str
    body: bytes
    body_fields: Fields
    max_forwards: int = 70


def first_invite(order: CallOrder, uri: str, destination: Address, identity: Identity) -> OutboundRequest:
    """Build the INVITE of a new call; To is what was dialled."""
    identity = identity.towards(destination)
    fields: Fields = (
        ("Via", identity.via(new_branch())),
        ("Max-Forwards", str(order.max_forwards)),
        ("From", f"{order.caller};tag={new_tag()}"),
        ("To", f"<{without_transport(order.dialled)}>"),
        ("Call-ID", new_call_id(identity.uri_host)),
        ("CSeq", "1 INVITE"),
        ("Contact", identity.contact),
        *identity.capabilities,
        ("User-Agent", PRODUCT),
        *order.body_fields,
    )
    return OutboundRequest("INVITE", uri, fields, order.body, destination)


def next_invite(latest: OutboundRequest, uri: str, destination: Address, identity: Identity) -> OutboundRequest:
    """Build the INVITE for another target: the same request with another Request-URI, CSeq and branch (8.1.3.4)."""
    again = replace(latest, uri=uri).with_field("CSeq", f"{latest.sequence + 1} INVITE")
    return same_invite(again, destination, identity)


def same_invite(invite: OutboundRequest, destination: Address, identity: Identity) -> OutboundRequest:
    """Build the same INVITE for another server of the same target (RFC 3263 section 4.3).

    The branch is new. Where the way is, the device may have another address: Via and Contact say so (18.1.1, 8.1.1.8).
    """
    there = identity.towards(destination)
    again = replace(invite, destination=destination).with_field("Via", there.via(new_branch()))
    return again.with_field("Contact", there.contact)


def cancel_of(invite: OutboundRequest) -> OutboundRequest:
    """Build the CANCEL of an INVITE: with its top Via only, and without what only an INVITE has (9.1)."""
    fields: Fields = (
        ("Via", invite.field("Via")),
        ("Max-Forwards", "70"),
        *invite.fields_named("From", "To", "Call-ID"),
        ("CSeq", f"{invite.sequence} CANCEL"),
        *invite.fields_named("Route"),
    )
    return OutboundRequest("CANCEL", invite.uri, fields, b"", invite.destination)


def late_answer(invite: OutboundRequest, response: InboundResponse, identity: Identity) -> tuple[Fields, bytes]:
    """Return what the ACK of a 2xx carries: an answer if the 2xx brought the offer that the INVITE had not (13.2.1)."""
    if invite.body or not response.body:
        return (), b""
    return (("Content-Type", SDP_TYPE),), identity.sdp()
