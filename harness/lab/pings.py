"""Signs of life of a device that is reached by its own connection alone: OPTIONS from the exchange."""

from __future__ import annotations

import asyncio
import contextlib
import secrets

from harness.lab.exchange import Exchange
from harness.net.address import Address
from harness.net.probe import T1, options_request


class RegisteredPings:
    """Asks a device over the connection on which it has registered: nobody can open one to it (RFC 7118 5)."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def ping(self, address: Address, deadline: float, t1: float = T1) -> str | None:
        """The status line of the answer to an OPTIONS within ``deadline`` seconds, or None.

        ``address`` is where it has once registered from; it is asked where it is registered now.  Without a
        registration it is looked for again every ``t1`` seconds: the device may be coming back.
        """
        token = secrets.token_hex(8)
        branch = f"z9hG4bK-ping-{token}"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline):
                with self._exchange.answer_to(branch) as answer:
                    while not await self._exchange.say(  # noqa: ASYNC110 - whether it comes back is no event
                        lambda to: options_request(to, self._exchange.address, branch, token)
                    ):
                        await asyncio.sleep(t1)
                    return await answer
        return None

    async def refused_by(self, address: Address, within: float) -> bool:
        """False: a connection that has ended says nothing of a device that opens them itself."""
        return False
