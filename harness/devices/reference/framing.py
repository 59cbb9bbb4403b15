"""Where a message ends on a connection: by Content-Length (RFC 3261 18.3), or by WebSocket messages (RFC 7118 5)."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from .sip_uri import Address

if TYPE_CHECKING:
    from websockets.client import ClientProtocol
    from websockets.server import ServerProtocol

_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,7})[ \t]*\r\n", re.IGNORECASE)
_END = b"\r\n\r\n"
LONGEST = 1 << 17
WEB = ("ws", "wss")


class Broken(Exception):
    """What has come on a connection is of no use, and nothing more can be."""


class Framing(Protocol):
    """One side of a connection: messages out of bytes, and bytes of messages."""

    ready: bool
    """Whether messages can be sent; until then only what :meth:`outgoing` has."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what is complete; raises :class:`Broken`."""

    def put(self, message: bytes) -> None:
        """Send a message."""

    def outgoing(self) -> bytes:
        """Return what has to be written now."""


def framing_of(peer: Address, subprotocols: Sequence[str], *, called: bool) -> Framing:
    """Return that of a connection with ``peer``, which was ``called`` or has called itself."""
    if peer.transport not in WEB:
        return ByLength()
    from websockets.client import ClientProtocol
    from websockets.server import ServerProtocol
    from websockets.typing import Subprotocol
    from websockets.uri import parse_uri

    wanted = [Subprotocol(one) for one in subprotocols] or None
    quiet = logging.getLogger("sipverdict.reference.websocket")
    quiet.disabled = True
    if not called:
        return ByWebSocket(ServerProtocol(subprotocols=wanted, max_size=LONGEST, logger=quiet), subprotocols)
    place = parse_uri(f"{peer.transport}://{peer}/")
    client = ClientProtocol(place, subprotocols=wanted, max_size=LONGEST, logger=quiet)
    client.send_request(client.connect())
    return ByWebSocket(client, subprotocols)


class ByLength:
    """A stream is cut by Content-Length."""

    ready = True

    def __init__(self) -> None:
        self._unread = b""
        self._unsent = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what is complete."""
        self._unread += data
        while self._unread:
            if self._unread.startswith(_END):
                # A keep-alive that asks for an answer (RFC 5626 section 3.5.1).
                self._unread = self._unread[len(_END) :]
                self._unsent += b"\r\n"
                continue
            if self._unread[:1] in (b"\r", b"\n"):
                if self._unread == b"\r\n":
                    return
                self._unread = self._unread[1:]
                continue
            head = self._unread.find(_END)
            if head < 0:
                break
            length = _LENGTH.search(self._unread, 0, head + 2)
            end = head + len(_END) + (int(length[1]) if length else 0)
            if end > len(self._unread):
                break
            message, self._unread = self._unread[:end], self._unread[end:]
            yield message
        if len(self._unread) > LONGEST:
            raise Broken(f"more than {LONGEST} bytes that are no message")

    def put(self, message: bytes) -> None:
        """Send a message."""
        self._unsent += message

    def outgoing(self) -> bytes:
        """Return the messages that were put."""
        unsent, self._unsent = self._unsent, b""
        return unsent


class ByWebSocket:
    """A WebSocket message is a SIP message, of which both sides have agreed by the subprotocol."""

    def __init__(self, protocol: ClientProtocol | ServerProtocol, subprotocols: Sequence[str]) -> None:
        self._protocol = protocol
        self._needed = tuple(subprotocols)
        self._parts = b""
        self.ready = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what is complete; a server answers the handshake, a client looks at the answer."""
        from websockets.frames import Frame, Opcode
        from websockets.http11 import Request
        from websockets.server import ServerProtocol

        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request) and isinstance(self._protocol, ServerProtocol):
                self._protocol.send_response(self._protocol.accept(event))
            if not isinstance(event, Frame):
                self._agreed()
            elif event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._parts += event.data
                if event.fin:
                    message, self._parts = self._parts, b""
                    yield message
        wrong = self._protocol.handshake_exc or self._protocol.parser_exc
        if wrong is not None:
            raise Broken(str(wrong))
        if self._protocol.close_rcvd is not None:
            raise Broken("closed by the other side")

    def put(self, message: bytes) -> None:
        """Send a message, as text if it is UTF-8 (RFC 7118 section 4.2)."""
        try:
            message.decode()
        except UnicodeDecodeError:
            self._protocol.send_binary(message)
        else:
            self._protocol.send_text(message)

    def outgoing(self) -> bytes:
        """Return what has to be written now."""
        return b"".join(self._protocol.data_to_send())

    def _agreed(self) -> None:
        if self._protocol.handshake_exc is not None:
            return
        if self._needed and self._protocol.subprotocol not in self._needed:
            raise Broken(f"the other side does not speak {' or '.join(self._needed)} (RFC 7118 4.1)")
        self.ready = True
