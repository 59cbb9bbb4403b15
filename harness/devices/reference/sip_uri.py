"""A SIP URI as text in its parts, and the address to which a request for it is sent."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import NamedTuple

_DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061, "ws": 80, "wss": 443}
SECURE = ("tls", "wss")
DEFAULT_PORT = 5060


class Address(NamedTuple):
    """Where something is: a numeric host without brackets, a port, and the transport by which it is reached."""

    host: str
    port: int
    transport: str = "udp"
    names: tuple[str, ...] = ()
    """Whom its certificate has to name, one of them, where that is not the host: whose server it is, as DNS says."""

    @property
    def carrier(self) -> tuple[str, bool]:
        """Transport, and whether it is over IPv6."""
        return self.transport, ":" in self.host

    @property
    def host_port(self) -> str:
        """As headers and URIs write host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def in_uri(self) -> str:
        """Behind the ``@`` of a URI: with the transport, unless that is UDP, which a numeric host means."""
        named = {"udp": "", "wss": "ws"}.get(self.transport, self.transport)  # RFC 7118 section 5.2: there is no "wss"
        return self.host_port + (f";transport={named}" if named else "")

    def __str__(self) -> str:
        return self.host_port


def default_port(transport: str) -> int:
    """Return the port that is meant where none is written (18.2.1)."""
    return _DEFAULT_PORTS.get(transport, DEFAULT_PORT)


def bare(host: str) -> str:
    """Return a host as sockets take it: an IPv6 address in its usual form and without brackets."""
    inner = host.removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.IPv6Address(inner)) if ":" in inner else host
    except ValueError:
        return host


_SIP_URI = re.compile(
    r"(?P<scheme>sips?):(?:(?P<user>[^@\s]*)@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<parameters>(?:;[^;?\s]+)*)(?:\?(?P<headers>\S*))?",
    re.IGNORECASE,
)
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?:\.(?!$)|$)){4}")


@dataclass(frozen=True, slots=True)
class SipUri:
    """The parts of a ``sip:`` or ``sips:`` URI as they were written; ``user`` includes a password."""

    scheme: str
    user: str | None
    host: str
    port: str | None
    parameters: tuple[str, ...]
    headers: str | None

    @classmethod
    def parse(cls, text: str) -> SipUri:
        """Take the text apart; raises :class:`ValueError` for anything but a SIP URI."""
        match = _SIP_URI.fullmatch(text)
        if match is None:
            raise ValueError(f"not a SIP URI: {text}")
        parameters = tuple(match["parameters"].split(";")[1:])
        return cls(match["scheme"], match["user"], match["host"], match["port"], parameters, match["headers"])

    def __str__(self) -> str:
        user = "" if self.user is None else f"{self.user}@"
        port = "" if self.port is None else f":{self.port}"
        headers = "" if self.headers is None else f"?{self.headers}"
        return f"{self.scheme}:{user}{self.host}{port}{''.join(f';{part}' for part in self.parameters)}{headers}"

    def parameter(self, name: str) -> str | None:
        """Return a URI parameter's value in lower case, empty for a flag, ``None`` where it is absent."""
        for part in self.parameters:
            key, _, value = part.partition("=")
            if key.lower() == name:
                return value.lower()
        return None

    def as_request_uri(self) -> SipUri:
        """Leave out what a Request-URI may not carry: headers and the method parameter (section 19.1.1, table 1)."""
        kept = tuple(part for part in self.parameters if part.partition("=")[0].lower() != "method")
        return replace(self, parameters=kept, headers=None)


def numeric(host: str) -> bool:
    """Say whether a host is an address, and no name."""
    return bool(_IPV4.fullmatch(host)) or ":" in host


def has_name(uri: str) -> bool:
    """Say whether a URI leads to a host by its name."""
    try:
        sip = SipUri.parse(uri)
    except ValueError:
        return False
    return not numeric(sip.parameter("maddr") or sip.host)


def destination_of(uri: str, transports: Collection[str] = tuple(_DEFAULT_PORTS)) -> Address | None:
    """Return where a request for the URI goes, ``None`` where the device cannot reach it by any of the transports.

    RFC 3263 section 4 without DNS: ``maddr`` before the host, numeric hosts only. Without ``;transport`` a numeric host
    means UDP (4.1), and TLS for ``sips:``, whatever transport that names (RFC 3261 section 26.2.2). ``ws`` is what a
    device on secure WebSockets is reached by as well (RFC 7118 section 8.1).
    """
    try:
        sip = SipUri.parse(uri)
    except ValueError:
        return None
    transport = sip.parameter("transport") or "udp"
    if sip.scheme.lower() == "sips":
        transport = {None: "tls", "tcp": "tls", "tls": "tls", "ws": "wss"}.get(sip.parameter("transport"), "")
    elif transport == "ws" and "ws" not in transports:
        transport = "wss"
    host = bare(sip.parameter("maddr") or sip.host)
    port = int(sip.port or default_port(transport))
    if transport not in transports or not numeric(host) or not 0 < port < 65536:
        return None
    return Address(host, port, transport)


def without_transport(uri: str) -> str:
    """Return a URI that names somebody, not a way: as From and To have it (19.1.1, table 1)."""
    try:
        sip = SipUri.parse(uri)
    except ValueError:
        return uri
    kept = tuple(
        part for part in sip.parameters if part.lower() not in ("transport=tcp", "transport=tls", "transport=ws")
    )
    return str(replace(sip, parameters=kept))
