"""Reading SIPp's message log as it grows, and the datagrams that only its error log shows.

The log is text with byte counts.  A count is believed if a record ends where it says; where a NUL byte has cut the
printed text it does not, and then the next dashed line with a time begins the next record.  What is found depends
on the bytes alone, never on the pieces in which they come.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from harness.endpoints.sipp.scenario import HANG_UP

_DASHES = b"-" * 47
# SIPp 3.6.1: "2026-11-22 05:57:56.839498"; from 3.7.5 on: "2026-11-22T06:08:13.306508Z".
_TIME = rb"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d{6}Z?"
_HEAD = re.compile(
    _DASHES + rb" (" + _TIME + rb")\n([A-Za-z]+) message (received|sent) [\[(](\d+)(?:\] bytes ?| bytes\))\s?:\n\n"
)
_LONGEST_HEAD = 160
_NEXT = re.compile(rb"\n(?=" + _DASHES + rb" " + _TIME + rb"\n)")
_UNTIMED = _DASHES + b"\n"
_COPY = re.compile(_UNTIMED + rb"Unexpected [A-Za-z]+ message received:\n\n")
_NEWLINE = 0x0A
_DROPPED = HANG_UP.encode() + b" "


@dataclass(frozen=True)
class TracedMessage:
    """One message as SIPp read or sent it."""

    time: float
    """Seconds since the epoch; for a received message, when SIPp read it."""
    direction: Literal["received", "sent"]
    transport: str
    raw: str
    """Its bytes, decoded as latin-1."""


class TraceReader:
    """Reads one message log, piece by piece."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._last = b""

    def feed(self, data: bytes) -> list[TracedMessage]:
        """The messages that are complete with ``data``."""
        self._buffer += data
        return self._read(final=False)

    def finish(self) -> list[TracedMessage]:
        """The messages that only the end of the log completes.  Nothing can be fed after it."""
        return self._read(final=True)

    def _read(self, *, final: bool) -> list[TracedMessage]:
        messages: list[TracedMessage] = []
        while self._buffer:
            used, message = self._record(final=final)
            if not used:
                break
            del self._buffer[:used]
            if message:
                messages.append(message)
        return messages

    def _record(self, *, final: bool) -> tuple[int, TracedMessage | None]:
        """How many bytes the first record of the buffer has, and its message; 0 if more bytes are needed."""
        buffer = self._buffer
        if head := _HEAD.match(buffer):
            return self._message(head, final=final)
        if copy := _COPY.match(buffer):
            # SIPp logs an unexpected message a second time, without time and count.
            end = copy.end() + len(self._last)
            if len(buffer) <= end and not final:
                return 0, None
            if buffer[copy.end() : end] == self._last:
                return end + 1, None
        elif not final and len(buffer) < _LONGEST_HEAD and b"\n\n" not in buffer:
            return 0, None
        found = _NEXT.search(buffer, 1)
        if found:
            return found.end(), None
        return (len(buffer), None) if final else (0, None)

    def _message(self, head: re.Match[bytes], *, final: bool) -> tuple[int, TracedMessage | None]:
        buffer, start = self._buffer, head.end()
        end = start + int(head[4])
        if len(buffer) <= end and not final:
            return 0, None
        believed = len(buffer) > end and buffer[end] == _NEWLINE
        if believed and _NEXT.search(buffer, start, end + 1):
            # Either a body with a dashed line in it, or a cut message and its successor: what follows decides.
            following = bytes(buffer[end + 1 : end + 1 + len(_DASHES)])
            if not final and len(following) < len(_DASHES) and _DASHES.startswith(following):
                return 0, None
            believed = following in (b"", _DASHES)
        if believed:
            return end + 1, self._traced(head, bytes(buffer[start:end]))
        if found := _NEXT.search(buffer, start):
            return found.end(), self._traced(head, bytes(buffer[start : found.start()]))
        if not final:
            return 0, None
        return len(buffer), self._traced(head, bytes(buffer[start:]).removesuffix(b"\n"))

    def _traced(self, head: re.Match[bytes], text: bytes) -> TracedMessage | None:
        received = head[3] == b"received"
        if received:
            self._last = text
            if text.startswith(_DROPPED):
                return None
        time = datetime.fromisoformat(head[1].decode().removesuffix("Z")).replace(tzinfo=UTC).timestamp()
        direction: Literal["received", "sent"] = "received" if received else "sent"
        return TracedMessage(time, direction, head[2].decode().lower(), text.decode("latin-1"))


_ENTRY = re.compile(r"(?:\A|\n|(?<=.))\d{4}-\d\d-\d\d\t\d\d:\d\d:\d\d\.\d{6}\t\d+\.\d{6}: ")
_NO_SIP = re.compile(r'non SIP message discarded: "(.*)" \((\d+)\)\s*\Z', re.DOTALL)
_NO_CALL_ID = re.compile(r"\(1\) No valid Call-ID: header in reply '(.*)'\s*\Z", re.DOTALL)


def unreadable(error_log: str) -> tuple[str, ...]:
    """The datagrams that SIPp discarded before it logged them: no SIP, or without a Call-ID."""
    found = []
    for entry in _ENTRY.split(error_log):
        if match := _NO_SIP.match(entry):
            text, count = match[1], int(match[2])
            found.append(text if len(text) >= count else f"{text}… ({count} bytes, cut at a NUL)")
        elif match := _NO_CALL_ID.match(entry):
            found.append(match[1])
    return tuple(found)
