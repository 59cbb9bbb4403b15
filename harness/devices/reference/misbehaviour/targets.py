"""Faults in whether and where a redirection is followed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..behaviour import Behaviour, Redial
from ..contacts import Contact, Target, contacts_of
from ..sip_uri import SipUri, destination_of
from ..uri_equality import same_uri
from ..wire import Final, OutboundRequest


class Ignores302(Behaviour):
    """Wrong by 8.1.3.4 for a client that claims to follow."""

    def follows(self, final: Final) -> bool:
        """Follow nothing."""
        return False


class Follows485(Behaviour):
    """Wrong by 21.4.23: whom the caller meant is for the caller to say."""

    def follows(self, final: Final) -> bool:
        """Take every response that lists somebody for a redirection."""
        return final.code == 485 or super().follows(final)


class ReadsReasonPhrase(Behaviour):
    """Wrong by 7.2: the phrase is for people, the code decides."""

    def follows(self, final: Final) -> bool:
        """Know a 302 by its usual phrase only."""
        return (final.code != 302 or final.reason == "Moved Temporarily") and super().follows(final)

    def redial(self, final: Final) -> Redial | None:
        """Know a 603 by its usual phrase only, and take any other for a hiccup of the line."""
        return Redial(0) if final.code == 603 and final.reason != "Decline" else super().redial(final)


class RedialsAfter302(Behaviour):
    """Wrong by 8.1.3.4: the URI that was redirected has been tried."""

    def follows(self, final: Final) -> bool:
        """Follow nothing."""
        return final.code >= 400 and super().follows(final)

    def redial(self, final: Final) -> Redial | None:
        """Make the call again."""
        return Redial(0) if 300 <= final.code < 400 else super().redial(final)


class EndlessLoop(Behaviour):
    """Wrong by 8.1.3.4: a URI must not enter the target set twice."""

    def admits(self, uri: str, known: Sequence[str], current: str, *, repeated: bool) -> bool:
        """Know only the URI that was just called."""
        return not same_uri(uri, current) or super().admits(uri, known, current, repeated=repeated)


class RetriesEqualContact(Behaviour):
    """Wrong by 8.1.3.4: the target set began with the Request-URI."""

    def admits(self, uri: str, known: Sequence[str], current: str, *, repeated: bool) -> bool:
        """Admit the URI that was just called."""
        return same_uri(uri, current) or super().admits(uri, known, current, repeated=repeated)


class RetriesOriginal(Behaviour):
    """Wrong by 8.1.3.4: the original URI has been tried."""

    def last_resort(self, final: Final, dialled: str, *, redirected: bool) -> str | None:
        """Fall back to what was dialled."""
        return dialled if redirected else super().last_resort(final, dialled, redirected=redirected)


class RetriesWithoutContact(Behaviour):
    """Wrong by 8.1.3.4: a redirection to nowhere is a failure."""

    def last_resort(self, final: Final, dialled: str, *, redirected: bool) -> str | None:
        """Fall back to what was dialled if there was nowhere else to go."""
        if final.response is not None and final.code < 400 and not contacts_of(final.response):
            return dialled
        return super().last_resort(final, dialled, redirected=redirected)


class BendsForeignScheme(Behaviour):
    """Wrong by 8.1.3.4: such a URI is for another program."""

    def request_uri(self, contact: Contact) -> str | None:
        """Call the address of a ``mailto:``, the host of an ``http:``."""
        scheme, _, rest = contact.uri.partition(":")
        if scheme.lower() in ("mailto", "http", "https"):
            bent = rest.strip("/").partition("?")[0].partition("/")[0]
            contact = Contact(f"sip:{bent}", contact.parameters)
        return super().request_uri(contact)


class SwapsTransport(Behaviour):
    """Wrong by 19.1.5 and RFC 3263 section 4.1: who asks for a transport gets that one or no call."""

    def request_uri(self, contact: Contact) -> str | None:
        """Take what could be called by the usual transport as well."""
        usual = _swapped(contact.uri, self.transports[0])
        if usual is None or super().request_uri(Contact(usual, contact.parameters)) is None:
            return super().request_uri(contact)
        return str(SipUri.parse(contact.uri).as_request_uri())

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Call it by the usual transport."""
        invite = super().redirected(invite, previous, target)
        usual = _swapped(target.uri, self.transports[0])
        return replace(invite, destination=destination_of(usual or "") or invite.destination)


class CallsSipsInClear(Behaviour):
    """Wrong by 26.2.2 and 19.1: a sips: URI is called by TLS or not at all."""

    def request_uri(self, contact: Contact) -> str | None:
        """Make a sip: URI of it."""
        scheme, _, rest = contact.uri.partition(":")
        if scheme.lower() == "sips":
            contact = Contact(f"sip:{rest}", contact.parameters)
        return super().request_uri(contact)


class RetriesAfter482(Behaviour):
    """Wrong by 8.1.3.4: a loop does not go away."""

    def repeats(self, final: Final) -> bool:
        """Try the same target again."""
        return final.code in (482, 483) or super().repeats(final)


class RetriesAfter503(Behaviour):
    """Wrong by 8.1.3.4 and 21.5.4: it is the turn of the next target, or of another server."""

    def repeats(self, final: Final) -> bool:
        """Try the same target again."""
        return final.code == 503 or super().repeats(final)


class RepeatsAfter415(Behaviour):
    """Wrong by 8.1.3.5: the request is to be corrected."""

    def repeats(self, final: Final) -> bool:
        """Ask for the same again."""
        return final.code in (415, 420) or super().repeats(final)


class RemembersContact(Behaviour):
    """Wrong by 21.3.3 and 8.1.3.4: a Contact is for this call, unless it says how long it may be kept."""

    def __init__(self) -> None:
        super().__init__()
        self._remembered: dict[str, str] = {}

    def first_target(self, dialled: str) -> str:
        """Begin at the Contact of an earlier call."""
        return self._remembered.get(dialled) or super().first_target(dialled)

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Keep the Contact for the next call."""
        self._remembered[target.dialled] = target.uri
        return super().redirected(invite, previous, target)


def _swapped(uri: str, transport: str) -> str | None:
    """Return a sip: URI with this transport instead of its own, ``None`` where it is another URI."""
    try:
        sip = SipUri.parse(uri)
    except ValueError:
        return None
    kept = tuple(part for part in sip.parameters if part.partition("=")[0].lower() != "transport")
    named = () if transport == "udp" else (f"transport={transport}",)
    return str(replace(sip, parameters=kept + named))
