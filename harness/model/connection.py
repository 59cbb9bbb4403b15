"""One connection of a stream transport, as a seat's own socket saw it: who opened and ended it, what was agreed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.net.address import Address
from harness.net.streams import Upgrade

Side = Literal["device", "suite"]


@dataclass(frozen=True)
class Handshake:
    """What a TLS handshake came to."""

    version: str
    """As OpenSSL writes it: ``TLSv1.3``."""
    cipher: str
    server_name: str = ""
    """The name that the device asked for (SNI, RFC 6066 3); "" for none, as for an address."""
    peer_subject: str = ""
    """The subject of the device's certificate; "" if it showed none."""


@dataclass(frozen=True)
class Connection:
    """One connection between a seat and the device.  Times are seconds since the epoch, by the clock of the run."""

    local: Address
    """The address of the seat on it: of its listening socket, or of one of its own that it called from."""
    peer: Address
    opened_by: Side
    opened_at: float
    established_at: float | None = None
    """When messages could be sent on it; None if it never came to that."""
    closed_at: float | None = None
    closed_by: Side | None = None
    """Who ended it first; None while it is open."""
    handshake: Handshake | None = None
    """What TLS agreed; None over other transports."""
    upgrade: Upgrade | None = None
    """What was agreed about its WebSocket; None over other transports."""
    trouble: str = ""
    """What went wrong on it: refused, reset, a handshake that failed, bytes that were no message."""
