"""SIP URIs: a tolerant view, and equality by RFC 3261 19.1.4.

``sipmessage`` decides whether a URI is well formed (:attr:`SipUri.well_formed`); the components are split here and kept
as written, because it reads no ``?headers``, no ``SIP:`` and forgets which characters of a user were escaped - and
19.1.4 asks about all three.  Nothing here raises on a device's bytes.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

import sipmessage

_URI = re.compile(
    r"(?P<scheme>sips?):"
    r"(?:(?P<user>[^@:]*)(?::(?P<password>[^@]*))?@)?"
    r"(?P<host>\[[^\]\s@]*\]|[^\[\]:;?@<>\s]+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<parameters>;[^?]*)?"
    r"(?:\?(?P<headers>.*))?",
    re.IGNORECASE | re.DOTALL,
)
_ESCAPE_OR_CHAR = re.compile(r"%([0-9A-Fa-f]{2})|(.)", re.DOTALL)
_RESERVED = frozenset(b";/?:@&=+$,")
_NEVER_IGNORED = frozenset({"user", "ttl", "method", "maddr", "transport"})
_ADDRESSES = frozenset({"to", "from", "contact", "route", "record-route", "reply-to", "refer-to", "referred-by"})
_CASE_SENSITIVE = frozenset({"body", "call-id", "in-reply-to", "replaces", "subject", "organization"})
_SHOWN = 60


@dataclass(frozen=True)
class SipUri:
    """The components of a ``sip:`` or ``sips:`` URI, each exactly as written."""

    scheme: str
    host: str
    user: str | None = None
    password: str | None = None
    port: int | None = None
    parameters: tuple[tuple[str, str | None], ...] = ()
    """In order; the value of a parameter without ``=`` is None."""
    headers: tuple[tuple[str, str], ...] = ()
    """What stands behind ``?``, in order."""
    well_formed: bool = True
    """Whether the grammar accepts it as well (its headers aside)."""

    @classmethod
    @lru_cache(maxsize=512)  # the same few URIs stand in every message of a call
    def parse(cls, text: str) -> SipUri | None:
        """The URI that ``text`` is, or None if no host (or another scheme) can be read from it."""
        text = text.strip()
        found = _URI.fullmatch(text)
        if found is None:
            return None
        end = len(text) if found["headers"] is None else found.start("headers") - 1
        return cls(
            scheme=found["scheme"],
            host=found["host"],
            user=found["user"],
            password=found["password"],
            port=int(found["port"]) if found["port"] else None,
            parameters=tuple(_pair(segment) for segment in (found["parameters"] or "").split(";") if segment),
            headers=tuple(
                (name, value or "") for name, value in map(_pair, (found["headers"] or "").split("&")) if name
            ),
            well_formed=_well_formed(found["scheme"].lower() + text[len(found["scheme"]) : end]),
        )

    def parameter(self, name: str) -> str | None:
        """The value of parameter ``name``: "" if it has none, None if it is not there."""
        return next((value or "" for key, value in self.parameters if key.lower() == name.lower()), None)

    def reached_by(self, transport: str) -> bool:
        """Whether a request for it may go over ``transport`` (udp, tcp, tls, ws, wss), as scheme and ;transport say.

        No URI says ``wss`` (RFC 7118 5.2).
        """
        if self.scheme.lower() == "sips":
            return transport in ("tls", "wss")
        written = "ws" if transport == "wss" else transport
        return (self.parameter("transport") or written).lower() == written

    def __str__(self) -> str:
        password = "" if self.password is None else f":{self.password}"
        userinfo = "" if self.user is None else f"{self.user}{password}@"
        port = "" if self.port is None else f":{self.port}"
        parameters = "".join(f";{_joined(name, value)}" for name, value in self.parameters)
        headers = "&".join(f"{name}={value}" for name, value in self.headers)
        return f"{self.scheme}:{userinfo}{self.host}{port}{parameters}" + (f"?{headers}" if headers else "")


def same_uri(a: str, b: str) -> bool:
    """Whether two URIs are equivalent by RFC 3261 19.1.4.  URIs that cannot be read compare as trimmed text.

    The relation is not transitive (a parameter in only one of two URIs is mostly ignored): never use it as a key.
    """
    return _same(a, b, nested=False)


def request_uri_of(contact_uri: str) -> str:
    """The Request-URI that a Contact URI asks for: less ``?headers`` and ``;method``, all else as written.

    RFC 3261 8.1.3.4 with 19.1.1 (table 1).  A URI of another scheme, or an unreadable one, is only trimmed.
    """
    text = contact_uri.strip()
    found = _URI.fullmatch(text)
    if found is None:
        return text
    before = text[: found.end("port") if found["port"] else found.end("host")]
    segments = (found["parameters"] or "").split(";")[1:]
    return before + "".join(f";{s}" for s in segments if _plain(_pair(s)[0]).lower() != "method")


def differences(expected: str, actual: str) -> tuple[str, ...]:
    """In what ``actual`` differs from ``expected``, component by component, in words; () if in nothing that counts.

    Stricter than :func:`same_uri` in one point: a parameter that is missing or added is always named, even one that
    the comparison ignores.  A device that was to use a URI as it stands has to keep those, too.
    """
    want, have = SipUri.parse(expected), SipUri.parse(actual)
    if want is None or have is None:
        if expected.strip() == actual.strip():
            return ()
        return (f"URI is {_shown(actual.strip())}, not {_shown(expected.strip())}",)
    return (
        *_value("scheme", want.scheme.lower(), have.scheme.lower()),
        *_value("user", want.user, have.user, same=_escaped(want.user) == _escaped(have.user)),
        # A password is not repeated in reports.
        *(["password differs"] if _escaped(want.password) != _escaped(have.password) else []),
        *_value("host", want.host, have.host, same=usual_host(want.host) == usual_host(have.host)),
        *_value("port", want.port, have.port),
        *_parameters(want, have),
        *_headers(want, have),
    )


def _same(a: str, b: str, *, nested: bool) -> bool:
    left, right = SipUri.parse(a), SipUri.parse(b)
    if left is None or right is None:
        return a.strip() == b.strip()
    if (left.scheme.lower(), _escaped(left.user), _escaped(left.password), usual_host(left.host), left.port) != (
        right.scheme.lower(),
        _escaped(right.user),
        _escaped(right.password),
        usual_host(right.host),
        right.port,
    ):
        return False
    ours, theirs = _parameter_map(left), _parameter_map(right)
    for name in ours.keys() | theirs.keys():
        if name in ours and name in theirs:
            if ours[name] != theirs[name]:
                return False
        elif name in _NEVER_IGNORED:
            return False
    return _same_headers(left, right, nested=nested)


def _same_headers(left: SipUri, right: SipUri, *, nested: bool) -> bool:
    ours, theirs = _header_map(left), _header_map(right)
    if ours.keys() != theirs.keys():
        return False
    return all(
        len(ours[name]) == len(theirs[name])
        and all(_same_header(name, x, y, nested=nested) for x, y in zip(ours[name], theirs[name], strict=True))
        for name in ours
    )


def _same_header(name: str, a: str, b: str, *, nested: bool) -> bool:
    if _escaped(a) == _escaped(b):
        return True
    if name in _ADDRESSES:
        # One level only: a hostile URI could nest as deep as it is long.
        return not nested and _same(_unescaped(a), _unescaped(b), nested=True)
    return name not in _CASE_SENSITIVE and _plain(a).lower() == _plain(b).lower()


def _parameter_map(uri: SipUri) -> dict[str, list[str]]:
    """Comparable values by comparable name.  Values ignore case, except a method's, which has it by definition."""
    values: dict[str, list[str]] = {}
    for name, value in uri.parameters:
        key = _plain(name).lower()
        text = _plain(value or "")
        values.setdefault(key, []).append(text if key == "method" else text.lower())
    return {key: sorted(texts) for key, texts in values.items()}


def _header_map(uri: SipUri) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in uri.headers:
        values.setdefault(_plain(name).lower(), []).append(value)
    # Values that differ only in case come next to each other, so that each meets its equal in the other URI.
    return {
        name: sorted(texts, key=lambda text: (_plain(text).lower(), _plain(text))) for name, texts in values.items()
    }


def _parameters(want: SipUri, have: SipUri) -> list[str]:
    ours, theirs = _parameter_map(want), _parameter_map(have)
    wanted, got = _parameter_words(want), _parameter_words(have)
    words = []
    for name, text in wanted.items():
        if name not in theirs:
            words.append(f"parameter {text} is missing")
        elif ours[name] != theirs[name]:
            words.append(f"parameter is {got[name]}, not {text}")
    for name, text in got.items():
        if name not in ours:
            words.append(f"parameter {text} was {'left in' if name == 'method' else 'added'}")
    return words


def _parameter_words(uri: SipUri) -> dict[str, str]:
    words: dict[str, list[str]] = {}
    for name, value in uri.parameters:
        words.setdefault(_plain(name).lower(), []).append(_joined(name, value))
    return {name: _shown(", ".join(texts)) for name, texts in words.items()}


def _headers(want: SipUri, have: SipUri) -> list[str]:
    if _same_headers(want, have, nested=False):
        return []
    ours, theirs = _header_map(want), _header_map(have)
    missing = [f"?{_shown(f'{n}={v}')} is missing" for n, v in want.headers if _plain(n).lower() not in theirs]
    extra = [f"?{_shown(f'{n}={v}')} was left in" for n, v in have.headers if _plain(n).lower() not in ours]
    return missing + extra or ["?headers differ"]


def _value(name: str, want: object, have: object, *, same: bool | None = None) -> list[str]:
    if want == have if same is None else same:
        return []
    if have is None:
        return [f"{name} {_shown(str(want))} is missing"]
    if want is None:
        return [f"{name} {_shown(str(have))} was added"]
    return [f"{name} is {_shown(str(have))}, not {_shown(str(want))}"]


def _pair(segment: str) -> tuple[str, str | None]:
    name, equals, value = segment.partition("=")
    return name.strip(), value.strip() if equals else None


def _joined(name: str, value: str | None) -> str:
    return name if value is None else f"{name}={value}"


def _well_formed(text: str) -> bool:
    try:
        sipmessage.URI.parse(text)
    except (ValueError, TypeError):  # TypeError: sipmessage makes keyword arguments of parameters, ";self" too
        return False
    return True


def usual_host(host: str) -> str:
    """A host as it is compared: an IPv6 address in one way (RFC 5954 4.2), a name in small letters."""
    if host.startswith("["):
        try:
            return str(ipaddress.IPv6Address(host.strip("[]")))
        except ValueError:
            pass
    return host.lower()


def _escaped(text: str | None) -> str | None:
    return None if text is None else _plain(text)


def _plain(text: str) -> str:
    """``text`` with every escape undone that 19.1.4 calls equivalent; what must stay escaped is written one way.

    A ``%`` stays escaped as well (``%2541`` is not ``A``), and what is not ASCII becomes its UTF-8 escapes.
    """
    if "%" not in text and text.isascii():
        return text
    return _ESCAPE_OR_CHAR.sub(_plain_one, text)


def _plain_one(found: re.Match[str]) -> str:
    if found[1] is None:
        char: str = found[2]
        return char if char.isascii() else "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "replace"))
    byte = int(found[1], 16)
    return f"%{byte:02X}" if byte in _RESERVED or byte == ord("%") or byte > 127 else chr(byte)


def _unescaped(text: str) -> str:
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), text)


def _shown(text: str) -> str:
    clean = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text[: _SHOWN + 1])
    return clean if len(text) <= _SHOWN else f"{clean[:_SHOWN]}…"
