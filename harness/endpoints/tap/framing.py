"""Cuts the bytes of a stream into SIP messages, by Content-Length (RFC 3261 18.3, 20.14)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

PING: Final = b"\r\n\r\n"
"""A keepalive that asks for an answer (RFC 5626 3.5.1)."""
PONG: Final = b"\r\n"
"""The answer to it."""
LARGEST: Final = 1 << 18
"""The most bytes of one message.  What is longer is not read: a device must not fill this machine's memory."""
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_LENGTH: Final = re.compile(rb"^(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_BLANK: Final = b"\r\n\0"


class TooLong(Exception):
    """A message is longer than :data:`LARGEST`."""


class Framer:
    """What has come on one connection, in order."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        """The end of a head is not before this place."""

    @property
    def rest(self) -> bytes:
        """The bytes of a message that is not complete."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that ``data`` completes, and each :data:`PING`; TooLong if one will be too long."""
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

    def _end(self) -> int | None:
        """Where the first message ends; None while it is not complete."""
        head = _HEAD_END.search(self._buffer, self._searched)
        if head is None:
            self._searched = max(0, len(self._buffer) - 3)
            if len(self._buffer) > LARGEST:
                raise TooLong
            return None
        # Without a Content-Length the message has no body: nobody could know where it ends.
        length = _LENGTH.search(self._buffer, 0, head.end())
        end = head.end() + (int(length[1]) if length else 0)
        if end > LARGEST:
            raise TooLong
        self._searched = head.start()
        return end if end <= len(self._buffer) else None
