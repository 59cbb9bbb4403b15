"""Faults in whether and where a redirection is followed."""

from __future__ import annotations

from collections.abc import Sequence

from harness.uri import same_uri

from ..behaviour import Behaviour
from ..contacts import Contact, Target, contacts_of
from ..wire import Final, OutboundRequest


class Ignores302(Behaviour):
    """Wrong by 8.1.3.4 for a client that claims to follow."""

    def follows(self, final: Final) -> bool:
        """Follow nothing."""
        return False


class FirstContactOnly(Behaviour):
    """Wrong by 8.1.3.4: the other Contacts are targets as well."""

    def choose(self, contacts: Sequence[Contact]) -> Sequence[Contact]:
        """Take the first that is listed, whatever its q."""
        return contacts[:1]


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
