"""The Contacts of a redirection, read as they were written."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

from .headers import Parameters, parse_name_addr
from .sip_uri import SipUri, destination_of
from .wire import Inbound, InboundResponse


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


def usable_request_uri(contact: Contact) -> str | None:
    """Return the Request-URI that calls a Contact, ``None`` where the device cannot reach it.

    The whole URI is kept except its headers and its method (section 19.1.5): what the redirector wants put into the
    request beyond an address is not honoured at all, which that section allows to the security-conscious.
    """
    if destination_of(contact.uri) is None:
        return None
    return str(SipUri.parse(contact.uri).as_request_uri())


def name_addr_of(contact: Contact) -> str:
    """Write a Contact of a redirection: its URI without method and lr, as 19.1.1 wants it, and its q."""
    uri = contact.uri
    with contextlib.suppress(ValueError):
        sip = SipUri.parse(uri)
        kept = tuple(part for part in sip.parameters if part.partition("=")[0].lower() not in ("method", "lr"))
        uri = str(replace(sip, parameters=kept))
    q = next((f";q={value}" for name, value in contact.parameters if name.lower() == "q"), "")
    return f"<{uri}>{q}"
