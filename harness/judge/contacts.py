"""The Contacts of a redirection that the device makes: whether they can be read, and what they must not contain."""

from __future__ import annotations

import re

from harness.model.flow import Event
from harness.sip.message import addr_spec, split_list
from harness.sip.uri import SipUri

_BRACKETED = re.compile(
    r"(?P<name>\"(?:[^\"\\]|\\.)*\"|[-A-Za-z0-9.!%*_+`'~ \t]*)\s*<(?P<uri>[^<>]*)>(?P<rest>.*)", re.DOTALL
)
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
    words = []
    found = _BRACKETED.fullmatch(value.strip())
    if found:
        uri, rest = found["uri"], found["rest"]
    elif "<" in value or ">" in value:
        return ("its angle brackets do not close",)
    else:
        uri, _, parameters = value.strip().partition(";")
        rest = f";{parameters}" if parameters else ""
        if "?" in uri:
            words.append("a '?' without angle brackets")
    names = _parameters(rest)
    if found is None:
        words += [
            f";{name} without angle brackets, so it is no part of the URI" for name in names if name in _OF_THE_URI
        ]
    if "q" in names and not _Q.fullmatch(names["q"]):
        words.append(f"q={names['q']} is no number from 0 to 1")
    if "expires" in names and not names["expires"].isdecimal():
        words.append(f"expires={names['expires']} is no number of seconds")
    if rest.strip() and not rest.strip().startswith(";"):
        words.append(f"{rest.strip()!r} behind the URI")
    return (*words, *_uri_flaws(uri))


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


def _parameters(rest: str) -> dict[str, str]:
    pairs = (segment.partition("=") for segment in rest.split(";")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
