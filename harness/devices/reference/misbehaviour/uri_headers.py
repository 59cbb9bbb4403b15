"""Faults in what becomes of the headers that a Contact's URI asks for (RFC 3261 section 19.1.5)."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote

from ..behaviour import Behaviour
from ..contacts import Contact, Target
from ..sip_uri import SipUri, destination_of
from ..wire import Fields, OutboundRequest

_HARMLESS = ("alert-info", "call-info", "priority", "subject", "user-to-user")


class HonoursEveryUriHeader(Behaviour):
    """Wrong by 19.1.5: who calls, by which way and with which abilities is not for the redirector to say."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Let each replace that of the INVITE, and go where a Route leads."""
        invite = super().redirected(invite, previous, target)
        for name, escaped in _asked_for(target.contact):
            invite = _with(invite, name, unquote(escaped))
        route = dict(invite.fields).get("Route", "").strip("<>")
        return replace(invite, destination=destination_of(route) or invite.destination)


class AppendsUriHeaders(Behaviour):
    """Wrong by 19.1.5: a header that can be there once is replaced, and escapes are for the URI."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Append the harmless ones as text."""
        invite = super().redirected(invite, previous, target)
        asked = tuple(field for field in _asked_for(target.contact) if field[0].lower() in _HARMLESS)
        return replace(invite, fields=invite.fields + asked)


def _asked_for(contact: Contact) -> Fields:
    """Return the headers behind the ``?`` of a Contact as they are written there."""
    pairs = (part.partition("=") for part in (SipUri.parse(contact.uri).headers or "").split("&") if part)
    return tuple((name, value) for name, _, value in pairs)


def _with(invite: OutboundRequest, name: str, value: str) -> OutboundRequest:
    if name.lower() == "body":
        return replace(invite, body=value.encode())
    for present, _ in invite.fields:
        if present.lower() == name.lower():
            return invite.with_field(present, value)
    return replace(invite, fields=(*invite.fields, (name, value)))
