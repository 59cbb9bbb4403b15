"""Signs of life over a connection: an OPTIONS on one of its own, which ends with the answer."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import ssl
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Final

from harness.net.address import WEB, Address
from harness.net.probe import T1, options_request
from harness.net.streams import Broken, what_failed

if TYPE_CHECKING:
    from harness.net.websocket import SipWebSocket

_STATUS: Final = re.compile(rb"SIP/2\.0 (?!1)\d{3}[^\r\n]*")


def remedy_of(trouble: str) -> str:
    """What to do about the ``trouble`` of a question that went over a connection; "" where nobody knows."""
    if trouble.startswith("TLS handshake"):
        return (
            "if the device checks certificates, or wants one of the other side: [lab.tls] names an authority that both "
            "know (docs/transports.md); is it a port of its TLS?"
        )
    if trouble.startswith("WebSocket handshake"):
        return "is lab.websocket_path what its server wants, and the port the one of its WebSockets?"
    return ""


class StreamProber:
    """Opens a connection for each question, so that it also shows whether the device still accepts any."""

    def __init__(
        self,
        own: str,
        context: Callable[[], ssl.SSLContext] | None = None,
        path: str = "/",
        on_trouble: Callable[[str], object] = lambda _why: None,
    ) -> None:
        """``own``: the host from which it calls.  ``context``: that of TLS; None without.  ``path``: of a WebSocket.

        ``on_trouble`` hears why a question got no answer.
        """
        self._path = path
        self._on_trouble = on_trouble
        self._own = own
        self._context = context
        self._connecting = False

    async def ping(self, address: Address, deadline: float, t1: float = T1) -> str | None:
        """The status line of the answer to an OPTIONS within ``deadline`` seconds, or None.

        A connection that is refused is tried again after ``t1``: the device may just be starting.
        """
        try:
            async with asyncio.timeout(deadline):
                while True:
                    self._connecting = True
                    try:
                        if answer := await self._asked(address):
                            return answer
                        self._on_trouble("it ended the connection without an answer")
                    except OSError as error:
                        # Over TLS 1.3 a client hears what the server thinks of its certificate when it reads.
                        of_tls = "TLS handshake: " if isinstance(error, ssl.SSLError) else ""
                        self._on_trouble(f"{of_tls}{what_failed(error)}")
                    except Broken as broken:
                        self._on_trouble(str(broken))
                    await asyncio.sleep(t1)
        except TimeoutError as error:
            if self._connecting:
                of_tls = "TLS handshake: " if self._context else ""
                self._on_trouble(f"{of_tls}{what_failed(error)}")
        return None

    async def refused_by(self, address: Address, within: float) -> bool:
        """Whether nobody listens at ``address``."""
        try:
            async with asyncio.timeout(within), self._connected(address, secure=False):
                return False
        except ConnectionRefusedError:
            return True
        except (OSError, TimeoutError):
            return False

    async def _asked(self, address: Address) -> str | None:
        async with self._connected(address, secure=True) as (reader, writer):
            self._connecting = False
            own = Address.of(writer.get_extra_info("sockname"), address.transport)
            token = secrets.token_hex(8)
            request = options_request(address, own, f"z9hG4bK-ping-{token}", token)
            if address.transport in WEB:
                from harness.net.websocket import SipWebSocket  # only runs over WebSockets need the library

                return await _asked_by_websocket(SipWebSocket.calling(address, self._path), request, reader, writer)
            writer.write(request)
            while line := await reader.readline():
                if status := _STATUS.match(line):
                    return status[0].decode("utf-8", "replace")
        return None

    @contextlib.asynccontextmanager
    async def _connected(
        self, address: Address, *, secure: bool
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        context = self._context() if secure and self._context else None
        reader, writer = await asyncio.open_connection(
            *address.sockaddr,
            local_addr=(self._own, 0),
            ssl=context,
            server_hostname=address.host if context else None,
        )
        try:
            yield reader, writer
        finally:
            # Nobody waits for the other side: a device that hangs must not hold up the run.
            writer.transport.abort()


async def _asked_by_websocket(
    websocket: SipWebSocket, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> str | None:
    """The status line of the answer to ``request``; None if it never comes.  Broken if it is no WebSocket."""
    writer.write(websocket.outgoing())
    asked = False
    while data := await reader.read(1 << 16):
        for message in websocket.feed(data):
            if status := _STATUS.match(message):
                return status[0].decode("utf-8", "replace")
        if websocket.ready and not asked:
            websocket.put(request)
            asked = True
        writer.write(websocket.outgoing())
    return None
