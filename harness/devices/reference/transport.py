"""Sockets. A transport carries bytes between addresses and says whether it is reliable; it knows no SIP."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Protocol

from .sip_uri import Address

Receiver = Callable[[bytes, Address], None]


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


class UdpTransport(asyncio.DatagramProtocol):
    """SIP over UDP: a datagram is a message."""

    name = "UDP"
    reliable = False

    def __init__(self, bound: socket.socket, receiver: Receiver) -> None:
        self._socket = bound
        self._receiver = receiver
        host, port = bound.getsockname()
        self.local: Address = (host, port)

    async def open(self) -> None:
        """Begin to receive."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, sock=self._socket)

    def send(self, data: bytes, destination: Address) -> None:
        """Send at once on the bare socket, because asyncio's would report a refusal to nobody who asked."""
        # A full send buffer is a lost datagram, and those are what timers A, E and G are for.
        with contextlib.suppress(BlockingIOError):
            self._socket.sendto(data, destination)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Pass a datagram on."""
        self._receiver(data, addr)
