"""Faults in the redirected INVITE (RFC 3261 section 8.1.3.4). Each returns it as it should not be."""

from __future__ import annotations

from dataclasses import replace

from ..behaviour import Behaviour
from ..contacts import Target
from ..sip_uri import SipUri, destination_of
from ..tokens import new_tag
from ..wire import OutboundRequest


class OldAddress(Behaviour):
    """Wrong by 8.1.2: the destination follows from the new Request-URI."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Send it where the last one went."""
        invite = super().redirected(invite, previous, target)
        return replace(invite, destination=previous.destination)


class KeepsOldHost(Behaviour):
    """Wrong by 8.1.3.4: the Request-URI is the whole Contact."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Put only the user part into the old Request-URI."""
        invite = super().redirected(invite, previous, target)
        uri = replace(SipUri.parse(previous.uri), user=SipUri.parse(target.uri).user)
        return replace(invite, uri=str(uri), destination=previous.destination)


class DropsContactParameters(Behaviour):
    """Wrong by 19.1.5: all parameters of the URI go into the Request-URI."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Leave them out."""
        invite = super().redirected(invite, previous, target)
        uri = str(replace(SipUri.parse(invite.uri), parameters=()))
        return replace(invite, uri=uri, destination=destination_of(uri) or invite.destination)


class KeepsUriHeaders(Behaviour):
    """Wrong by 19.1.1: headers and method are not allowed in a Request-URI."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Copy the Contact as it stands."""
        return replace(super().redirected(invite, previous, target), uri=target.contact.uri)


class ReadsQIntoUri(Behaviour):
    """Wrong by 20.10: what stands behind the brackets belongs to the header."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Append the header parameters."""
        invite = super().redirected(invite, previous, target)
        read = "".join(f";{key}" if value is None else f";{key}={value}" for key, value in target.contact.parameters)
        return replace(invite, uri=invite.uri + read)


class FoldsUserCase(Behaviour):
    """Wrong by 19.1.4: the user part is case-sensitive."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Lower it."""
        invite = super().redirected(invite, previous, target)
        uri = SipUri.parse(invite.uri)
        return replace(invite, uri=str(replace(uri, user=uri.user.lower() if uri.user else uri.user)))


class ReusesBranch(Behaviour):
    """Wrong by 8.1.1.7: a branch is unique over all requests."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Take the old one."""
        invite = super().redirected(invite, previous, target)
        return invite.with_field("Via", invite.field("Via").replace(invite.branch, previous.branch))


class KeepsCseq(Behaviour):
    """Wrong by 8.1.3.4 and 8.1.1.5: a new request under the same Call-ID has a higher number."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Take the old number."""
        return super().redirected(invite, previous, target).with_field("CSeq", previous.field("CSeq"))


class KeepsToTag(Behaviour):
    """Wrong by 8.1.1.2: there is no dialog, so To has no tag."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Take the To of the redirection."""
        return super().redirected(invite, previous, target).with_field("To", target.redirection.headers["To"])


class ChangesFrom(Behaviour):
    """Wrong by 8.1.3.4: To, From and Call-ID are those of the original request."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Be somebody else."""
        changed = invite.field("Contact").replace("reference@", "redirected@")
        return super().redirected(invite, previous, target).with_field("From", f"{changed};tag={new_tag()}")


class DropsBody(Behaviour):
    """Wrong by 8.1.3.4: the header fields and the body are reused."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Leave the offer out."""
        return replace(super().redirected(invite, previous, target).without("Content-Type"), body=b"")


class NoMaxForwards(Behaviour):
    """Wrong by 8.1.1.6: every request has it."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Leave it out."""
        return super().redirected(invite, previous, target).without("Max-Forwards")


class LosesHeaders(Behaviour):
    """Wrong by 13.2.1: Allow and Supported belong into an INVITE, and this call's first one had them."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Leave them out."""
        return super().redirected(invite, previous, target).without("Supported", "Allow")


class DropsContactHeader(Behaviour):
    """Wrong by 8.1.1.8: every INVITE says where its sender is called."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Leave it out."""
        return super().redirected(invite, previous, target).without("Contact")


class RoutesByRecordRoute(Behaviour):
    """Wrong by 12.1: a 3xx makes no dialog, and so no route set."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Take it for one."""
        invite = super().redirected(invite, previous, target)
        routes = tuple(("Route", value) for value in reversed(target.redirection.values("Record-Route")))
        return replace(invite, fields=(*invite.fields, *routes))


class RoutesByLr(Behaviour):
    """Wrong by 19.1.1: lr has no meaning in a Contact, and the Request-URI is the Contact."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Take the Contact for a proxy on the way to the old Request-URI."""
        invite = super().redirected(invite, previous, target)
        if SipUri.parse(target.uri).parameter("lr") is None:
            return invite
        routed = replace(invite.without("Route"), uri=previous.uri)
        return replace(routed, fields=(*routed.fields, ("Route", f"<{target.uri}>")))
