"""Where a message of the tester has to go: responses by RFC 3261 18.2.2 and RFC 3581, requests where the call is.

What the tester sends is made behind the tap, which alone knows from where the device's requests came.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from harness.net.address import DEFAULT_PORTS, Address
from harness.sip.message import SipMessage

MOST: int = 5_000
"""How many transactions a seat remembers: a flood makes them cheap to forget, and the last ones count."""


class Outlet(Protocol):
    """What can send to a device: a port of the seat's own, or one that it shares."""

    address: Address

    def send(self, data: bytes, to: Address) -> float:
        """Send ``data``; returns when that was."""


@dataclass(frozen=True)
class Hop:
    """One way to the device: from which of our sockets, to which of its addresses."""

    outlet: Outlet
    to: Address


@dataclass
class Routes:
    """The ways to the device that one seat has seen."""

    own: Outlet
    """The seat's own socket."""
    otherwise: Callable[[Outlet], Hop | None]
    """The way of a request that belongs to no call yet, given the seat's own socket; None if there is none."""
    fixed: bool = False
    """Whether every request goes that way: a caller's, which calls through the device."""
    symmetric: bool = False
    """Whether responses go where the request came from, whatever its Via says: for a device behind a NAT."""
    _by_branch: dict[str, Hop] = field(default_factory=dict)
    _by_call: dict[str, Hop] = field(default_factory=dict)

    def came(self, message: SipMessage, outlet: Outlet, source: Address) -> None:
        """Remember from where the device sent ``message``, and to which of our sockets."""
        if message.method is None:
            return
        _remember(self._by_call, message.call_id, Hop(outlet, source))
        if message.method != "ACK":
            _remember(self._by_branch, message.branch or "", Hop(outlet, self._response_goes_to(message, source)))

    def hop(self, message: SipMessage) -> Hop | None:
        """The way of a message of the tester; None if the device has never been heard and has no known address."""
        if message.status is not None and (hop := self._by_branch.get(message.branch or "")):
            return hop
        if message.method is not None and self.fixed:
            return self.otherwise(self.own)
        return self._by_call.get(message.call_id) or self.otherwise(self.own)

    def knows(self, call_id: str) -> bool:
        """Whether a request of this call has come to this seat."""
        return call_id in self._by_call

    def _response_goes_to(self, request: SipMessage, source: Address) -> Address:
        via = request.vias[0] if request.vias else None
        if self.symmetric or via is None or not via.readable or via.asks_for_rport:
            return source
        port = DEFAULT_PORTS[source.transport] if via.port is None else via.port
        return replace(source, host=via.maddr or source.host, port=port) if 0 < port < 65536 else source


def _remember(known: dict[str, Hop], key: str, hop: Hop) -> None:
    known.pop(key, None)
    known[key] = hop
    if len(known) > MOST:
        del known[next(iter(known))]
