"""A sign of life by whatever carries it."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from harness.net.address import Address
from harness.net.probe import T1, Pings, Prober, source_towards
from harness.net.stream_probe import StreamProber


@contextlib.asynccontextmanager
async def prober_at(
    own: Address,
    context: Callable[[], ssl.SSLContext] | None = None,
    path: str = "/",
    on_trouble: Callable[[str], object] = lambda _why: None,
) -> AsyncIterator[Pings]:
    """One that asks from the host of ``own``, over its transport; OSError if the address is unusable.

    ``context``: that of a TLS client; ``path``: that of a WebSocket; ``on_trouble`` hears why a question that went
    over a connection got no answer.
    """
    if own.reliable:
        yield StreamProber(own.host, context if own.secure else None, path, on_trouble)
    else:
        async with await Prober.open(own) as prober:
            yield prober


async def options_ping(
    address: Address,
    own: Address | None,
    deadline: float,
    t1: float = T1,
    context: Callable[[], ssl.SSLContext] | None = None,
    path: str = "/",
    on_trouble: Callable[[str], object] = lambda _why: None,
) -> str | None:
    """One OPTIONS from a socket of its own, see :meth:`Pings.ping`; ``own`` None: what the kernel chooses.

    The others: see :func:`prober_at`.
    """
    source = replace(own or source_towards(address), transport=address.transport)
    async with prober_at(source, context, path, on_trouble) as prober:
        return await prober.ping(address, deadline, t1)
