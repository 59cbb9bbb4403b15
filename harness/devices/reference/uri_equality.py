"""Whether two URIs mean the same (RFC 3261 section 19.1.4).

The judges of the suite have an implementation of their own.  This one shares nothing with it, so that a bug in either
shows as a wrong verdict on this device, and in the test that compares the two.
"""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Collection

from .sip_uri import SipUri

_NEVER_IMPLIED = ("user", "ttl", "method", "maddr", "transport")
"""Parameters that must be in both URIs or in neither. Any other one may be in one URI only."""
_ADDRESSES = ("to", "from", "contact", "route", "record-route", "reply-to", "refer-to", "referred-by")
_EXACT = ("body", "call-id", "in-reply-to", "organization", "replaces", "subject")
"""Headers whose values have a meaning in capital and small letters (7.3.1)."""
_RESERVED = ";/?:@&=+$,"
_ESCAPE = re.compile("%([0-9A-Fa-f]{2})")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")

_Values = dict[str, list[str]]


def same_uri(one: str, other: str, *, within_header: bool = False) -> bool:
    """Say whether two URIs are equivalent; what is no SIP URI compares as text.

    ``within_header``: they are the values of a header of other URIs. What their own headers hold is not read as URIs
    any more, so that no peer decides how deep the comparison goes.
    """
    one, other = one.strip(), other.strip()
    try:
        left, right = SipUri.parse(one), SipUri.parse(other)
    except ValueError:
        return one == other
    return (
        left.scheme.lower() == right.scheme.lower()
        and _canonical_user(left) == _canonical_user(right)
        and _canonical_host(left.host) == _canonical_host(right.host)
        and _number(left.port) == _number(right.port)
        and _same_parameters(_parameters(left), _parameters(right))
        and _same_headers(_headers(left), _headers(right), addresses=() if within_header else _ADDRESSES)
    )


def _canonical_user(uri: SipUri) -> str | None:
    """User and password: they compare letter by letter."""
    return None if uri.user is None else _canonical(uri.user)


def _canonical_host(host: str) -> str:
    try:
        return ipaddress.ip_address(host.strip("[]")).compressed
    except ValueError:
        return host.lower()


def _number(port: str | None) -> int | None:
    """The port; a missing one is not the same as 5060."""
    return None if port is None else int(port)


def _parameters(uri: SipUri) -> _Values:
    values: _Values = defaultdict(list)
    for part in uri.parameters:
        name, _, value = part.partition("=")
        name, value = _canonical(name).lower(), _canonical(value)
        # A method is a token that is defined with capital letters (7.1); all other values have none to keep.
        values[name].append(value if name == "method" else value.lower())
    return values


def _same_parameters(left: _Values, right: _Values) -> bool:
    in_both = left.keys() & right.keys()
    in_one = left.keys() ^ right.keys()
    return all(sorted(left[name]) == sorted(right[name]) for name in in_both) and in_one.isdisjoint(_NEVER_IMPLIED)


def _headers(uri: SipUri) -> _Values:
    values: _Values = defaultdict(list)
    for part in (uri.headers or "").split("&"):
        name, _, value = part.partition("=")
        if name:
            values[_canonical(name).lower()].append(value)
    return values


def _same_headers(left: _Values, right: _Values, *, addresses: Collection[str]) -> bool:
    """No header of a URI is ever ignored; those of one name compare in any order."""
    return left.keys() == right.keys() and all(
        _same_values(left[name], right[name], exact=name in _EXACT or name in _ADDRESSES, address=name in addresses)
        for name in left
    )


def _same_values(left: list[str], right: list[str], *, exact: bool, address: bool) -> bool:
    """Pair the values off, each with an equal one."""
    rest = list(right)
    for value in left:
        equal = next((other for other in rest if _same_value(value, other, exact=exact, address=address)), None)
        if equal is None:
            return False
        rest.remove(equal)
    return not rest


def _same_value(left: str, right: str, *, exact: bool, address: bool) -> bool:
    one, other = _canonical(left), _canonical(right)
    if one == other or (not exact and one.lower() == other.lower()):
        return True
    return address and same_uri(_unescaped(left), _unescaped(right), within_header=True)


def _canonical(text: str) -> str:
    """Write what may be escaped or not in one way: plain where that keeps its meaning, else as ``%HH``."""

    def written(found: re.Match[str]) -> str:
        char = chr(int(found[1], 16))
        return f"%{ord(char):02X}" if char in _RESERVED or char == "%" or ord(char) > 127 else char

    escaped = _BEYOND_ASCII.sub(
        lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace")), text
    )
    return _ESCAPE.sub(written, escaped)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
