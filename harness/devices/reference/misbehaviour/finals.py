"""Faults in how a final response, its copies and its ACK are handled (RFC 3261 sections 17.1.1.2 and 17.1.1.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..behaviour import Behaviour
from ..contacts import contacts_of
from ..sip_uri import destination_of
from ..tokens import new_branch
from ..wire import InboundResponse, OutboundRequest

_SESSION = b"v=0\r\n"


class FollowsEveryCopy(Behaviour):
    """Wrong by 17.1.1.2: a copy is not passed up."""

    def reports_again(self, first: InboundResponse, again: InboundResponse) -> bool:
        """Pass copies of a redirection up."""
        return first.code == again.code < 400 or super().reports_again(first, again)

    def admits(self, uri: str, known: Sequence[str], current: str, *, repeated: bool) -> bool:
        """Admit what a copy lists, though it is known."""
        return repeated or super().admits(uri, known, current, repeated=repeated)


class ActsOnSecondFinal(Behaviour):
    """Wrong by 17.1.1.2: what comes in Completed is not passed up, whatever it says."""

    def reports_again(self, first: InboundResponse, again: InboundResponse) -> bool:
        """Pass up what says something else."""
        different = (first.code, first.values("Contact")) != (again.code, again.values("Contact"))
        return different or super().reports_again(first, again)


class IgnoresCopies(Behaviour):
    """Wrong by 17.1.1.2: the ACK may have been lost."""

    acknowledges_copies = False


class KeepsRetransmitting(Behaviour):
    """Wrong by 17.1.1.2: timer A has stopped."""

    copies_after_final = (0.5, 1.5, 3.5)


class NoAck(Behaviour):
    """Wrong by 17.1.1.2."""

    def acknowledge(
        self, ack: OutboundRequest, invite: OutboundRequest, response: InboundResponse
    ) -> OutboundRequest | None:
        """Send none."""
        return None


class AckNewBranch(Behaviour):
    """Wrong by 17.1.1.3: the Via is the INVITE's."""

    def acknowledge(
        self, ack: OutboundRequest, invite: OutboundRequest, response: InboundResponse
    ) -> OutboundRequest | None:
        """Take a branch of its own."""
        via = ack.field("Via").replace(ack.branch, new_branch())
        return super().acknowledge(ack.with_field("Via", via), invite, response)


class AckContactRequestUri(Behaviour):
    """Wrong by 17.1.1.3: the Request-URI is the INVITE's."""

    def acknowledge(
        self, ack: OutboundRequest, invite: OutboundRequest, response: InboundResponse
    ) -> OutboundRequest | None:
        """Write the Contact into it."""
        for contact in contacts_of(response)[:1]:
            ack = replace(ack, uri=contact.uri)
        return super().acknowledge(ack, invite, response)


class AckToContactHost(Behaviour):
    """Wrong by 17.1.1.2: the ACK goes where the INVITE went."""

    def acknowledge(
        self, ack: OutboundRequest, invite: OutboundRequest, response: InboundResponse
    ) -> OutboundRequest | None:
        """Send it to the Contact."""
        for contact in contacts_of(response)[:1]:
            ack = replace(ack, destination=destination_of(contact.uri) or ack.destination)
        return super().acknowledge(ack, invite, response)


class AckWrongToTag(Behaviour):
    """Wrong by 17.1.1.3: To is that of the response."""

    def acknowledge(
        self, ack: OutboundRequest, invite: OutboundRequest, response: InboundResponse
    ) -> OutboundRequest | None:
        """Take the To of the INVITE."""
        return super().acknowledge(ack.with_field("To", invite.field("To")), invite, response)


class AckWrongCseq(Behaviour):
    """Wrong by 17.1.1.3: the number is the INVITE's."""

    def acknowledge(
        self, ack: OutboundRequest, invite: OutboundRequest, response: InboundResponse
    ) -> OutboundRequest | None:
        """Raise it."""
        return super().acknowledge(ack.with_field("CSeq", f"{ack.sequence + 1} ACK"), invite, response)


class AckWithBody(Behaviour):
    """Wrong by 17.1.1.3: no body should be put into an ACK."""

    def acknowledge(
        self, ack: OutboundRequest, invite: OutboundRequest, response: InboundResponse
    ) -> OutboundRequest | None:
        """Repeat the offer."""
        typed = replace(ack, fields=(*ack.fields, ("Content-Type", "application/sdp")), body=invite.body or _SESSION)
        return super().acknowledge(typed, invite, response)
