"""The socket of a seat, whatever carries its messages."""

from __future__ import annotations

from typing import Protocol

from harness.endpoints.tap.heard import Heard
from harness.endpoints.tap.port import UdpPort
from harness.endpoints.tap.routes import Outlet
from harness.endpoints.tap.security import Security
from harness.endpoints.tap.stream import StreamPort
from harness.model.connection import Connection
from harness.net.address import Address


class Port(Outlet, Protocol):
    """Bound from its creation until :meth:`close`."""

    bound_at: float
    closed_at: float | None

    @property
    def drops(self) -> int:
        """How many messages this machine has dropped here."""

    @property
    def connections(self) -> tuple[Connection, ...]:
        """Every connection so far; UDP has none."""

    def drain(self) -> None:
        """Read what has arrived until now."""

    def close(self) -> None:
        """Read what has arrived, and free the address."""


def open_port(address: Address, heard: Heard, security: Security | None = None, path: str = "/") -> Port:
    """Bind ``address`` in the running loop.  PortTaken if another program has it, SetupError if it is unusable.

    ``security``: what TLS needs, for an address with it.  ``path``: what the device's WebSocket server is asked for.
    """
    if address.transport == "udp":
        port = UdpPort(address, lambda data, source, at: heard.on_message(data, source, at, port), heard.on_refused)
        return port
    return StreamPort(address, heard, security if address.secure else None, path)
