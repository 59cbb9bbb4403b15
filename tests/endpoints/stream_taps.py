"""What the tests of taps over streams share: a tap, what it has told, and messages for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from sipp_peer import address

from harness.endpoints.tap.routes import Hop, Outlet
from harness.endpoints.tap.tap import Listener, Tap
from harness.model.connection import Connection
from harness.model.flow import Event, Unreadable
from harness.net.address import Address, Transport
from harness.net.authority import Authority

INVITE = (
    "INVITE sip:1@x SIP/2.0\r\nVia: SIP/2.0/TCP {via};branch=z9hG4bK{branch}\r\nCall-ID: c{branch}\r\n"
    "From: <sip:a@b>;tag=1\r\nTo: <sip:1@x>\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
)
RESPONSE = (
    "SIP/2.0 603 Decline\r\nVia: SIP/2.0/TCP {via};branch=z9hG4bK{branch}\r\nCall-ID: c{branch}\r\n"
    "From: <sip:a@b>;tag=1\r\nTo: <sip:1@x>;tag=2\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
)


def at(transport: Transport = "tcp") -> Address:
    return replace(address(), transport=transport)


class Seen:
    """What one tap has told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.noise: list[Unreadable] = []
        self.refused: list[Address] = []
        self._changed = asyncio.Event()

    def listener(self) -> Listener:
        return Listener(self._take, self._take_noise, on_refused=self._take_refused)

    async def until(self, count: int = 0, noise: int = 0, refused: int = 0) -> None:
        async with asyncio.timeout(10):
            while len(self.events) < count or len(self.noise) < noise or len(self.refused) < refused:
                self._changed.clear()
                await self._changed.wait()

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    def _take_noise(self, one: Unreadable) -> None:
        self.noise.append(one)
        self._changed.set()

    def _take_refused(self, to: Address) -> None:
        self.refused.append(to)
        self._changed.set()


@asynccontextmanager
async def tapped(
    device: Address | None = None, transport: Transport = "tcp", authority: Authority | None = None
) -> AsyncIterator[tuple[Tap, Seen]]:
    seen = Seen()

    def otherwise(outlet: Outlet) -> Hop | None:
        return Hop(outlet, device) if device else None

    tap = Tap("callee", at(transport), seen.listener(), otherwise=otherwise, security=authority)
    try:
        yield tap, seen
    finally:
        tap.close()


async def connected(tap: Tap, **more: object) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(*tap.port.address.sockaddr, **more)  # type: ignore[arg-type]


def connections(tap: Tap) -> tuple[Connection, ...]:
    return tap.port.connections
