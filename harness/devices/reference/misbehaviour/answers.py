"""Faults of a redirect server or a UAS in what it answers (RFC 3261 sections 8.2.6, 8.3 and 19.1.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..behaviour import Behaviour
from ..contacts import Contact
from ..sip_uri import SipUri
from ..tokens import new_tag
from ..wire import Fields, InboundRequest, OutboundResponse, Refusal


class RedirectsToRequestUri(Behaviour):
    """Wrong by 8.3: a caller that follows comes back with the same call for ever."""

    def offers(self, contact: str, request_uri: str) -> bool:
        """Never compare."""
        return True


class AddsOwnContact(Behaviour):
    """Wrong by 8.3: it is not where the user is."""

    def listed(self, contacts: Sequence[Contact], request_uri: str) -> Sequence[Contact]:
        """Add the server itself."""
        return (*super().listed(contacts, request_uri), _own(request_uri))


class OffersOwnContact(Behaviour):
    """Wrong by 8.3: whoever follows comes back."""

    def listed(self, contacts: Sequence[Contact], request_uri: str) -> Sequence[Contact]:
        """List the server itself."""
        return [_own(request_uri) for _ in super().listed(contacts, request_uri)]


class OffersFirstBinding(Behaviour):
    """Wrong by 8.3: the user has several phones."""

    def listed(self, contacts: Sequence[Contact], request_uri: str) -> Sequence[Contact]:
        """Leave the others out."""
        return super().listed(contacts, request_uri)[:1]


class Contactless302(Behaviour):
    """Wrong by 8.3 and 13.3.1.2: moved, but nobody says where to."""

    def redirection(self, redirection: Refusal) -> Refusal:
        """Leave the Contacts out."""
        redirection = super().redirection(redirection)
        return replace(redirection, fields=tuple(field for field in redirection.fields if field[0] != "Contact"))


class Sends305(Behaviour):
    """Wrong by 21.3.4: only a UAS may ask to be called through a proxy."""

    def redirection(self, redirection: Refusal) -> Refusal:
        """Call it so."""
        return replace(super().redirection(redirection), code=305, reason="Use Proxy")


class OddContact(Behaviour):
    """Wrong by 19.1.1, table 1, and by 20.10: what stands behind a bare URI belongs to the header."""

    def contact_value(self, contact: Contact) -> str:
        """Write the Contact twice: with method and lr, and with a parameter, but without brackets."""
        uri = SipUri.parse(contact.uri).as_request_uri()
        other = tuple(part for part in uri.parameters if part.partition("=")[0].lower() not in ("lr", "transport"))
        odd = replace(uri, parameters=(*other, "method=INVITE", "lr"))
        return f"<{odd}>, {replace(uri, parameters=(*other, 'transport=udp'))}"


class Empty302ForUnknown(Behaviour):
    """Wrong by 8.3 and 21.4.5: there is nobody, and nowhere to go."""

    def unknown_user(self) -> Refusal:
        """Redirect without a Contact."""
        return Refusal(302, "Moved Temporarily")


class StumblesOverRequire(Behaviour):
    """Wrong by 8.3: whoever only redirects need not understand."""

    refuses_extensions = True


class RedirectAlsoForwards(Behaviour):
    """Wrong by 8.3: the target rings twice for one call."""

    also_forwards = True


class ProvisionalToMessage(Behaviour):
    """Wrong by RFC 4320 section 4.1: no provisional response but 100 to anything but INVITE."""

    def announces(self, method: str) -> Refusal | None:
        """Send one as to an INVITE."""
        return Refusal(183, "Session Progress") if method == "MESSAGE" else super().announces(method)


class NoToTag(Behaviour):
    """Wrong by 8.2.6.2: two phones that answer cannot be told apart."""

    def answer(self, response: OutboundResponse, request: InboundRequest) -> OutboundResponse:
        """Leave the tag out of a refusal."""
        response = super().answer(response, request)
        return _with(response, "To", request.headers["To"]) if response.code >= 300 else response


class OtherToTag(Behaviour):
    """Wrong by 8.2.6.2: it looks as if another phone refused."""

    def answer(self, response: OutboundResponse, request: InboundRequest) -> OutboundResponse:
        """Make a tag of its own for a refusal."""
        response = super().answer(response, request)
        if response.code < 300 or request.to_tag:
            return response
        return _with(response, "To", f"{request.headers['To']};tag={new_tag()}")


class ChangesVia(Behaviour):
    """Wrong by 8.2.6.2: the response ends at an element in the middle."""

    def answer(self, response: OutboundResponse, request: InboundRequest) -> OutboundResponse:
        """Lose the second one of a refusal."""
        response = super().answer(response, request)
        vias = [field for field in response.fields if field[0] == "Via"]
        if response.code < 300 or len(vias) < 2:
            return response
        others = tuple(field for field in response.fields if field[0] != "Via")
        return replace(response, fields=(vias[0], *vias[2:], *others))


class ChangesCseqFrom(Behaviour):
    """Wrong by 8.2.6.2: From is copied, it is not the answering side's business."""

    def answer(self, response: OutboundResponse, request: InboundRequest) -> OutboundResponse:
        """Build it anew from what it has understood."""
        response = super().answer(response, request)
        if response.code < 300:
            return response
        return _with(response, "From", f"<sip:anonymous@anonymous.invalid>;tag={request.from_tag}")


def _with(response: OutboundResponse, name: str, value: str) -> OutboundResponse:
    fields: Fields = tuple((key, value if key == name else old) for key, old in response.fields)
    return replace(response, fields=fields)


class AnswersMessage481(Behaviour):
    """Wrong by 12.2.2: a request without a To tag belongs to no dialog, and needs none."""

    misses_dialog = True


def _own(request_uri: str) -> Contact:
    """The server as a Contact: where the request went, with another user."""
    sip = SipUri.parse(request_uri)
    return Contact(str(replace(sip, user="0", parameters=(), headers=None)), ())
