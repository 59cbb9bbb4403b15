"""The servers of a URI whose host is a name (RFC 3263 section 4): NAPTR, SRV by priority and weight, A and AAAA."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from typing import Any

from dnslib import QTYPE, DNSError, DNSRecord

from .behaviour import Behaviour, Service
from .sip_uri import Address, SipUri, default_port, numeric

_SERVICES = {"udp": "_sip._udp", "tcp": "_sip._tcp"}
_NAPTR = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}
_PATIENCE_S = 1.5
_TIMES = 2


class _SilentError(Exception):
    """The name server does not answer."""


class Names:
    """Asks one name server."""

    def __init__(self, server: tuple[str, int], behaviour: Behaviour, hosts: Sequence[str]) -> None:
        """``hosts``: the addresses of this device itself, the usual one first."""
        self._server = server
        self._behaviour = behaviour
        self._kinds = tuple(dict.fromkeys("AAAA" if ":" in host else "A" for host in hosts))

    async def servers(self, uri: str) -> Sequence[Address]:
        """Return where a request for the URI may go, the best first; nothing where its name leads nowhere."""
        try:
            return await self._located(SipUri.parse(uri))
        except _SilentError:
            return []

    async def _located(self, sip: SipUri) -> list[Address]:
        host, asked = sip.parameter("maddr") or sip.host, sip.parameter("transport")
        secure = sip.scheme.lower() == "sips"
        able = [name for name in self._behaviour.transports if name == "tls" or not secure]
        if asked:
            able = [name for name in able if name == ("tls" if secure else asked)]
        if not able:
            return []
        if self._behaviour.asks_for_services(sip.port):
            for transport, name in await self._services(host, able, choose=not asked):
                found = [
                    Service(one.priority, one.weight, one.port, str(one.target)) for one in await self._ask(name, "SRV")
                ]
                if [one.target for one in found] == ["."]:
                    # There is no such service, says RFC 2782.
                    if self._behaviour.heeds_absent_service:
                        return []
                elif found:
                    chosen = self._behaviour.preferred(_in_order(found))
                    ports = [(one.target, self._behaviour.port_of(one)) for one in chosen]
                    return [place for name, port in ports for place in await self._hosts(host, name, port, transport)]
        usual = "udp" if "udp" in able and not asked else able[0]
        return await self._hosts(host, host, int(sip.port or default_port(usual)), usual)

    async def _services(self, host: str, able: Sequence[str], *, choose: bool) -> list[tuple[str, str]]:
        """Transports and the names of their SRV records: as NAPTR says, or else every one that the device has (4.1)."""
        rules = await self._ask(host, "NAPTR") if choose and self._behaviour.asks_for_rules else []
        rules = [rule for rule in rules if _NAPTR.get(_text(rule.service).upper()) in able]
        if rules:
            best = min(rules, key=lambda rule: (rule.order, rule.preference))
            return [(_NAPTR[_text(best.service).upper()], str(best.replacement))]
        services = {**_SERVICES, "tls": self._behaviour.service_of_tls}
        return [(name, f"{services[name]}.{host}") for name in able]

    async def _hosts(self, domain: str, name: str, port: int, transport: str) -> list[Address]:
        if numeric(name) and not self._behaviour.looks_up_addresses:
            return [Address(name, port, transport)]
        named = dict.fromkeys((domain, name.rstrip(".")) if self._behaviour.trusts_names_of_dns else (domain,))
        names = tuple(named) if transport == "tls" else ()
        return [Address(str(found), port, transport, names) for found in await self._addresses(name)]

    async def _addresses(self, name: str) -> list[Any]:
        """Return its addresses of each family that this device has, those of IPv6 first (RFC 7984, RFC 6724)."""
        kinds = sorted(self._behaviour.looks_up(self._kinds), key=len, reverse=True)
        answers = await asyncio.gather(*(self._ask(name, kind) for kind in kinds), return_exceptions=True)
        found = [answer for answer in answers if not isinstance(answer, BaseException)]
        if not found:
            raise _SilentError
        return [address for answer in found for address in answer]

    async def _ask(self, name: str, kind: str) -> list[Any]:
        """Return the data of the records of this kind."""
        question = DNSRecord.question(name, kind)
        for _ in range(_TIMES):
            with contextlib.suppress(OSError, TimeoutError, DNSError):
                async with asyncio.timeout(_PATIENCE_S):
                    answer = DNSRecord.parse(await self._exchange(question.pack()))
                if answer.header.id == question.header.id:
                    return [record.rdata for record in answer.rr if QTYPE[record.rtype] == kind]
        raise _SilentError

    async def _exchange(self, question: bytes) -> bytes:
        reply = _Reply()
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: reply, remote_addr=self._server
        )
        try:
            transport.sendto(question)
            return await reply.came
        finally:
            transport.close()


class _Reply(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.came: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        if not self.came.done():
            self.came.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.came.done():
            self.came.set_exception(exc)


def _in_order(services: Sequence[Service]) -> list[Service]:
    """Return them by priority, and those of one priority by chance as their weights say (RFC 2782)."""
    rest, ordered = list(services), []
    while rest:
        least = min(one.priority for one in rest)
        level = [one for one in rest if one.priority == least]
        chosen = random.choices(level, [one.weight or 0.001 for one in level])[0]
        rest.remove(chosen)
        ordered.append(chosen)
    return ordered


def _text(written: bytes | str) -> str:
    return written.decode("ascii", "replace") if isinstance(written, bytes) else written
