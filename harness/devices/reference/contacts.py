"""The Contacts of a redirection, read as they were written."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from urllib.parse import unquote

from .headers import Parameters, parse_name_addr
from .sip_uri import SipUri, destination_of, has_name
from .wire import Fields, Inbound, InboundResponse

HARMLESS = ("alert-info", "call-info", "priority", "subject", "user-to-user")


@dataclass(frozen=True, slots=True)
class Contact:
    """One Contact: its whole URI as text, and the parameters of the header."""

    uri: str
    parameters: Parameters

    @property
    def q(self) -> float:
        """How much it is preferred; 1 where it does not say, or says what is no q-value (RFC 3841, 3261 20.10)."""
        value = next((value for name, value in self.parameters if name.lower() == "q"), None)
        try:
            q = float(value or "1")
        except ValueError:
            return 1.0
        return q if 0 <= q <= 1 else 1.0


@dataclass(frozen=True, slots=True)
class Target:
    """A place to call: its Request-URI, the Contact it came from, and the redirection that listed that."""

    uri: str
    contact: Contact
    redirection: InboundResponse
    dialled: str


def contacts_of(message: Inbound) -> list[Contact]:
    """Return the Contacts in the order of the message; a broken one and ``*`` are left out."""
    contacts = []
    for value in message.values("Contact"):
        try:
            address = parse_name_addr(value)
        except ValueError:
            continue
        contacts.append(Contact(address.uri, address.parameters))
    return contacts


def usable_request_uri(contact: Contact, transports: Collection[str], *, names: bool = False) -> str | None:
    """Return the Request-URI that calls a Contact, ``None`` where it cannot be reached by any of the transports.

    ``names``: a host that is a name may lead somewhere.

    The whole URI is kept except its headers and its method (section 19.1.5): see :func:`harmless_headers`.
    """
    if destination_of(contact.uri, transports) is None and not (names and has_name(contact.uri)):
        return None
    return str(SipUri.parse(contact.uri).as_request_uri())


def asked_for(contact: Contact) -> Fields:
    """Return the headers behind the ``?`` of a Contact as they are written there."""
    pairs = (part.partition("=") for part in (SipUri.parse(contact.uri).headers or "").split("&") if part)
    return tuple((name, value) for name, _, value in pairs)


def harmless_headers(contact: Contact) -> Fields:
    """Return what a redirector may have put into the request: no more than what a person reads (section 19.1.5)."""
    with contextlib.suppress(ValueError):
        read = ((name, unquote(escaped)) for name, escaped in asked_for(contact) if name.lower() in HARMLESS)
        return tuple((name, value) for name, value in read if value.isprintable())
    return ()


def name_addr_of(contact: Contact) -> str:
    """Write a Contact of a redirection: its URI without method and lr, as 19.1.1 wants it, and its q."""
    uri = contact.uri
    with contextlib.suppress(ValueError):
        sip = SipUri.parse(uri)
        kept = tuple(part for part in sip.parameters if part.partition("=")[0].lower() not in ("method", "lr"))
        uri = str(replace(sip, parameters=kept))
    q = next((f";q={value}" for name, value in contact.parameters if name.lower() == "q"), "")
    return f"<{uri}>{q}"
