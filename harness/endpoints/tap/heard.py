"""Who hears what comes to a socket of a seat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.endpoints.tap.routes import Outlet
from harness.net.address import Address


@dataclass(frozen=True)
class Heard:
    """The listeners of a port.  Times are seconds since the epoch, by the clock of the run."""

    on_message: Callable[[bytes, Address, float, Outlet], None]
    """A message or a keepalive, its source, when it came, and the outlet at which it came."""
    on_refused: Callable[[Address], None] = lambda _to: None
    """The address of a closed port to which something was sent."""
    on_noise: Callable[[bytes, Address, float, int], None] = lambda _data, _source, _at, _size: None
    """What came on a stream and became no message: its beginning, its source, when, and how many bytes there were."""
