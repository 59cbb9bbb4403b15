"""What the device tests have in common: a minimal profile, a UDP listener, a response."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import cast

from harness.device import Device, Profile, load_profile
from harness.net.address import Address

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
Answer = Callable[[bytes], bytes | None]


class Listener(asyncio.DatagramProtocol):
    """A UDP socket that keeps what arrives, and answers it if it is told how."""

    def __init__(self, answer: Answer | None = None) -> None:
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
async def listening(address: Address, answer: Answer | None = None) -> AsyncIterator[Listener]:
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


def request(method: str, uri: str, caller: Address, to: str, *headers: str) -> bytes:
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP {caller};branch=z9hG4bK{method}",
        "Max-Forwards: 70",
        f"From: <sip:caller@{caller}>;tag=1",
        f"To: <{to}>",
        f"Call-ID: {method}@{caller}",
        f"CSeq: 1 {method}",
        *headers,
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def refusing(status: str) -> Answer:
    return lambda message: response(message, status) if message.startswith(b"INVITE") else None


@dataclass
class Scene:
    """A Kamailio, a caller, and the users that have registered as 7001."""

    device: Device
    caller: Listener
    own: Address
    users: list[Listener]

    def send(self, data: bytes) -> None:
        assert self.caller._transport
        self.caller._transport.sendto(data, (self.device.address.host, self.device.address.port))

    async def call(self, user: str) -> None:
        uri = f"sip:{user}@{self.device.address}"
        self.send(request("INVITE", uri, self.own, uri, f"Contact: <sip:caller@{self.own}>"))
        # Heard at once: 100, unless the device answers by itself.
        await self.told("100")

    async def told(self, status: str) -> str:
        """The response of this status, provisional ones before it skipped."""
        while not (message := await self.caller.next()).startswith(f"SIP/2.0 {status}"):
            assert message.startswith("SIP/2.0 1"), message
        return message


@asynccontextmanager
async def scene(name: str, lease: Callable[[], Address], *users: tuple[str, Answer]) -> AsyncIterator[Scene]:
    own = lease()
    async with AsyncExitStack() as stack:
        device = await stack.enter_async_context(Device(load_profile(name), address=lease()))
        caller = await stack.enter_async_context(listening(own))
        contacts, heard = [], []
        for parameters, answer in users:
            address = lease()
            contacts.append(f"Contact: <sip:user{len(contacts)}@{address}>{parameters}")
            heard.append(await stack.enter_async_context(listening(address, answer)))
        made = Scene(device, caller, own, heard)
        if contacts:
            made.send(request("REGISTER", f"sip:{device.address}", own, f"sip:7001@{device.address}", *contacts))
            assert (await made.caller.next()).count("<sip:user") == len(contacts)
        yield made


def play(script: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(script(), 30))
