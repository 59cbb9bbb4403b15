"""Where a message goes or comes from: host, port, transport.  The one place that reads and writes host:port."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """An address of an endpoint: IPv4 host, port and transport."""

    host: str
    port: int = 5060
    transport: str = "udp"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """``text`` as IPv4:port; ValueError with what was expected."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"expected IPv4:port, as in 192.0.2.7:5060; got {text!r}")
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        raise ValueError(f"expected IPv4:port, as in 192.0.2.7:5060; {host!r} is no IPv4 address") from None
    return Address(host, int(port))
