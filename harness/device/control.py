"""A device's TCP control port: one question at a time over one connection, in one of four framings.

=============  ================================================================
``line``       a line
``netstring``  ``LENGTH:MESSAGE,``
``ami``        headers, ended by an empty line (Asterisk Manager)
``esl``        the same with LF, and a body where there is a Content-Length (FreeSWITCH event socket)
=============  ================================================================
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Literal

from harness.errors import DeviceError
from harness.net.address import Address

MESSAGE_LIMIT: Final = 1 << 20
"""Bytes.  A longer message of the device is an error."""


LOOK_S: Final = 0.02
"""Between two tries to connect to a device that is starting."""

Framing = Literal["line", "netstring", "ami", "esl"]
Hello = Callable[["ControlPort"], Awaitable[None]]


class ControlPort:
    """A connection that is opened when it is first needed and stays open.

    ``hello`` is called after each opening; it logs in with :meth:`exchange`.
    """

    def __init__(self, device: str, address: str, framing: Framing, hello: Hello | None = None) -> None:
        self.address = address
        self._hello = hello
        self._device = device
        self._framing: Framing = framing
        self._lock = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    @contextlib.asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """No other request goes in between: for acts of several messages."""
        async with self._lock:
            yield

    async def connect(self, deadline: float) -> None:
        """Open the connection if it is not, in ``deadline`` seconds; OSError (TimeoutError is one)."""
        if self._streams is not None:
            return
        place = Address.parse(self.address, "tcp")
        async with asyncio.timeout(deadline):
            self._streams = await asyncio.open_connection(*place.sockaddr, limit=MESSAGE_LIMIT)
            try:
                if self._hello:
                    await self._hello(self)
            except BaseException:
                await self.close()
                raise

    async def answers(self, deadline: float) -> None:
        """Return when it can be connected to, tried again and again; TimeoutError after ``deadline`` seconds."""
        async with asyncio.timeout(deadline):
            while True:
                try:
                    return await self.connect(deadline)
                except OSError as error:
                    if isinstance(error, TimeoutError):
                        raise
                    await asyncio.sleep(LOOK_S)

    async def ask(self, message: str, reply: str | None, deadline: float) -> str:
        """Send ``message``; the first message that matches the regular expression ``reply``, or "" if none is wanted.

        Other messages (events) in between are ignored.  DeviceError without a reply in ``deadline`` seconds.
        """
        try:
            async with asyncio.timeout(deadline):
                await self.connect(deadline)
                return await self.exchange(message, reply)
        except TimeoutError:
            await self.close()
            raise DeviceError(
                f"{self._device} did not answer on its control port {self.address} in {deadline:g} s "
                f"(asked: {' '.join(message.split())[:120]})",
                "the device hangs, or stimulus.reply of its profile does not match what it answers",
            ) from None
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            await self.close()
            raise DeviceError(
                f"{self._device} could not be reached on its control port {self.address}: {error}",
                "the device ended or restarted, or stimulus.control or stimulus.framing of its profile is wrong",
            ) from error

    async def exchange(self, message: str | None, reply: str | None) -> str:
        """The same over the connection that there is, without a deadline; ``message`` None: only listen."""
        if self._streams is None:
            raise ConnectionError("it is not connected")
        reader, writer = self._streams
        if message is not None:
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
        if self._framing == "netstring":
            return b"%d:%b," % (len(payload), payload)
        return payload + {"line": b"\n", "ami": b"\r\n\r\n", "esl": b"\n\n"}[self._framing]

    async def _message(self, reader: asyncio.StreamReader) -> str:
        if self._framing == "line":
            payload = await reader.readline()
            if not payload:
                raise ConnectionError("it closed the connection")
        elif self._framing == "netstring":
            length = (await reader.readuntil(b":"))[:-1]
            if not length.isdigit() or int(length) > MESSAGE_LIMIT:
                raise ValueError(f"not a netstring: {length[:40]!r}")
            payload = (await reader.readexactly(int(length) + 1))[:-1]
        elif self._framing == "ami":
            payload = await reader.readuntil(b"\r\n\r\n")
        else:
            payload = await reader.readuntil(b"\n\n")
            if found := re.search(rb"^Content-Length: *(\d{1,9})\s*$", payload, re.MULTILINE | re.IGNORECASE):
                if int(found[1]) > MESSAGE_LIMIT:
                    raise ValueError(f"a message of {int(found[1])} bytes")
                payload += await reader.readexactly(int(found[1]))
        return payload.decode("utf-8", "replace").strip()
