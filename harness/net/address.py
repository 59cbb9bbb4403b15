"""Where a message goes or comes from: host, port, transport.  The one place that reads and writes ``host:port``."""

from __future__ import annotations

import ipaddress
import itertools
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, Literal, cast, get_args

Transport = Literal["udp", "tcp", "tls", "ws", "wss"]
Crossing = Literal[
    "udp-to-tcp", "udp-to-tls", "udp-to-ws", "udp-to-wss",
    "tcp-to-udp", "tcp-to-tls", "tcp-to-ws", "tcp-to-wss",
    "tls-to-udp", "tls-to-tcp", "tls-to-ws", "tls-to-wss",
    "ws-to-udp", "ws-to-tcp", "ws-to-tls",
    "wss-to-udp", "wss-to-tcp", "wss-to-tls",
]  # fmt: skip
"""The transport by which a device is called, and the other one by which it calls.

Not between the two WebSockets: a URI does not say which of them is meant (RFC 7118 5.2)."""
Passage = Literal[Transport, Crossing]
"""What carries the calls of a case: one transport, or one to the device and another one from it."""
Family = Literal["ipv4", "ipv6"]

DEFAULT_PORTS: Final[Mapping[str, int]] = {"udp": 5060, "tcp": 5060, "tls": 5061, "ws": 80, "wss": 443}
"""The port that is meant where none is written, by transport (RFC 3261 18.2.1, RFC 7118 5.1)."""
FAMILY_NAMES: Final[Mapping[Family, str]] = {"ipv4": "IPv4", "ipv6": "IPv6"}
UNRELIABLE: Final[frozenset[Transport]] = frozenset({"udp"})
"""Those that may lose a message, so that SIP itself repeats it (RFC 3261 17)."""
SECURE: Final[frozenset[Transport]] = frozenset({"tls", "wss"})
"""Those with TLS."""
WEB: Final[frozenset[Transport]] = frozenset({"ws", "wss"})
"""Those with WebSockets (RFC 7118)."""
HOST_PORT: Final = r"(?:\[[^\]\s]*\]|[^:;,?<>\[\]\s]+)(?:\s*:\s*\d+)?"
"""A regular expression, without groups, for what :func:`split_host_port` takes apart."""
_HOST_PORT = re.compile(r"(?:\[(?P<v6>[^\]]*)\]|(?P<host>[^:\s]+))(?:\s*:\s*(?P<port>\d+))?")
_EXPECTED: Final[Mapping[Family | None, str]] = {
    "ipv4": "IPv4:port, as in 192.0.2.7:5060",
    "ipv6": "[IPv6]:port, as in [2001:db8::7]:5060",
    None: "IPv4:port or [IPv6]:port, as in 192.0.2.7:5060 or [2001:db8::7]:5060",
}


@dataclass(frozen=True)
class Carrier:
    """What carries the SIP of a drive: its transport, over one IP family."""

    transport: Transport = "udp"
    family: Family = "ipv4"
    called_over: Transport | None = None
    """The transport by which the device is called, if that is another one; ``transport`` is that of its own calls."""

    @property
    def label(self) -> str:
        """It in a word: ``udp``, ``tcp6``, ``wss-to-udp``."""
        return f"{self.passage}{'6' if self.family == 'ipv6' else ''}"

    @property
    def passage(self) -> Passage:
        """It without its family, as records name it."""
        return cast("Crossing", f"{self.called_over}-to-{self.transport}") if self.called_over else self.transport

    @property
    def inbound(self) -> Carrier:
        """What carries the calls to the device."""
        return Carrier(self.called_over or self.transport, self.family)

    @property
    def outbound(self) -> Carrier:
        """What carries the device's own calls."""
        return Carrier(self.transport, self.family)

    @property
    def sides(self) -> tuple[Carrier, ...]:
        """It, or both sides of a device that is called over another transport."""
        return (self.inbound, self.outbound) if self.called_over else (self,)

    @property
    def transports(self) -> frozenset[Transport]:
        """Its transport, or both."""
        return frozenset(one.transport for one in self.sides)

    @property
    def across(self) -> Carrier:
        """The same over the other IP family."""
        return replace(self, family="ipv4" if self.family == "ipv6" else "ipv6")

    @classmethod
    def of(cls, passage: Passage, family: Family = "ipv4") -> Carrier:
        """The carrier that records write as ``passage`` over ``family``."""
        called_over, crossing, transport = passage.partition("-to-")
        if not crossing:
            return cls(cast("Transport", passage), family)
        return cls(cast("Transport", transport), family, cast("Transport", called_over))

    @classmethod
    def every(cls) -> tuple[Carrier, ...]:
        """All that stay on one transport: those over IPv4 first."""
        pairs = itertools.product(get_args(Family), get_args(Transport))
        return tuple(cls(transport, family) for family, transport in pairs)

    @classmethod
    def named(cls, label: str) -> Carrier:
        """The carrier of that label; ValueError if there is none."""
        known = {one.label: one for one in cls.every()}
        crossing = itertools.starmap(cls.of, itertools.product(get_args(Crossing), get_args(Family)))
        found = {**known, **{one.label: one for one in crossing}}.get(label)
        if found is None:
            raise ValueError(f"expected one of {', '.join(known)}, or two as in wss-to-udp; got {label!r}")
        return found

    def __str__(self) -> str:
        called = f", called over {self.called_over.upper()}" if self.called_over else ""
        return f"{self.transport.upper()} over {FAMILY_NAMES[self.family]}{called}"


@cache
def transports_of(passages: tuple[Passage, ...]) -> tuple[Transport, ...]:
    """Every transport that is one side of ``passages``, in order."""
    return tuple(dict.fromkeys(side.transport for one in map(Carrier.of, passages) for side in one.sides))


UDP4: Final = Carrier()


@dataclass(frozen=True)
class Address:
    """An address of an endpoint: the host without brackets, the port, and what carries its SIP."""

    host: str
    port: int = 5060
    transport: Transport = "udp"

    def __str__(self) -> str:
        return f"{self.uri_host}:{self.port}"

    @property
    def carrier(self) -> Carrier:
        """Its transport and its family."""
        return Carrier(self.transport, self.family)

    @property
    def family(self) -> Family:
        """What its host is; a name that is no address counts as IPv4."""
        return "ipv6" if ":" in self.host else "ipv4"

    @property
    def uri_host(self) -> str:
        """Its host as URIs and SIP headers write it: an IPv6 address in brackets."""
        return f"[{self.host}]" if self.family == "ipv6" else self.host

    @property
    def reliable(self) -> bool:
        """Whether its transport delivers every message once, and in order."""
        return self.transport not in UNRELIABLE

    @property
    def secure(self) -> bool:
        """Whether its transport has TLS."""
        return self.transport in SECURE

    @property
    def uri_transport(self) -> str:
        """Its transport as the parameter of a URI names it: there is no ``wss`` (RFC 7118 5.2)."""
        return "ws" if self.transport == "wss" else self.transport

    @property
    def parameters(self) -> str:
        """The URI parameters that name its transport; none for UDP, which a numeric host means (RFC 3263 4.1)."""
        return "" if self.transport == "udp" else f";transport={self.uri_transport}"

    @property
    def in_uri(self) -> str:
        """It behind the ``@`` of a SIP URI: host, port and transport."""
        return f"{self}{self.parameters}"

    @property
    def sockaddr(self) -> tuple[str, int]:
        """What ``bind``, ``connect`` and ``sendto`` of a socket take."""
        return self.host, self.port

    @property
    def socket_family(self) -> socket.AddressFamily:
        """The family of a socket that can be bound to it."""
        return socket.AF_INET6 if self.family == "ipv6" else socket.AF_INET

    def open_socket(self) -> socket.socket:
        """A new socket that can be bound to it; OSError if this machine has none of its family."""
        kind = socket.SOCK_DGRAM if self.transport == "udp" else socket.SOCK_STREAM
        return socket.socket(self.socket_family, kind)

    @classmethod
    def of(cls, sockaddr: tuple[Any, ...], transport: Transport = "udp") -> Address:
        """The address that ``getsockname`` or ``recvfrom`` of a socket gave as ``sockaddr``."""
        host, port = sockaddr[:2]
        return cls(host, port, transport)

    @classmethod
    def parse(cls, text: str, transport: Transport = "udp", *, family: Family | None = None) -> Address:
        """``text`` as IPv4:port or [IPv6]:port; ValueError with what was expected.

        ``family``: the only one that is accepted.
        """
        expected = _EXPECTED[family]
        try:
            host, port = split_host_port(text)
            if re.search(r"\s", text):  # a header may have blanks around the colon, an address has none
                raise ValueError
        except ValueError:
            raise ValueError(f"expected {expected}; got {text!r}") from None
        if port is None:
            raise ValueError(f"expected {expected}; got {text!r}, which has no port")
        if not 0 < port < 65536:
            raise ValueError(f"expected {expected}; got {text!r}, and ports are 1 to 65535")
        bracketed = text.startswith("[")
        try:
            host = str((ipaddress.IPv6Address if bracketed else ipaddress.IPv4Address)(host))
        except ValueError:
            raise ValueError(f"expected {expected}; {host!r} is no {'IPv6' if bracketed else 'IPv4'} address") from None
        address = cls(host, port, transport)
        if family not in (None, address.family):
            raise ValueError(f"expected {expected}; got {text!r}, an {'IPv6' if bracketed else 'IPv4'} address")
        return address


def split_host_port(text: str) -> tuple[str, int | None]:
    """Host and port of ``text`` (RFC 3261's hostport), the host any name and without brackets; None: no port.

    ValueError if it is none.
    """
    found = _HOST_PORT.fullmatch(text) if re.fullmatch(HOST_PORT, text) else None
    if found is None:
        raise ValueError(f"expected host or host:port; got {text!r}")
    host = found["host"] if found["v6"] is None else found["v6"]
    return host, int(found["port"][:6]) if found["port"] else None


def family_of(host: str) -> Family | None:
    """The family of ``host``, in brackets or without; None for a name."""
    try:
        version = ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).version
    except ValueError:
        return None
    return "ipv6" if version == 6 else "ipv4"
