"""What the device tests have in common: a minimal profile, a UDP listener, a response."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from harness.device import Profile
from harness.plan import Address

MINIMAL = """
[device]
name = "toy"
roles = ["uac"]

[process]
argv = ["{python}", "{here}/toy.py", "{address}"]

[ready]
stdout = "READY"

[stimulus]
kind = "stdin"
call = "call {uri}"
"""

Write = Callable[..., Profile]


class Listener(asyncio.DatagramProtocol):
    """A UDP socket that keeps what arrives, and answers it if it is told how."""

    def __init__(self, answer: Callable[[bytes], bytes | None] | None = None) -> None:
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.put_nowait(data)
        if self._answer and (answer := self._answer(data)) and self._transport:
            self._transport.sendto(answer, addr)

    async def next(self, deadline: float = 5.0) -> str:
        return (await asyncio.wait_for(self.heard.get(), deadline)).decode()


@asynccontextmanager
async def listening(address: Address, answer: Callable[[bytes], bytes | None] | None = None) -> AsyncIterator[Listener]:
    loop = asyncio.get_running_loop()
    transport, listener = await loop.create_datagram_endpoint(
        lambda: Listener(answer), local_addr=(address.host, address.port), family=socket.AF_INET
    )
    try:
        yield listener
    finally:
        transport.close()


def response(request: bytes, status: str) -> bytes:
    """A response to ``request`` as any device would make it."""
    lines = request.decode().split("\r\n")
    kept = [line for line in lines if line.split(":")[0] in ("Via", "From", "Call-ID", "CSeq")]
    to = next(line for line in lines if line.startswith("To:"))
    return "\r\n".join([f"SIP/2.0 {status}", *kept, f"{to};tag=x", "Content-Length: 0", "", ""]).encode()
