"""Routes the tester's messages: responses by RFC 3261 18.2.2 and RFC 3581, requests in a dialog by 12.2.1.1.

A request outside of a dialog goes to the other side of the call.

The tester's messages are made behind the tap.  Only the tap knows the source of the device's requests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from harness.net.address import DEFAULT_PORTS, WEB, Address, family_of
from harness.sip.message import SipMessage
from harness.sip.uri import SipUri

MOST: int = 5_000
"""The most transactions that a seat remembers.  In a flood only the last ones matter."""


_Kept = TypeVar("_Kept")


class Outlet(Protocol):
    """A sender to a device: a port of the seat's own, or a shared one."""

    address: Address

    @property
    def is_open(self) -> bool:
        """Whether something can be sent by it: a connection may be gone."""

    def towards(self, to: Address) -> Outlet:
        """Where what is for ``to`` leaves: a connection, which is opened if there is none; a datagram socket itself."""

    def once_open(self, do: Callable[[], None]) -> None:
        """Have ``do`` called when something can be sent by it, or never will be: now, if a connection is there."""

    def send(self, data: bytes, to: Address) -> float:
        """Send ``data``; return the time."""


@dataclass(frozen=True)
class Hop:
    """A way to the device: one of our sockets and one of its addresses."""

    outlet: Outlet
    to: Address


@dataclass(frozen=True)
class _Way:
    """A way that was seen, and another one for when its connection is gone (RFC 3261 18.2.2)."""

    hop: Hop
    later: Hop | None = None

    @property
    def now(self) -> Hop | None:
        return self.hop if self.hop.outlet.is_open else self.later


@dataclass
class Routes:
    """The ways to the device that one seat has seen."""

    own: Outlet
    """The seat's own socket."""
    otherwise: Callable[[Outlet], Hop | None]
    """The way of a request outside any call, given the seat's own socket; None if there is none."""
    fixed: bool = False
    """Whether every request goes that way, as for a caller that calls through the device."""
    symmetric: bool = False
    """Whether responses go to the source of the request, whatever its Via says: for a device behind a NAT."""
    _by_branch: dict[str, _Way] = field(default_factory=dict)
    _by_call: dict[str, _Way] = field(default_factory=dict)
    _invited: dict[str, None] = field(default_factory=dict)
    """The branches of INVITEs that the seat has sent: an ACK with one of them belongs to a refusal."""

    def came(self, message: SipMessage, outlet: Outlet, source: Address) -> None:
        """Remember the source of the device's ``message``, and our socket at which it arrived."""
        if message.method is None:
            return
        _remember(self._by_call, message.call_id, _Way(Hop(outlet, source)))
        if message.method != "ACK":
            _remember(self._by_branch, message.branch or "", self._way_back(message, outlet, source))

    def sends(self, message: SipMessage) -> None:
        """Remember that the seat sends ``message``."""
        if message.method == "INVITE" and message.branch:
            _remember(self._invited, message.branch, None)

    def hop(self, message: SipMessage) -> Hop | None:
        """The way of a message of the tester; None if the device has sent nothing and has no known address."""
        found = self._found(message)
        return Hop(found.outlet.towards(found.to), found.to) if found else None

    def _found(self, message: SipMessage) -> Hop | None:
        if message.status is not None and (way := self._by_branch.get(message.branch or "")) and way.now:
            return way.now
        way = None if message.method is not None and self.fixed else self._by_call.get(message.call_id)
        usual = (way.now if way else None) or self.otherwise(self.own)
        # A connection with the device is used as long as it is there, whatever the device calls itself.
        if usual is None or usual.to.reliable or self.symmetric:
            return usual
        named = self.named_by(message)
        # Another port of the device is a place where it said that it listens; another host may be anything at all.
        return usual if named is None or named.host != usual.to.host else replace(usual, to=named)

    def named_by(self, message: SipMessage) -> Address | None:
        """The next hop that a request in a dialog names (12.2.1.1): its first Route, or else its Request-URI.

        None for everything else, where a host name would have to be looked up, and for another transport than the
        seat's own: a device may have one Contact for all its calls, and the call came by this one.
        """
        if message.method in (None, "CANCEL") or not message.to_tag:
            return None
        if message.method == "ACK" and (message.branch or "") in self._invited:
            return None  # of a refusal: it goes where its INVITE went (17.1.1.3)
        uri = SipUri.parse(message.next_hop_uri)
        if uri is None:
            return None
        host = (uri.parameter("maddr") or uri.host).strip("[]")
        port = DEFAULT_PORTS[self.own.address.transport] if uri.port is None else uri.port
        if family_of(host) is None or not 0 < port < 65536 or not uri.reached_by(self.own.address.transport):
            return None
        return Address(host, port, self.own.address.transport)

    def knows(self, call_id: str) -> bool:
        """Whether a request of this call has arrived at this seat."""
        return call_id in self._by_call

    def _way_back(self, request: SipMessage, outlet: Outlet, source: Address) -> _Way:
        named = self._response_goes_to(request, source)
        if not source.reliable:
            return _Way(Hop(outlet, named))
        if source.transport in WEB:
            return _Way(Hop(outlet, source))  # a browser cannot be called, and its Via names nobody (RFC 7118 5)
        # The port of the Via listens; the one that the connection came from does not (18.2.2).
        via = request.vias[0] if request.vias else None
        port = via.port or DEFAULT_PORTS[source.transport] if via is not None and via.readable else named.port
        later = replace(named, port=port) if 0 < port < 65536 else named
        return _Way(Hop(outlet, source), Hop(self.own, later))

    def _response_goes_to(self, request: SipMessage, source: Address) -> Address:
        via = request.vias[0] if request.vias else None
        if self.symmetric or via is None or not via.readable:
            return source
        port = DEFAULT_PORTS[source.transport] if via.port is None else via.port
        if not 0 < port < 65536:
            return source
        maddr = (via.maddr or "").strip("[]")
        # No host names: every message would wait for the lookup.
        if family_of(maddr) is not None:
            return replace(source, host=maddr, port=port)
        return source if via.asks_for_rport else replace(source, port=port)


def _remember(known: dict[str, _Kept], key: str, kept: _Kept) -> None:
    known.pop(key, None)
    known[key] = kept
    if len(known) > MOST:
        del known[next(iter(known))]
