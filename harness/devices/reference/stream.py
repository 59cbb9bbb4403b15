"""SIP over TCP, TLS and WebSockets: connections that are kept and used again (RFC 3261 section 18, RFC 7118)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from typing import cast

from .certificates import Contexts
from .diagnostics import complain
from .framing import Broken, Framing, framing_of
from .sip_uri import Address
from .transport import Receiver, Undeliverable

_PATIENCE_S = 5.0


class StreamTransport:
    """One listening socket, and the connections with everybody: each is known by its other end."""

    reliable = True

    def __init__(
        self,
        bound: socket.socket,
        receiver: Receiver,
        local: Address,
        contexts: Contexts | None = None,
        subprotocols: Sequence[str] = (),
    ) -> None:
        """``contexts``: those of TLS, ``None`` without; ``subprotocols``: those of its WebSockets."""
        self.name = local.transport.upper()
        self.local = local
        self.subprotocols = subprotocols
        self.receiver = receiver
        self.hear: Undeliverable = lambda _data: None
        self._bound = bound
        self._contexts = contexts
        self._connections: dict[Address, _Connection] = {}
        self._calling: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Begin to accept."""
        loop = asyncio.get_running_loop()
        context = self._contexts.server if self._contexts else None
        await loop.create_server(lambda: _Connection(self), sock=self._bound, ssl=context)

    def send(self, data: bytes, destination: Address) -> None:
        """Send on the connection with the destination; open one if there is none (18.1.1)."""
        connection = self._connections.get(destination)
        if connection is None:
            connection = _Connection(self, destination)
            self._connections[destination] = connection
            task = asyncio.get_running_loop().create_task(self._call(connection, destination))
            self._calling.add(task)
            task.add_done_callback(self._calling.discard)
        connection.send(data)

    def watch_errors(self, hear: Undeliverable) -> None:
        """From now on tell each message that could not be sent: a stream never loses one unnoticed."""
        self.hear = hear

    def keep(self, connection: _Connection, peer: Address) -> None:
        """Remember a connection that somebody has opened."""
        self._connections[peer] = connection

    def drop(self, connection: _Connection) -> None:
        """Forget a connection that is over."""
        for peer in [peer for peer, known in self._connections.items() if known is connection]:
            del self._connections[peer]

    async def _call(self, connection: _Connection, destination: Address) -> None:
        context = self._contexts.client if self._contexts else None
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await loop.create_connection(
                    lambda: connection,
                    destination.host,
                    destination.port,
                    local_addr=(self.local.host, 0),
                    ssl=context,
                    server_hostname=(*destination.names, destination.host)[0] if context else None,
                )
        except (OSError, TimeoutError, ssl.SSLError) as error:
            self.fail(connection, destination, error)

    def fail(self, connection: _Connection, destination: Address, why: object) -> None:
        """Give a connection up that could not be established: what was to be sent on it comes back."""
        complain(f"no connection with {destination}: {why}")
        self.drop(connection)
        for data in connection.unsent():
            self.hear(data)

    def trusts(self, transport: asyncio.BaseTransport, peer: Address) -> bool:
        """Say whether the other end is whom this side has called, as far as TLS can tell (RFC 5922 section 7.3)."""
        agreed = transport.get_extra_info("ssl_object")
        return agreed is None or self._contexts is None or self._contexts.trusts(agreed, peer.names or (peer.host,))


class _Connection(asyncio.Protocol):
    """One connection: what comes is cut into messages."""

    def __init__(self, owner: StreamTransport, peer: Address | None = None) -> None:
        """``peer``: who is called; ``None`` where somebody has called."""
        self._owner = owner
        self._peer = peer
        self._framing: Framing | None = None
        self._transport: asyncio.Transport | None = None
        self._waiting: list[bytes] = []

    def send(self, data: bytes) -> None:
        """Send it now, or as soon as the connection is there."""
        self._waiting.append(data)
        self._write()

    def unsent(self) -> list[bytes]:
        """What has waited in vain."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send what has waited, or what has to come before that."""
        self._transport = cast(asyncio.Transport, transport)
        if self._peer is not None and not self._owner.trusts(transport, self._peer):
            self._owner.fail(self, self._peer, "its certificate names somebody else")
            self._transport.close()
            return
        called = self._peer is not None
        if self._peer is None:
            host, port = transport.get_extra_info("peername")[:2]
            self._peer = Address(host, port, self._owner.local.transport)
            self._owner.keep(self, self._peer)
        self._framing = framing_of(self._peer, self._owner.subprotocols, called=called)
        self._write()

    def data_received(self, data: bytes) -> None:
        """Pass on what is complete."""
        assert self._peer is not None
        assert self._transport is not None
        assert self._framing is not None
        try:
            for message in self._framing.feed(data):
                self._owner.receiver(message, self._peer)
        except Broken as error:
            complain(f"the connection with {self._peer} is over: {error}")
            self._transport.write(self._framing.outgoing())
            self._transport.close()
            return
        self._write()

    def connection_lost(self, exc: Exception | None) -> None:
        """Open another one for the next message."""
        self._owner.drop(self)
        for data in self.unsent():
            self._owner.hear(data)

    def _write(self) -> None:
        if self._transport is None or self._framing is None:
            return
        if self._framing.ready:
            for data in self.unsent():
                self._framing.put(data)
        self._transport.write(self._framing.outgoing())
