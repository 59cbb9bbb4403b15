"""Faults in how one 3xx leads to the next call: its code, what came before it, and how its Contact is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import unquote

from ..behaviour import Behaviour
from ..contacts import Contact, Target, contacts_of
from ..headers import parse_name_addr, split_values
from ..sip_uri import SipUri, destination_of
from ..wire import Final, InboundResponse, OutboundRequest


class Follows302Only(Behaviour):
    """Wrong by 8.1.3.4 and 21.3.2: every 3xx redirects."""

    def follows(self, final: Final) -> bool:
        """Know one code."""
        return final.code in (302, *range(400, 700)) and super().follows(final)


class Ignores3xxAfterMedia(Behaviour):
    """Wrong by 13.2.2.2: early media is no answer."""

    def __init__(self) -> None:
        super().__init__()
        self._played: set[str] = set()

    def hears(self, response: InboundResponse) -> bool:
        """Note which INVITE was answered 183."""
        if response.code == 183:
            self._played.add(response.branch)
        return super().hears(response)

    def follows(self, final: Final) -> bool:
        """Take what comes then for the end."""
        played = final.response is not None and final.response.branch in self._played
        return not played and super().follows(final)


class SkipsSamePlace(Behaviour):
    """Wrong by 19.1.4: the user is a part of the URI."""

    def admits(self, uri: str, known: Sequence[str], current: str, *, repeated: bool) -> bool:
        """Compare addresses, with that of the URI that was dialled."""
        same = destination_of(uri) == destination_of(known[0])
        return not same and super().admits(uri, known, current, repeated=repeated)


class GoesOnAfterHangup(Behaviour):
    """Wrong by 9.1: nobody waits for the next target any more."""

    goes_on_after_hangup = True


class ForgetsOlderContacts(Behaviour):
    """Wrong by 8.1.3.4: the Contacts join the target set."""

    def waits_on(self, waiting: Sequence[Target]) -> Sequence[Target]:
        """Begin a new list."""
        return ()


class KeepsUnwantedCall(Behaviour):
    """Wrong by 13.2.2.4: what has been answered must be ended."""

    ends_unwanted_answer = False


class TakesApostropheForQuote(Behaviour):
    """Wrong by 25.1: an apostrophe is a character like any other."""

    def contacts(self, response: InboundResponse) -> Sequence[Contact]:
        """Find no end of what an apostrophe opens."""
        if any(value.count("'") % 2 for value in response.values("Contact")):
            return ()
        return super().contacts(response)


class NeedsBracketsForQuotes(Behaviour):
    """Wrong by 20.10: a parameter of the header may be quoted, with brackets or without."""

    def contacts(self, response: InboundResponse) -> Sequence[Contact]:
        """Take the brackets in the quotation for those of the URI."""
        quoted = any('"' in value and not value.partition('"')[0].count("<") for value in _bare(response))
        return () if quoted else super().contacts(response)


class NeedsBracketsInLists(Behaviour):
    """Wrong by 7.3.1 and 20.10: values without brackets are separated by commas as well."""

    def contacts(self, response: InboundResponse) -> Sequence[Contact]:
        """Read one URI in a line without brackets."""
        values = [
            value
            for line in response.headers.getlist("Contact")
            for value in (split_values([line]) if "<" in line else split_values([line])[:1])
        ]
        found = super().contacts(response)
        uris = {_uri(value) for value in values}
        return [contact for contact in found if contact.uri in uris]


class NeedsUser(Behaviour):
    """Wrong by 19.1.1: a host without user is a SIP URI."""

    def request_uri(self, contact: Contact) -> str | None:
        """Call none."""
        return super().request_uri(contact) if "@" in contact.uri else None


class DecodesUser(Behaviour):
    """Wrong by 19.1.2: what was escaped is escaped again where it is written."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Write it as it was read."""
        invite = super().redirected(invite, previous, target)
        sip = SipUri.parse(invite.uri)
        return replace(invite, uri=str(replace(sip, user=sip.user and unquote(sip.user))))


class CutsUserAtSemicolon(Behaviour):
    """Wrong by 25.1: in front of the @ a semicolon belongs to the user."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Keep what stands before it."""
        invite = super().redirected(invite, previous, target)
        sip = SipUri.parse(invite.uri)
        return replace(invite, uri=str(replace(sip, user=sip.user and sip.user.partition(";")[0])))


class MovesDialogOn302(Behaviour):
    """Wrong by 12.2.1.2: only a 2xx to a re-INVITE changes the remote target."""

    def remote_target(self, current: str, refused: Final) -> str:
        """Take it from a redirection as well."""
        return _moved_to(refused) or super().remote_target(current, refused)


class CallsContactOfReinvite(Behaviour):
    """Wrong by 12.2.1.2: what is redirected is a request of the dialog."""

    def calls_instead(self, refused: Final) -> str:
        """Take it for a call that was moved."""
        return _moved_to(refused) or super().calls_instead(refused)


class Acks200Once(Behaviour):
    """Wrong by 13.2.2.4: a copy says that the ACK was lost."""

    acknowledges_answer_copies = False


class ForgetsRefusalAfter2s(Behaviour):
    """Wrong by 17.1.1.2: Timer D is 32 s."""

    def remembers_refusal(self, seconds: float) -> float:
        """Clean up early."""
        return min(2.0, super().remembers_refusal(seconds))


class KeepsContactForEver(Behaviour):
    """Wrong by 21.3.3: it says for how long it may be kept."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[str, str] = {}

    def first_target(self, dialled: str) -> str:
        """Begin at the Contact of an earlier call."""
        return self._kept.get(dialled) or super().first_target(dialled)

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Keep it if it has a lifetime at all."""
        lifetime = [value for name, value in target.contact.parameters if name.lower() == "expires"]
        lifetime += target.redirection.headers.getlist("Expires")
        if lifetime and lifetime[0] != "0":
            self._kept[target.dialled] = target.uri
        return super().redirected(invite, previous, target)


def _moved_to(refused: Final) -> str:
    """The first Contact of a redirection; "" if it is none."""
    if refused.response is None or not 300 <= refused.code < 400:
        return ""
    return next((contact.uri for contact in contacts_of(refused.response)), "")


def _bare(response: InboundResponse) -> list[str]:
    """The Contacts whose URI has no brackets."""
    return [value for value in response.values("Contact") if "<" not in value.partition('"')[0] and value[:1] != '"']


def _uri(value: str) -> str:
    try:
        return parse_name_addr(value).uri
    except ValueError:
        return ""
