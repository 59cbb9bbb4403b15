"""Faults in how the Contacts of a redirection are read (RFC 3261 sections 7.3 and 20.10)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..behaviour import Behaviour
from ..contacts import Contact
from ..headers import parse_name_addr, split_values
from ..sip_uri import SipUri
from ..wire import InboundResponse

_Q = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


class FirstContactOnly(Behaviour):
    """Wrong by 8.1.3.4: the other Contacts are targets as well."""

    def contacts(self, response: InboundResponse) -> Sequence[Contact]:
        """Take the first that is listed, whatever its q."""
        return super().contacts(response)[:1]


class FirstValueOfLine(Behaviour):
    """Wrong by 7.3.1: a comma list is as good as a line each."""

    def contacts(self, response: InboundResponse) -> Sequence[Contact]:
        """Leave out what stands behind the first comma of a line."""
        firsts = [text for line in response.headers.getlist("Contact") for text in split_values([line])[:1]]
        return [contact for text in firsts for contact in _contact_in(text)]


class NoCompactContact(Behaviour):
    """Wrong by 7.3.3: the compact form may come at any time."""

    def datagram(self, data: bytes) -> bytes:
        """Read ``m:`` in a response as the name of an unknown header."""
        data = super().datagram(data)
        if not data.startswith(b"SIP/2.0 "):
            return data
        head, separator, body = data.partition(b"\r\n\r\n")
        return re.sub(rb"(?<=\r\n)m(?=[ \t]*:)", b"X-m", head, flags=re.IGNORECASE) + separator + body


class CutsDisplayName(Behaviour):
    """Wrong by 20.10: what is quoted ends nothing."""

    def contacts(self, response: InboundResponse) -> Sequence[Contact]:
        """Cut at every comma, and take the first pair of brackets."""
        pieces = [piece for line in response.headers.getlist("Contact") for piece in line.split(",")]
        return [contact for piece in pieces for contact in _contact_in(_without_name(piece))]


class ChokesOnExpires(Behaviour):
    """Wrong by 20.19 and 8.3: a malformed lifetime is an hour."""

    def contacts(self, response: InboundResponse) -> Sequence[Contact]:
        """Throw the whole Contact away."""
        return [contact for contact in super().contacts(response) if _all_match(contact, "expires", r"[0-9]+")]


class ChokesOnBadQ(Behaviour):
    """Wrong by 17.1.1.2: the ACK does not depend on a parameter of a Contact."""

    def hears(self, response: InboundResponse) -> bool:
        """Throw the whole response away."""
        readable = all(_all_match(contact, "q", _Q.pattern) for contact in super().contacts(response))
        return (readable or not 300 <= response.code < 400) and super().hears(response)


class ChokesOnContact(Behaviour):
    """Wrong by 17.1.1.2: the response has been received, whatever its Contact is."""

    def hears(self, response: InboundResponse) -> bool:
        """Throw the whole response away."""
        readable = all(map(_readable, response.values("Contact")))
        return (readable or not 300 <= response.code < 400) and super().hears(response)


class ReadsQAsInteger(Behaviour):
    """Wrong by 20.10: q is a decimal fraction, and 0.9 is 0.90."""

    def preference(self, contact: Contact) -> float:
        """Take the digits behind the point for a number of their own."""
        whole, _, digits = (_parameter(contact, "q") or "1").partition(".")
        if whole.isdecimal() and (digits or "0").isdecimal():
            return 1000 * int(whole) + int(digits or "0")
        return 1000 * super().preference(contact)


def _contact_in(text: str) -> list[Contact]:
    """Return the Contact that a value is, none where it cannot be read."""
    try:
        address = parse_name_addr(text)
    except ValueError:
        return []
    return [Contact(address.uri, address.parameters)]


def _without_name(text: str) -> str:
    """Return a value from its first bracket on, quoted or not, with the parameters behind the next one."""
    found = re.search(r"<([^>]*)>[^;]*(.*)", text)
    return f"<{found[1]}>{found[2]}" if found else text.strip()


def _readable(text: str) -> bool:
    contacts = _contact_in(text)
    if not contacts:
        return False
    try:
        return not contacts[0].uri.lower().startswith("sip") or bool(SipUri.parse(contacts[0].uri))
    except ValueError:
        return False


def _parameter(contact: Contact, name: str) -> str | None:
    return next((value for key, value in contact.parameters if key.lower() == name), None)


def _all_match(contact: Contact, name: str, pattern: str) -> bool:
    """Say whether what a parameter of a Contact says, if it is there, is of this form."""
    return all(re.fullmatch(pattern, value or "") for key, value in contact.parameters if key.lower() == name)
