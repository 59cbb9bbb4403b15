"""Where one SIP message ends on a stream and the next begins: by Content-Length, or by WebSocket messages.

RFC 3261 18.3 and 20.14, RFC 7118 5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Protocol

from harness.model.connection import Connection
from harness.net.address import WEB
from harness.net.streams import LARGEST, TOO_LONG, Broken, Upgrade

PING: Final = b"\r\n\r\n"
"""A keepalive that asks for an answer (RFC 5626 3.5.1)."""
PONG: Final = b"\r\n"
"""The answer to it."""
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_LENGTH: Final = re.compile(rb"^(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_BLANK: Final = b"\r\n\0"


class Framing(Protocol):
    """Cuts what has come on one connection into messages, and puts messages on it."""

    @property
    def ready(self) -> bool:
        """Whether messages can be sent; where they cannot yet, :meth:`outgoing` is what makes it so."""

    @property
    def upgrade(self) -> Upgrade | None:
        """What was agreed about a WebSocket; None where there is none."""

    @property
    def over(self) -> bool:
        """Whether either side has said that it ends the connection."""

    @property
    def rest(self) -> bytes:
        """The bytes of what is no whole message."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that ``data`` completes, and each :data:`PING`; Broken if nothing more can be read."""

    def put(self, message: bytes) -> None:
        """Send one message."""

    def end(self) -> None:
        """Say that the connection will be ended."""

    def outgoing(self) -> bytes:
        """The bytes that have to be sent by now."""


def framing_of(facts: Connection, path: str = "/") -> Framing:
    """That of a connection which has just been begun.  ``path``: what a WebSocket server is asked for."""
    if facts.peer.transport not in WEB:
        return Framer()
    from harness.net.websocket import SipWebSocket  # only runs over WebSockets need the library

    return SipWebSocket.accepting() if facts.opened_by == "device" else SipWebSocket.calling(facts.peer, path)


class Framer:
    """A message ends where its Content-Length says."""

    ready = True
    upgrade = None
    over = False

    def __init__(self) -> None:
        self._sent = bytearray()
        self._buffer = bytearray()
        self._searched = 0
        """The end of a head is not before this place."""

    @property
    def rest(self) -> bytes:
        """The bytes of a message that is not complete."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that ``data`` completes, and each :data:`PING`; Broken if one will be too long."""
        self._buffer += data
        while self._buffer:
            if self._buffer.startswith(PING):
                del self._buffer[: len(PING)]
                yield PING
                continue
            if PING.startswith(self._buffer):
                return  # the rest of a ping may be still to come
            if self._buffer[0] in _BLANK:
                del self._buffer[0]
                continue
            end = self._end()
            if end is None:
                return
            message = bytes(self._buffer[:end])
            del self._buffer[:end]
            self._searched = 0
            yield message

    def put(self, message: bytes) -> None:
        """Send one message."""
        self._sent += message

    def end(self) -> None:
        """Nothing: a stream just ends."""

    def outgoing(self) -> bytes:
        """The messages that were put."""
        sent = bytes(self._sent)
        self._sent.clear()
        return sent

    def _end(self) -> int | None:
        """Where the first message ends; None while it is not complete."""
        head = _HEAD_END.search(self._buffer, self._searched)
        if head is None:
            self._searched = max(0, len(self._buffer) - 3)
            if len(self._buffer) > LARGEST:
                raise Broken(TOO_LONG)
            return None
        # Without a Content-Length the message has no body: nobody could know where it ends.
        length = _LENGTH.search(self._buffer, 0, head.end())
        end = head.end() + (int(length[1]) if length else 0)
        if end > LARGEST:
            raise Broken(TOO_LONG)
        self._searched = head.start()
        return end if end <= len(self._buffer) else None
