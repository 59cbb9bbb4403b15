"""A TCP port that takes orders, one a line, as stdin does; each is answered ``ok`` or ``error: ...``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from .console import Orders
from .sip_uri import Address


def control_port(address: Address) -> Callable[[Orders], Awaitable[None]]:
    """Return what opens the port at an address."""

    async def listen(orders: Orders) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while line := await reader.readline():
                    wrong = orders.obey(line.decode(errors="replace"))
                    writer.write(f"error: {wrong}\n".encode() if wrong else b"ok\n")
                    await writer.drain()
            except (ConnectionError, ValueError):  # ValueError: a line without an end
                pass
            finally:
                writer.close()

        await asyncio.start_server(serve, *address[:2])

    return listen
