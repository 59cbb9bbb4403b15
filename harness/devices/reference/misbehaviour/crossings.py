"""Faults in a call that goes from one IP family to the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..behaviour import Behaviour
from ..contacts import Contact, Target
from ..sip_uri import Address, destination_of
from ..wire import Final, OutboundRequest
from .transports import without_nearest_route


class StaysInFamily(Behaviour):
    """Wrong by its own claim, and 8.1.3.4: a numeric host says where to call (RFC 3263 section 4.2)."""

    def request_uri(self, contact: Contact) -> str | None:
        """Pass over what the usual socket cannot reach."""
        there = destination_of(contact.uri, self.transports)
        return None if there is not None and there.carrier[1] != self.over_ipv6 else super().request_uri(contact)


class OldHostAcross(Behaviour):
    """Wrong by RFC 3263 section 4.2: the host is the one in the URI."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Take the port, and keep the host that the socket can reach."""
        invite = super().redirected(invite, previous, target)
        if not _crosses(invite, previous):
            return invite
        there = invite.destination._replace(host=previous.destination.host)
        return replace(_with_old_via(invite, previous), destination=there)


class LosesBracketsAcross(Behaviour):
    """Wrong by RFC 3261 section 25.1: an IPv6 address stands in brackets, or its port is part of it."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Write host and port as those of IPv4 are written."""
        invite = super().redirected(invite, previous, target)
        return replace(invite, uri=invite.uri.translate(_BRACKETS)) if _crosses(invite, previous) else invite


class ViaOfOldFamily(Behaviour):
    """Wrong by 18.1.1: the Via says where the responses go."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Be where it was."""
        invite = super().redirected(invite, previous, target)
        return _with_old_via(invite, previous) if _crosses(invite, previous) else invite

    def branches(self, request: OutboundRequest, previous: OutboundRequest) -> OutboundRequest:
        """Do so as a proxy, too."""
        request = super().branches(request, previous)
        if not _crosses(request, previous):
            return request
        old = previous.field("Via").replace(previous.branch, request.branch)
        return replace(request, fields=(("Via", old), *request.fields[1:]))


class ContactOfOldFamily(Behaviour):
    """Wrong by 8.1.1.8 and 12.1.1: the requests of the callee go there."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Be where it was."""
        invite = super().redirected(invite, previous, target)
        return invite.with_field("Contact", previous.field("Contact")) if _crosses(invite, previous) else invite


class ReinvitesFromOldFamily(Behaviour):
    """Wrong by 12.2.1.1: the other side sends its next requests to the Contact of a re-INVITE."""

    def __init__(self) -> None:
        super().__init__()
        self._first_contact = ""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Note where this side was first."""
        self._first_contact = previous.field("Contact")
        return super().redirected(invite, previous, target)

    def in_dialog(self, request: OutboundRequest) -> OutboundRequest:
        """Be there again when the call is changed."""
        request = super().in_dialog(request)
        across = request.destination.carrier[1] != self.over_ipv6
        if request.method != "INVITE" or not across or not self._first_contact:
            return request
        return request.with_field("Contact", self._first_contact)


class RecordsOldFamily(Behaviour):
    """Wrong by 16.6 item 4: who has the new family alone cannot send there."""

    def worded(self, data: bytes, destination: Address) -> Sequence[tuple[bytes, Address]]:
        """Leave out the first of two Record-Route headers of an INVITE that goes there."""
        across = destination.carrier[1] != self.over_ipv6
        return super().worded(without_nearest_route(data) if across else data, destination)


class SendsOnceAcross(Behaviour):
    """Wrong by 17.1.1.2: a datagram may be lost there as well."""

    def __init__(self) -> None:
        super().__init__()
        self._sent: set[bytes] = set()

    def worded(self, data: bytes, destination: Address) -> Sequence[tuple[bytes, Address]]:
        """Send no copy of an INVITE that has gone there."""
        if data.startswith(b"INVITE ") and destination.carrier[1] != self.over_ipv6:
            if data in self._sent:
                return ()
            self._sent.add(data)
        return super().worded(data, destination)


class GoesOnAfter603Across(Behaviour):
    """Wrong by 21.6.2: the callee was reached, whatever carried the call."""

    def ends_call(self, final: Final) -> bool:
        """Take the refusal for one of the way, and go back to the usual one."""
        return not self._came_across(final) and super().ends_call(final)

    def ends_search(self, final: Final, *, recursed: bool) -> bool:
        """Do so as a proxy, too."""
        return not (recursed and self._came_across(final)) and super().ends_search(final, recursed=recursed)

    def tries_next_server(self, final: Final) -> bool:
        """Do so among the servers of a name, too."""
        return self._came_across(final) or super().tries_next_server(final)

    def _came_across(self, final: Final) -> bool:
        response = final.response
        return final.code == 603 and response is not None and response.source.carrier[1] != self.over_ipv6


_BRACKETS = str.maketrans("", "", "[]")


def _crosses(invite: OutboundRequest, previous: OutboundRequest) -> bool:
    return invite.destination.carrier[1] != previous.destination.carrier[1]


def _with_old_via(invite: OutboundRequest, previous: OutboundRequest) -> OutboundRequest:
    return invite.with_field("Via", previous.field("Via").replace(previous.branch, invite.branch))
