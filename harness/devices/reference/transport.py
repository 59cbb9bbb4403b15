"""Sockets. A transport carries bytes between addresses and says whether it is reliable; it knows no SIP."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from .sip_uri import Address

Receiver = Callable[[bytes, Address], None]
Undeliverable = Callable[[bytes], None]

_RECVERR = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}
"""Of linux/in.h and in6.h: ICMP errors are queued at the socket, with what was sent. Python has no names for them."""
_MOST_QUOTED = 2048


class Transport(Protocol):
    """What the transaction layer needs of UDP, TCP or TLS. A stream cuts its bytes into messages by itself."""

    @property
    def name(self) -> str:
        """The word in a Via header: ``UDP``, ``TCP``, ``TLS``."""

    @property
    def reliable(self) -> bool:
        """Whether retransmissions are someone else's business."""

    @property
    def local(self) -> Address:
        """The address of the device on this transport."""

    def send(self, data: bytes, destination: Address) -> None:
        """Send one message; raises :class:`OSError` where the network refuses it."""

    def watch_errors(self, hear: Undeliverable) -> None:
        """From now on tell the beginning of each message that the network gives back (RFC 3261 section 18.4)."""


class _Around:
    """What a transport shares with the one that it passes its messages to."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def name(self) -> str:
        """That of the transport."""
        return self._transport.name

    @property
    def reliable(self) -> bool:
        """That of the transport."""
        return self._transport.reliable

    @property
    def local(self) -> Address:
        """That of the transport."""
        return self._transport.local

    def watch_errors(self, hear: Undeliverable) -> None:
        """As the transport does."""
        self._transport.watch_errors(hear)


class ThroughProxy(_Around):
    """A transport all of whose requests go to one outbound proxy, whatever they name (RFC 3261 section 8.1.2).

    It may have another server, for when the first one fails.
    """

    def __init__(self, transport: Transport, proxy: Address, other: Address | None) -> None:
        super().__init__(transport)
        self._proxy, self._other = proxy, other

    def send(self, data: bytes, destination: Address) -> None:
        """Send a response where it belongs, and a request to the proxy, or to its other server if it is for that."""
        stays = data.startswith(b"SIP/2.0 ") or destination == self._other
        self._transport.send(data, destination if stays else self._proxy)


class Worded(_Around):
    """A transport whose messages are put into their last form by somebody else."""

    def __init__(self, transport: Transport, word: Callable[[bytes, Address], Iterable[tuple[bytes, Address]]]) -> None:
        super().__init__(transport)
        self._word = word

    def send(self, data: bytes, destination: Address) -> None:
        """Send what becomes of the message."""
        for datagram in self._word(data, destination):
            self._transport.send(*datagram)


class UdpTransport(asyncio.DatagramProtocol):
    """SIP over UDP: a datagram is a message."""

    name = "UDP"
    reliable = False

    def __init__(self, bound: socket.socket, receiver: Receiver) -> None:
        self._socket = bound
        self._receiver = receiver
        self._hear: Undeliverable | None = None
        host, port = bound.getsockname()[:2]
        self.local = Address(host, port)

    async def open(self) -> None:
        """Begin to receive."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, sock=self._socket)

    def send(self, data: bytes, destination: Address) -> None:
        """Send at once on the bare socket, because asyncio's would report a refusal to nobody who asked."""
        # A full send buffer is a lost datagram, and those are what timers A, E and G are for.
        with contextlib.suppress(BlockingIOError):
            try:
                self._socket.sendto(data, destination[:2])
            except OSError:
                if self._hear is None:
                    raise
                # Perhaps not of this datagram, but of an earlier one whose error had not been fetched.
                self._fetch_errors()
                self._socket.sendto(data, destination[:2])

    def watch_errors(self, hear: Undeliverable) -> None:
        """Ask the kernel for them."""
        level, option = _RECVERR[self._socket.family]
        self._socket.setsockopt(level, option, 1)
        self._hear = hear

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Pass a datagram on."""
        self._receiver(data, Address(addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        """Fetch what could not be delivered."""
        if self._hear is not None:
            self._fetch_errors()

    def _fetch_errors(self) -> None:
        """Empty the queue; what it holds is told in a turn of its own, because a transaction may just be sending."""
        assert self._hear is not None
        with contextlib.suppress(BlockingIOError):
            while True:
                quoted, *_ = self._socket.recvmsg(_MOST_QUOTED, 512, socket.MSG_ERRQUEUE)
                asyncio.get_running_loop().call_soon(self._hear, quoted)
