"""The decisions of whoever answers requests itself: server transactions, a redirect server, a UAS."""

from __future__ import annotations

from collections.abc import Sequence

from .contacts import Contact, name_addr_of
from .uri_equality import same_uri
from .wire import InboundRequest, OutboundResponse, Refusal


class ServerRules:
    """What a conforming UAS and redirect server do."""

    repeats_finals = True
    """A refusal is repeated until its ACK comes (timer G, 17.2.1)."""

    repeats_over_streams = False
    """Whether it is repeated even where the transport loses nothing (timer G, 17.2.1: no)."""

    stops_repeating = True
    """It is repeated for 64*T1 at most (timer H)."""

    hears_ack = True
    """Its ACK ends the repeats."""

    remembers_acknowledged = True
    """An INVITE whose refusal has been acknowledged stays for timer I, so that a copy is no new call (17.2.1)."""

    answers_copies = True
    """A copy of a request that has its final response gets that once more (17.2.1, 17.2.2)."""

    answers_cancel = True
    """A CANCEL gets a response of its own (9.2)."""

    misses_dialog = False
    """Whether a MESSAGE outside of a dialog is answered 481: that is for requests with a To tag (12.2.2)."""

    refuses_extensions = False
    """Whether a redirect server looks into Require (8.3: it does not)."""

    rings_before_block = False
    """Whether a call that analytics blocks rings first: it is refused at once (47 CFR 64.1200(k)(9))."""

    also_forwards = False
    """Whether a redirect server sends the request to the Contacts as well: it originates none (8.3)."""

    def answer(self, response: OutboundResponse, request: InboundRequest) -> OutboundResponse:
        """Return a response of this device, built by 8.2.6, as it is to be sent."""
        return response

    def repeated(self, response: OutboundResponse) -> OutboundResponse:
        """Return a response as it is sent again: as it was (17.2.1)."""
        return response

    def answers_ack(self) -> Refusal | None:
        """Return what the copy of an ACK is answered: nothing, it is absorbed (17.2.1)."""
        return None

    def answers_late_cancel(self) -> Refusal | None:
        """Return what becomes of a refusal that a CANCEL comes for: it stands (9.2)."""
        return None

    def cancelled(self) -> Refusal:
        """Return how an INVITE ends that is cancelled before its final response (9.2)."""
        return Refusal(487, "Request Terminated")

    def merges(self, request: InboundRequest, *, ongoing: bool) -> bool:
        """Say whether an INVITE is one that came before on another way: if that is still being answered (8.2.2.2)."""
        return ongoing

    def announces(self, method: str) -> Refusal | None:
        """Return a provisional response to send to a request other than INVITE: none (RFC 4320 section 4.1)."""
        return None

    def offers(self, contact: str, request_uri: str) -> bool:
        """Say whether a request may be redirected to a URI: not to its own (8.3)."""
        return not same_uri(contact, request_uri)

    def listed(self, contacts: Sequence[Contact], request_uri: str) -> Sequence[Contact]:
        """Return the Contacts of a redirection of ``request_uri``: the bindings, or where calls are forwarded to."""
        return contacts

    def contact_value(self, contact: Contact) -> str:
        """Return how a Contact is written into a redirection: with what table 1 of 19.1.1 allows, in brackets."""
        return name_addr_of(contact)

    def redirection(self, redirection: Refusal) -> Refusal:
        """Return a redirection that this device makes, as it is to be sent."""
        return redirection

    def blocked(self, refusal: Refusal) -> Refusal:
        """Return what a call gets that analytics blocks: a 603+."""
        return refusal

    def released(self, refusal: Refusal) -> Refusal:
        """Return what ISUP cause 21 with location "user" becomes: a 603 (RFC 3398 8.2.6.1)."""
        return refusal

    def unknown_user(self) -> Refusal:
        """Return what is said of a user that does not exist (21.4.5)."""
        return Refusal(404, "Not Found")
