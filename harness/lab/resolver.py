"""The resolver of the lab: a name server that knows the names of the drives, and nothing else.

It is authoritative for the domain of each drive (:class:`~harness.model.zone.Zone`) and refuses questions about other
names, so no question leaves the lab.  It answers over UDP and TCP, and keeps what it was asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import dnslib

from harness.endpoints.tap.port import UdpPort
from harness.errors import PlanError, SetupError
from harness.model.zone import CANNOT_LISTEN, Lookup, Zone
from harness.net.address import Address, Family
from harness.net.binding import ANY_OF_OURS, is_free
from harness.system import clock

MOST: Final = 200
"""How many questions are kept of one drive, and of those that belong to none; the first ones count."""
_PLAIN: Final = 512
"""Bytes of the longest answer over UDP (RFC 1035 4.2.1); whoever needs more asks over TCP."""
_IDLE_S: Final = 10.0
"""Seconds after which a TCP connection that asks nothing is closed."""
LEASE: Final = "{lease}"


def placed(where: str, lease: Callable[[], Address]) -> Address:
    """The address that ``lab.resolver`` of a profile means: ``{lease}``, ``{lease}:PORT`` or HOST:PORT."""
    if where == LEASE:
        return Address.of(lease().sockaddr)
    if where.startswith(LEASE):
        return Address(lease().host, int(where.removeprefix(f"{LEASE}:")))
    return Address.parse(where)


def why_not(where: str, family: Family = "ipv4") -> str:
    """Why nobody on this machine can answer at ``lab.resolver``; "" if somebody can."""
    if where == LEASE:
        return ""
    udp = placed(where, lambda: Address(ANY_OF_OURS[family]))
    for address in (udp, Address(udp.host, udp.port, "tcp")):
        shown = f"{address.transport.upper()} {f'port {address.port}' if where.startswith(LEASE) else address}"
        try:
            if not is_free(address):
                return f"{CANNOT_LISTEN}another program has {shown} (ss -lptun)"
        except OSError as error:
            return f"{CANNOT_LISTEN}{shown} cannot be bound ({error.strerror})"
    return ""


@dataclass
class _Served:
    """The names of one drive."""

    records: tuple[dnslib.RR, ...]
    unanswered: frozenset[str]
    hosts: frozenset[str]
    """What a question for the numeric hosts of its seats would name."""
    lookups: list[Lookup] = field(default_factory=list)


class Resolver:
    """Listens from :meth:`open` until :meth:`close`; belongs to the running event loop."""

    def __init__(self, address: Address) -> None:
        """See :meth:`open`."""
        self._port = UdpPort(address, self._came)
        self.address = self._port.address
        self._server: asyncio.Server | None = None
        self._conversations: set[asyncio.Task[None]] = set()
        self._served: dict[str, _Served] = {}

    @classmethod
    async def open(cls, address: Address) -> Resolver:
        """Listen at ``address``, over UDP and TCP; SetupError if that cannot be."""
        try:
            resolver = cls(address)
        except SetupError as error:
            raise SetupError(f"{CANNOT_LISTEN}{error.cause}", error.hint) from error
        try:
            resolver._server = await asyncio.start_server(resolver._talk, *resolver.address.sockaddr)
        except OSError as error:
            await resolver.close()
            raise SetupError(
                f"{CANNOT_LISTEN}TCP {address} cannot be bound ({error.strerror})",
                "ss -lptn shows who has it; lab.resolver of the profile may name another port",
            ) from error
        return resolver

    async def close(self) -> None:
        """Free the address."""
        self._port.close()
        if self._server is not None:
            self._server.close()
            for task in self._conversations:
                task.cancel()
            await asyncio.gather(*self._conversations, return_exceptions=True)
            await self._server.wait_closed()

    def serve(self, domain: str, zone: Zone, fill: Callable[[str], str], hosts: Iterable[str]) -> None:
        """From now on answer questions about ``domain`` with ``zone``, its placeholders filled in by ``fill``.

        ``hosts``: numeric hosts; questions about them belong to the same drive.  PlanError for a line that is no
        record.
        """
        records = tuple(record for line in zone.records for record in _records(fill(line)))
        unanswered = frozenset(_plain(fill(name)) for name in zone.unanswered)
        literals = frozenset(name for host in hosts for name in _names_of(host))
        self._served[domain] = _Served(records, unanswered, literals)

    def lookups(self, domain: str) -> tuple[Lookup, ...]:
        """What has been asked about ``domain`` and its hosts so far; () if it is not served."""
        served = self._served.get(domain)
        return tuple(served.lookups) if served else ()

    def _came(self, data: bytes, source: Address, at: float) -> None:
        if reply := self._reply(data, source, at):
            packed = reply.pack()
            self._port.send(packed if len(packed) <= _PLAIN else reply.truncate().pack(), source)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._conversations.add(task)
        source = Address.of(writer.get_extra_info("peername"), "tcp")
        try:
            with contextlib.suppress(TimeoutError, asyncio.IncompleteReadError, ConnectionError):
                while True:
                    async with asyncio.timeout(_IDLE_S):
                        data = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
                    if reply := self._reply(data, source, clock.now()):
                        packed = reply.pack()
                        writer.write(len(packed).to_bytes(2, "big") + packed)
        finally:
            writer.close()
            self._conversations.discard(task)

    def _reply(self, data: bytes, source: Address, at: float) -> dnslib.DNSRecord | None:
        """The answer to a question; None to one that is not answered, and to what is none."""
        try:
            asked = dnslib.DNSRecord.parse(data)
            name, kind = _plain(str(asked.q.qname)), str(dnslib.QTYPE[asked.q.qtype])
        except (dnslib.DNSError, ValueError, LookupError):
            return None
        if asked.header.qr or not asked.questions:
            return None
        reply = asked.reply(ra=1)
        served = next((one for domain, one in self._served.items() if _within(name, domain)), None)
        if served is None:
            served = next((one for one in self._served.values() if name in one.hosts), None)
            reply.header.aa, reply.header.rcode = 0, dnslib.RCODE.REFUSED
            said = "REFUSED"
        elif any(_within(name, one) for one in served.unanswered):
            said = "never answered"
        else:
            said = _fill_in(reply, served.records, name, kind)
        if served is not None and len(served.lookups) < MOST:
            served.lookups.append(Lookup(name, kind, said, at, source))
        return None if said == "never answered" else reply


def _fill_in(reply: dnslib.DNSRecord, records: Iterable[dnslib.RR], name: str, kind: str) -> str:
    """Put what ``records`` say of ``name`` into ``reply``; return it in words."""
    below = [record for record in records if _within(_plain(str(record.rname)), name)]
    found = [record for record in below if _plain(str(record.rname)) == name]
    wanted = [record for record in found if kind in ("ANY", dnslib.QTYPE[record.rtype])]
    reply.add_answer(*wanted)
    if wanted:
        return ", ".join(str(record.rdata) for record in wanted)
    if below:  # a name that has only names below it exists as well (RFC 8020)
        return "no such record"
    reply.header.rcode = dnslib.RCODE.NXDOMAIN
    return "NXDOMAIN"


def _records(line: str) -> list[dnslib.RR]:
    try:
        return list(dnslib.RR.fromZone(line))
    except Exception as error:  # dnslib lets through whatever breaks
        raise PlanError(f"{line!r} is no line of a zone file: {error}", "correct the zone of the plan") from error


def _names_of(host: str) -> tuple[str, str]:
    return host, ipaddress.ip_address(host).reverse_pointer


def _plain(name: str) -> str:
    return name.rstrip(".").lower()


def _within(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")
