"""Signs of life: an OPTIONS to the device, answered with whatever status."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from dataclasses import replace
from typing import Final, Protocol, cast

from harness.net.address import Address

T1: Final = 0.5
T2: Final = 4.0
_STATUS_LINE = re.compile(rb"SIP/2\.0 \d{3}[^\r\n]*")
_BRANCH = re.compile(rb"branch\s*=\s*(z9hG4bK-ping-[0-9a-f]+)", re.IGNORECASE)


class Pings(Protocol):
    """Asks a device whether it is there."""

    async def ping(self, address: Address, deadline: float, t1: float = T1) -> str | None:
        """The status line of the first answer to an OPTIONS within ``deadline`` seconds, or None."""

    async def refused_by(self, address: Address, within: float) -> bool:
        """Whether the network says, within so many seconds, that nobody has the port ``address``."""


class Prober(asyncio.DatagramProtocol):
    """One UDP socket from which any number of OPTIONS are sent side by side.

    async with await Prober.open(Address("127.0.0.1", 0)) as prober:
        line = await prober.ping(Address("127.0.50.1"), 2.0)
    """

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: dict[bytes, asyncio.Future[str]] = {}

    @classmethod
    async def open(cls, own: Address) -> Prober:
        """Bind ``own`` (port 0: any); OSError if that is not possible."""
        loop = asyncio.get_running_loop()
        _, prober = await loop.create_datagram_endpoint(cls, local_addr=own.sockaddr, family=own.socket_family)
        return prober

    async def __aenter__(self) -> Prober:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket.  Pings under way end with None."""
        if self._transport:
            self._transport.close()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.cancel()

    async def refused_by(self, address: Address, within: float) -> bool:
        """Whether nobody has the UDP port ``address`` (:func:`refuses`)."""
        if self._transport is None or self._transport.is_closing():
            return False
        return await refuses(address, replace(Address.of(self._transport.get_extra_info("sockname")), port=0), within)

    async def ping(self, address: Address, deadline: float, t1: float = T1) -> str | None:
        """The status line of the first answer to an OPTIONS within ``deadline`` seconds, or None.

        Retransmitted at ``t1``, doubling up to T2 (RFC 3261 17.1.2.2).  A 404 or 501 is a sign of life as well.
        """
        if self._transport is None or self._transport.is_closing():
            return None
        own = Address.of(self._transport.get_extra_info("sockname"))
        token = secrets.token_hex(8)
        branch = f"z9hG4bK-ping-{token}"
        request = options_request(address, own, branch, token)
        waiting: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[branch.encode()] = waiting
        try:
            async with asyncio.timeout(deadline):
                interval = t1
                while True:
                    self._transport.sendto(request, address.sockaddr)
                    with contextlib.suppress(TimeoutError):
                        return await asyncio.wait_for(asyncio.shield(waiting), interval)
                    interval = min(2 * interval, T2)
        except TimeoutError:
            return None
        except asyncio.CancelledError:
            if waiting.cancelled():  # the prober was closed; else it is we who are being cancelled
                return None
            raise
        finally:
            del self._waiting[branch.encode()]
            waiting.cancel()

    # --- asyncio.DatagramProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Give an answer to the ping that waits for it; the topmost Via is what tells."""
        status, branch = _STATUS_LINE.match(data), _BRANCH.search(data)
        if status and branch and (waiting := self._waiting.get(branch[1])) and not waiting.done():
            waiting.set_result(status[0].decode("utf-8", "replace"))

    def error_received(self, exc: Exception) -> None:
        """An ICMP error: nobody is there yet; the next copy may find somebody."""


class _Refusal(asyncio.DatagramProtocol):
    """Notes that the kernel says of a port that nobody has it."""

    def __init__(self) -> None:
        self.came: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def error_received(self, exc: Exception) -> None:
        """An ICMP error for what was sent."""
        if isinstance(exc, ConnectionRefusedError) and not self.came.done():
            self.came.set_result(True)


async def refuses(address: Address, own: Address, within: float) -> bool:
    """Whether ICMP says that nobody has the UDP port ``address``; asked with a keepalive (RFC 5626 3.5.1) from ``own``.

    False as well where nothing says so: a firewall may swallow it.
    """
    loop = asyncio.get_running_loop()
    try:
        transport, protocol = await loop.create_datagram_endpoint(
            _Refusal, local_addr=own.sockaddr, remote_addr=address.sockaddr
        )
    except OSError:
        return False
    try:
        transport.sendto(b"\r\n\r\n")
        return bool(await asyncio.wait_for(protocol.came, within))
    except TimeoutError:
        return False
    finally:
        transport.close()


def source_towards(address: Address) -> Address:
    """The own address, with port 0, that the kernel would send from to reach ``address``; nothing is sent."""
    # Only a datagram socket can be connected without a word to the other side.
    with replace(address, transport="udp").open_socket() as probe:
        probe.connect(address.sockaddr)
        return replace(Address.of(probe.getsockname()), port=0)


def options_request(target: Address, own: Address, branch: str, token: str) -> bytes:
    """An OPTIONS to ``target`` from ``own``."""
    return (
        f"OPTIONS sip:{target.in_uri} SIP/2.0\r\n"
        f"Via: SIP/2.0/{own.transport.upper()} {own};branch={branch};rport\r\n"
        "Max-Forwards: 70\r\n"
        f"From: <sip:sipverdict@{own}>;tag={token[:8]}\r\n"
        f"To: <sip:{target}>\r\n"
        f"Call-ID: ping-{token}@{own.uri_host}\r\n"
        "CSeq: 1 OPTIONS\r\n"
        f"Contact: <sip:sipverdict@{own.in_uri}>\r\n"
        "Accept: application/sdp\r\n"
        "User-Agent: sipverdict\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()
