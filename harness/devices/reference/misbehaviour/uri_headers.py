"""Faults in what becomes of the headers that a Contact's URI asks for (RFC 3261 section 19.1.5)."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote

from ..behaviour import Behaviour
from ..contacts import HARMLESS, Target, asked_for
from ..sip_uri import destination_of
from ..wire import OutboundRequest


class HonoursEveryUriHeader(Behaviour):
    """Wrong by 19.1.5: who calls, by which way and with which abilities is not for the redirector to say."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Let each replace that of the INVITE, and go where a Route leads."""
        invite = super().redirected(invite, previous, target)
        for name, escaped in asked_for(target.contact):
            invite = _with(invite, name, unquote(escaped))
        route = dict(invite.fields).get("Route", "").strip("<>")
        return replace(invite, destination=destination_of(route) or invite.destination)


class AppendsUriHeaders(Behaviour):
    """Wrong by 19.1.5: a header that can be there once is replaced, and escapes are for the URI."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Append the harmless ones as text."""
        invite = super().redirected(invite, previous, target)
        asked = tuple(field for field in asked_for(target.contact) if field[0].lower() in HARMLESS)
        return replace(invite, fields=invite.fields + asked)


class SwapsUriHeaders(Behaviour):
    """Wrong by 19.1.1: the name comes first."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Add a header that is named as the Subject is worded."""
        invite = super().redirected(invite, previous, target)
        asked = [(value, name) for name, value in asked_for(target.contact) if name.lower() == "subject"]
        return invite.with_fields(tuple(asked))


def _with(invite: OutboundRequest, name: str, value: str) -> OutboundRequest:
    return replace(invite, body=value.encode()) if name.lower() == "body" else invite.with_only(name, value)
