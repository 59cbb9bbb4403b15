"""A device's TCP control port: lines or netstrings, one question at a time over one connection."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from typing import Final, Literal

from harness.device.models import parse_address
from harness.errors import DeviceError

MESSAGE_LIMIT: Final = 1 << 20
"""Bytes; a longer message of the device is no message."""


class ControlPort:
    """A connection that is opened when it is first needed and stays open."""

    def __init__(self, device: str, address: str, framing: Literal["line", "netstring"]) -> None:
        self.address = address
        self._device = device
        self._framing = framing
        self._lock = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    @contextlib.asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Nobody else asks in between: for acts of several messages."""
        async with self._lock:
            yield

    async def connect(self, deadline: float) -> None:
        """Open the connection if it is not, in ``deadline`` seconds; OSError (TimeoutError is one)."""
        if self._streams is None:
            place = parse_address(self.address)
            opening = asyncio.open_connection(place.host, place.port, limit=MESSAGE_LIMIT)
            self._streams = await asyncio.wait_for(opening, deadline)

    async def ask(self, message: str, reply: str | None, deadline: float) -> str:
        """Send ``message``; the first message that matches the regular expression ``reply``, or "" if none is wanted.

        Other messages (events) that come in between are passed over.  DeviceError if nothing comes in ``deadline`` s.
        """
        try:
            async with asyncio.timeout(deadline):
                await self.connect(deadline)
                assert self._streams
                reader, writer = self._streams
                writer.write(self._framed(message))
                await writer.drain()
                # A device that answers in two writes waits for our ACK in between (Nagle), which Linux delays by 40 ms:
                # baresip's ctrl_tcp does.  The option is over with the next packet that is sent (tcp(7)).
                if wire := writer.get_extra_info("socket"):
                    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
                while reply is not None:
                    text = await self._message(reader)
                    if re.search(reply, text):
                        return text
                return ""
        except TimeoutError:
            await self.close()
            raise DeviceError(
                f"{self._device} did not answer on its control port {self.address} in {deadline:g} s "
                f"(asked: {message[:120]})",
                "the device hangs, or stimulus.reply of its profile does not match what it answers",
            ) from None
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            await self.close()
            raise DeviceError(
                f"{self._device} could not be asked on its control port {self.address}: {error}",
                "the device ended or restarted, or stimulus.control or stimulus.framing of its profile is wrong",
            ) from error

    async def close(self) -> None:
        """Close the connection; the next question opens a new one."""
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 0.5)

    def _framed(self, message: str) -> bytes:
        payload = message.encode()
        return payload + b"\n" if self._framing == "line" else b"%d:%b," % (len(payload), payload)

    async def _message(self, reader: asyncio.StreamReader) -> str:
        if self._framing == "line":
            payload = await reader.readline()
            if not payload:
                raise ConnectionError("it closed the connection")
        else:
            length = (await reader.readuntil(b":"))[:-1]
            if not length.isdigit() or int(length) > MESSAGE_LIMIT:
                raise ValueError(f"not a netstring: {length[:40]!r}")
            payload = (await reader.readexactly(int(length) + 1))[:-1]
        return payload.decode("utf-8", "replace").strip()
