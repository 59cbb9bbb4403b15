"""Faults in finding the server of a name, and in leaving it for the next one (RFC 3263 section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from ..behaviour import Behaviour, Service
from ..sip_uri import DEFAULT_PORT, Address
from ..wire import Final, InboundResponse, OutboundRequest


class ReversesSrvPriorities(Behaviour):
    """Wrong by RFC 2782: the lowest priority comes first."""

    def preferred(self, services: Sequence[Service]) -> Sequence[Service]:
        """Begin with the highest."""
        return sorted(services, key=lambda service: -service.priority)


class IgnoresSrvPort(Behaviour):
    """Wrong by RFC 2782: the port is the record's."""

    def port_of(self, service: Service) -> int:
        """Call the usual port."""
        return DEFAULT_PORT


class IgnoresSrv(Behaviour):
    """Wrong by RFC 3263 section 4.2: without a port the SRV records come first."""

    def asks_for_services(self, port: str | None) -> bool:
        """Know A records only."""
        return False


class AsksSrvDespitePort(Behaviour):
    """Wrong by RFC 3263 section 4.2: a port says where the server is."""

    def asks_for_services(self, port: str | None) -> bool:
        """Let the SRV records say it."""
        return True


class CallsClosedDomain(Behaviour):
    """Wrong by RFC 2782: a record says that there is no service."""

    heeds_absent_service = False


class NextServerAfter603(Behaviour):
    """Wrong by RFC 3263 section 4.3: a 603 is an answer."""

    def tries_next_server(self, final: Final) -> bool:
        """Take it for a server that fails."""
        return final.code == 603 or super().tries_next_server(final)


class StaysWithDeadServer(Behaviour):
    """Wrong by RFC 3263 section 4.3."""

    def tries_next_server(self, final: Final) -> bool:
        """Know one server only."""
        return False


class IgnoresNaptr(Behaviour):
    """Against RFC 3263 section 4.1: NAPTR says which transport the domain prefers."""

    asks_for_rules = False


class LooksUpSipsAsSip(Behaviour):
    """Wrong by RFC 3263 section 4.1: sips: has services of its own."""

    asks_for_rules = False
    service_of_tls = "_sip._tcp"


class UnknownNameToOldServer(Behaviour):
    """Wrong by RFC 3263 section 4: a name that leads nowhere ends the attempt."""

    def server_of_nowhere(self, previous: Address) -> Address | None:
        """Leave it to the server that has sent the redirection."""
        return previous


class ResolvesOneFamily(Behaviour):
    """Against RFC 7984: a client of both families asks for A and AAAA."""

    def looks_up(self, kinds: Sequence[str]) -> Sequence[str]:
        """Ask for what the usual socket can call."""
        return kinds[:1]


class LooksUpAddresses(Behaviour):
    """Needless by RFC 3263 section 4.2."""

    looks_up_addresses = True


class LeavesItsServer(Behaviour):
    """Wrong by RFC 3263 section 4: the ACK of a refusal and the CANCEL go where their INVITE went."""

    def __init__(self) -> None:
        super().__init__()
        self.instead: dict[Address, Address] = {}
        """Where they go, by where they should."""

    def acknowledge(
        self, ack: OutboundRequest, invite: OutboundRequest, response: InboundResponse
    ) -> OutboundRequest | None:
        """Send it elsewhere."""
        right = super().acknowledge(ack, invite, response)
        return right and self._moved(right)

    def cancel(self, cancel: OutboundRequest) -> OutboundRequest:
        """Send it elsewhere."""
        return self._moved(super().cancel(cancel))

    def _moved(self, request: OutboundRequest) -> OutboundRequest:
        return replace(request, destination=self.instead.get(request.destination, request.destination))


class LooksUpAgain(LeavesItsServer):
    """Wrong: by then it is the turn of the next server."""

    def located(self, servers: Sequence[Address]) -> Sequence[Address]:
        """Remember which server comes after which."""
        self.instead.update(pairwise(servers))
        return super().located(servers)


class ReturnsToFirstServer(LeavesItsServer):
    """Wrong: the first server has failed."""

    def located(self, servers: Sequence[Address]) -> Sequence[Address]:
        """Remember which server was the first."""
        self.instead.update(dict.fromkeys(servers[1:], servers[0]) if servers else {})
        return super().located(servers)
