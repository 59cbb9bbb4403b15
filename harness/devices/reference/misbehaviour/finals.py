"""Faults in how a final response, its copies and its ACK are handled (RFC 3261 sections 13.2.2, 17.1.1.2, 17.1.1.3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ..behaviour import Behaviour
from ..contacts import Target, contacts_of
from ..sip_uri import Address, destination_of
from ..tokens import new_branch
from ..wire import InboundResponse, OutboundRequest

_SESSION = b"v=0\r\n"
_LENGTH = re.compile(rb"\r\nContent-Length:[ \t]*([0-9]+)", re.IGNORECASE)
_KNOWN_1XX = (100, 180, 181, 182, 183, 199)
_KNOWN_3XX = (300, 301, 302, 305, 380)


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
        """Pass up a refusal or redirection that says something else."""
        different = (first.code, first.values("Contact")) != (again.code, again.values("Contact"))
        return (different and again.code >= 300) or super().reports_again(first, again)


class AcceptsSecondFinal(Behaviour):
    """Wrong by 17.1.1.2: the callee has declined, and Completed knows no 2xx."""

    def reports_again(self, first: InboundResponse, again: InboundResponse) -> bool:
        """Pass a 2xx after a 6xx up, where it is an answer."""
        return (first.code >= 600 and again.code < 300) or super().reports_again(first, again)


class Accepts200After302(Behaviour):
    """Wrong by 17.1.1.2 and 13.2.2.3: the call has gone on elsewhere."""

    def reports_again(self, first: InboundResponse, again: InboundResponse) -> bool:
        """Pass a 2xx after a 3xx up, where it is an answer."""
        return (300 <= first.code < 400 and again.code < 300) or super().reports_again(first, again)


class IgnoresUnknown1xx(Behaviour):
    """Wrong by 8.1.3.2: an unknown 1xx is a 183."""

    def hears(self, response: InboundResponse) -> bool:
        """Know only the codes of RFC 3261, and 199."""
        return (response.code >= 200 or response.code in _KNOWN_1XX) and super().hears(response)


class ReadsWhatIsCutShort(Behaviour):
    """Wrong by 18.3: such a response is dropped."""

    def datagram(self, data: bytes) -> bytes:
        """Correct the length."""
        head, separator, body = super().datagram(data).partition(b"\r\n\r\n")
        found = _LENGTH.search(head)
        if found is not None and int(found[1]) > len(body):
            head = head[: found.start(1)] + str(len(body)).encode() + head[found.end(1) :]
        return head + separator + body


class IgnoresUnknown3xx(Behaviour):
    """Wrong by 8.1.3.2: an unknown 3xx is a 300."""

    def hears(self, response: InboundResponse) -> bool:
        """Know only the codes of RFC 3261."""
        return (not 300 <= response.code < 400 or response.code in _KNOWN_3XX) and super().hears(response)


class NeedsReasonPhrase(Behaviour):
    """Wrong by 7.2 and 25.1: the phrase may be empty."""

    def hears(self, response: InboundResponse) -> bool:
        """Take a status line without one for no status line."""
        return bool(response.reason.strip()) and super().hears(response)


class ChokesOnRetryAfter(Behaviour):
    """Wrong by 20.33, which shows a comment and a parameter, and by 17.1.1.2: the response has been received."""

    def hears(self, response: InboundResponse) -> bool:
        """Throw the whole response away unless the value is a plain number."""
        values = response.headers.getlist("Retry-After")
        return all(value.strip().isdecimal() for value in values) and super().hears(response)


class IgnoresCopies(Behaviour):
    """Wrong by 17.1.1.2: the ACK may have been lost."""

    acknowledges_copies = False


class KeepsRetransmitting(Behaviour):
    """Wrong by 17.1.1.2: timer A has stopped."""

    copies_after_final = (0.5, 1.5, 3.5)


class RepeatsWhileRinging(Behaviour):
    """Wrong by 17.1.1.2: timer A runs in Calling only."""

    stops_at_provisional = False


class NoAck(Behaviour):
    """Wrong by 17.1.1.2."""

    def acknowledge(
        self, ack: OutboundRequest, invite: OutboundRequest, response: InboundResponse
    ) -> OutboundRequest | None:
        """Send none."""
        return None


class AcksOnlyFirstBranch(Behaviour):
    """Wrong by 16.7 and 17.1.1.2: each branch is a transaction with an ACK of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._first: dict[str, str] = {}

    def acknowledge(
        self, ack: OutboundRequest, invite: OutboundRequest, response: InboundResponse
    ) -> OutboundRequest | None:
        """Send none for another branch of the call."""
        first = self._first.setdefault(response.call_id, invite.branch)
        return super().acknowledge(ack, invite, response) if invite.branch == first else None


class NoAckOf487(Behaviour):
    """Wrong by 9.1 and 17.1.1.2: a cancelled INVITE ends like any other."""

    def acknowledge(
        self, ack: OutboundRequest, invite: OutboundRequest, response: InboundResponse
    ) -> OutboundRequest | None:
        """Send none."""
        return None if response.code == 487 else super().acknowledge(ack, invite, response)


class AckWithoutMaxForwards(Behaviour):
    """Wrong by 8.1.1: an ACK is a request."""

    def acknowledge(
        self, ack: OutboundRequest, invite: OutboundRequest, response: InboundResponse
    ) -> OutboundRequest | None:
        """Leave it out."""
        return super().acknowledge(ack.without("Max-Forwards"), invite, response)


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


class Acks200ToRedirector(Behaviour):
    """Wrong by 13.2.2.4: the ACK goes where the dialog leads, and the redirector is not in it."""

    def __init__(self) -> None:
        super().__init__()
        self.redirectors: dict[str, Address] = {}

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Keep who redirected the call."""
        self.redirectors[invite.field("Call-ID")] = target.redirection.source
        return super().redirected(invite, previous, target)

    def acknowledge_answer(self, ack: OutboundRequest) -> OutboundRequest | None:
        """Send it there."""
        sent = super().acknowledge_answer(ack)
        return sent and replace(sent, destination=self.redirectors.get(sent.field("Call-ID"), sent.destination))


class NoAckOfRedirected200(Acks200ToRedirector):
    """Wrong by 13.2.2.4: the target repeats its 200 for 32 s and hangs up."""

    def acknowledge_answer(self, ack: OutboundRequest) -> OutboundRequest | None:
        """Send none."""
        return None if ack.field("Call-ID") in self.redirectors else ack
