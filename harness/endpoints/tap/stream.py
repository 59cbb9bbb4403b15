"""A listening socket of a seat, and every connection between it and the device: TCP, and TLS or WebSockets on top.

A message for an address with which there is a connection goes out on that; else a new one is opened (RFC 3261 18.1.1).
Connections are never shared between seats: a device that sends a call for a new target on the connection of the old one
is seen to do so.  Over WebSockets a device that has called is reached by its own connections alone: its port listens to
nobody (RFC 7118 5).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator
from typing import Final

from harness.endpoints.tap.connection import HANDSHAKE_S, StreamConnection
from harness.endpoints.tap.heard import Heard
from harness.endpoints.tap.port import PortTaken
from harness.endpoints.tap.security import Security
from harness.errors import SetupError
from harness.model.connection import Connection, Side
from harness.net.address import WEB, Address
from harness.system import clock

AT_ONCE: Final = 64
"""The most connections accepted in one turn, so that a flood does not stop the loop."""
MOST_OPEN: Final = 100
"""The most connections that a device may have with one seat at one time; a further one is closed at once."""
MOST_KEPT: Final = 200
"""The most connections of which a seat remembers what became of them."""
_BACKLOG: Final = 128


class StreamPort:
    """Listening from its creation until :meth:`close`; belongs to the running event loop."""

    is_open = True
    drops = 0
    """The kernel drops nothing of a stream."""

    def __init__(self, address: Address, heard: Heard, security: Security | None = None, path: str = "/") -> None:
        """Listen at ``address`` (port 0: any).  PortTaken if another program does, SetupError if it is unusable.

        ``security``: what TLS needs; None for what is not on top of it.  ``path``: that of the device's WebSocket.
        """
        self._heard = heard
        self._security = security
        self._path = path
        self._listening = address.open_socket()
        # A connection that lingers after its end (TIME_WAIT) keeps nobody from listening.
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._listening.bind(address.sockaddr)
            self._listening.listen(_BACKLOG)
        except OSError as error:
            self._listening.close()
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(
                    f"{address} ({address.transport}) is taken by another program", "ss -ltnp shows which"
                ) from error
            raise SetupError(
                f"{address} cannot be bound: {error.strerror or error}", "it must be an address of this machine"
            ) from error
        self._listening.setblocking(False)
        self.address = Address.of(self._listening.getsockname(), address.transport)
        self.bound_at = clock.now()
        self.closed_at: float | None = None
        self._by_peer: dict[Address, StreamConnection] = {}
        self._all: list[StreamConnection] = []
        self._callers: dict[Address, None] = {}
        """Where the device has called from, over WebSockets: nobody listens there."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._server_context: ssl.SSLContext | None = None
        self._client_context: ssl.SSLContext | None = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._listening, self._accept)

    @property
    def connections(self) -> tuple[Connection, ...]:
        """Every connection so far, in the order in which they were begun."""
        return tuple(one.facts for one in self._all)

    def towards(self, to: Address) -> StreamConnection:
        """The connection with ``to``; a new one if there is none."""
        known = self._by_peer.get(to)
        return known if known is not None and known.is_open else self._open(to)

    def once_open(self, do: Callable[[], None]) -> None:
        """At once: it listens."""
        do()

    def send(self, data: bytes, to: Address) -> float:
        """Send one message; return the time.  A port that refuses the connection loses it."""
        return self.towards(to).send(data, to)

    def drain(self) -> None:
        """Nothing: what has arrived is read in the turn of the loop in which it arrives."""

    def close(self) -> None:
        """End every connection, and free the address."""
        if self.closed_at is not None:
            return
        self._accept()
        self.closed_at = clock.now()
        self._loop.remove_reader(self._listening)
        self._listening.close()
        for task in self._tasks:
            task.cancel()
        for one in tuple(self._by_peer.values()):
            one.close()

    # --- connections

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                accepted, source = self._listening.accept()
            except OSError:
                return
            accepted.setblocking(False)
            local = Address.of(accepted.getsockname(), self.address.transport)
            one = self._begin(local, Address.of(source, self.address.transport), "device")
            if self.address.transport in WEB:
                self._callers[one.peer] = None
                if len(self._callers) > MOST_KEPT:
                    del self._callers[next(iter(self._callers))]
            if len(self._by_peer) > MOST_OPEN:
                one.fail(ConnectionError(f"more than {MOST_OPEN} connections at one time"))
                accepted.close()
                continue
            self._do(self._serve(accepted, one), one)

    def _open(self, to: Address) -> StreamConnection:
        if to in self._callers:
            one = self._begin(self.address, to, "suite")
            one.fail(ConnectionError(f"the device has ended its connection from {to}, and cannot be called there"))
            return one
        calling = to.open_socket()
        calling.setblocking(False)
        try:
            # Bound at once, so that the record can say from where the first message went.
            calling.bind((self.address.host, 0))
        except OSError as error:
            calling.close()
            one = self._begin(self.address, to, "suite")
            one.fail(error)
            return one
        one = self._begin(Address.of(calling.getsockname(), self.address.transport), to, "suite")
        self._do(self._call(calling, one), one)
        return one

    def _begin(self, local: Address, peer: Address, by: Side) -> StreamConnection:
        one = StreamConnection(Connection(local, peer, by, clock.now()), self._heard, self._forget, self._path)
        self._by_peer[peer] = one
        if len(self._all) < MOST_KEPT:
            self._all.append(one)
        return one

    def _forget(self, one: StreamConnection) -> None:
        if self._by_peer.get(one.peer) is one:
            del self._by_peer[one.peer]

    def _do(self, work: Coroutine[None, None, None], one: StreamConnection) -> None:
        task = self._loop.create_task(_until_done(work, one))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, accepted: socket.socket, one: StreamConnection) -> None:
        with _closed_on_error(accepted):
            _at_once(accepted)
            context = self._context_of_server()
            if context and await _begins_in_clear(accepted):
                self._is_in_clear(one)
                context = None
            limit = HANDSHAKE_S if context else None
            await self._loop.connect_accepted_socket(lambda: one, accepted, ssl=context, ssl_handshake_timeout=limit)

    def _is_in_clear(self, one: StreamConnection) -> None:
        """Take ``one`` for what it is: what comes there is evidence of what goes over the network in clear."""
        self._forget(one)
        one.is_in_clear()
        self._by_peer[one.peer] = one

    async def _call(self, calling: socket.socket, one: StreamConnection) -> None:
        with _closed_on_error(calling):
            async with asyncio.timeout(HANDSHAKE_S):
                await self._loop.sock_connect(calling, one.peer.sockaddr)
            _at_once(calling)
            context = self._context_of_client()
            name = one.peer.host if context else None
            await self._loop.create_connection(lambda: one, sock=calling, ssl=context, server_hostname=name)

    def _context_of_server(self) -> ssl.SSLContext | None:
        if self._security is not None and self._server_context is None:
            self._server_context = self._security.server_context(self.address.host)
        return self._server_context

    def _context_of_client(self) -> ssl.SSLContext | None:
        if self._security is not None and self._client_context is None:
            self._client_context = self._security.client_context(self.address.host)
        return self._client_context


async def _until_done(work: Coroutine[None, None, None], one: StreamConnection) -> None:
    """Establish ``one``; whatever a device does meanwhile becomes a fact of it."""
    try:
        await work
    except (TimeoutError, OSError, ssl.SSLError) as error:
        one.fail(error)


async def _begins_in_clear(accepted: socket.socket) -> bool:
    """Whether the first byte of a connection for TLS is a letter: a handshake begins with another (RFC 8446 5.1)."""
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(accepted, readable.set)
    try:
        async with asyncio.timeout(HANDSHAKE_S):
            await readable.wait()
    finally:
        loop.remove_reader(accepted)
    return accepted.recv(1, socket.MSG_PEEK).isalpha()


@contextlib.contextmanager
def _closed_on_error(one: socket.socket) -> Iterator[None]:
    try:
        yield
    except BaseException:
        one.close()
        raise


def _at_once(one: socket.socket) -> None:
    """Send small messages without waiting for others (Nagle)."""
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
