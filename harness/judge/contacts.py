"""The Contacts of a redirection that the device makes: whether they can be read, and what they must not contain."""

from __future__ import annotations

import re

from harness.model.flow import Event
from harness.sip.address import NameAddr
from harness.sip.message import addr_spec, split_list
from harness.sip.uri import SipUri

_Q = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
_OTHER_URI = re.compile(r"[A-Za-z][-A-Za-z0-9+.]*:[^\s<>\"]+")
_OF_THE_URI = {"transport", "user", "method", "ttl", "maddr", "lr"}


def contact_values(message: Event) -> tuple[str, ...]:
    """The Contact values of ``message``, as written, in order."""
    return tuple(value for line in message.headers("Contact") for value in split_list(line))


def flaws(value: str) -> tuple[str, ...]:
    """What is wrong with a Contact value of a redirection by RFC 3261 20.10 and 25.1, in words; () if it is correct."""
    if value.strip() == "*":
        return ("'*' names no target; it is defined for REGISTER only",)
    address = NameAddr.parse(value)
    if not address.closed:
        return ("its angle brackets do not close",)
    words = [] if address.readable_name else [f"{address.display_name!r} is no display name"]
    names = address.values()
    if not address.bracketed:
        words += ["a '?' without angle brackets"] if "?" in address.uri else []
        words += [
            f";{name} without angle brackets, so it is no part of the URI" for name in names if name in _OF_THE_URI
        ]
    if "q" in names and not _Q.fullmatch(names["q"]):
        words.append(f"q={names['q']} is no number from 0 to 1")
    if "expires" in names and not names["expires"].isdecimal():
        words.append(f"expires={names['expires']} is no number of seconds")
    if address.surplus:
        words.append(f"{address.surplus!r} behind the URI")
    words += [f"{text!r} is no parameter" for text in address.unreadable_parameters]
    return (*words, *_uri_flaws(address.uri))


def misplaced(message: Event) -> tuple[str, ...]:
    """The URI parameters in the Contacts of a redirection that table 1 of 19.1.1 does not allow there."""
    told = []
    for value in contact_values(message):
        uri = SipUri.parse(addr_spec(value))
        found = [f";{name}" for name in ("method", "lr") if uri and uri.parameter(name) is not None]
        told += [f"{' and '.join(found)} in {value}"] if found else []
    return tuple(told)


def _uri_flaws(uri: str) -> tuple[str, ...]:
    scheme = uri.partition(":")[0].strip().lower()
    if scheme in ("sip", "sips"):
        parsed = SipUri.parse(uri)
        return () if parsed and parsed.well_formed else (f"{uri!r} is no SIP URI",)
    return () if _OTHER_URI.fullmatch(uri) else (f"{uri!r} is no URI",)
