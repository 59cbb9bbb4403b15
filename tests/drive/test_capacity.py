"""Capacity for so many: whoever gives up waiting keeps nothing, and nobody from being served."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from harness.drive.capacity import Capacity


async def take(capacity: Capacity, seats: int) -> None:
    async with capacity.reserved(seats):
        """Nothing to do."""


def test_room_of_one_who_is_served_and_cancelled_is_given_back() -> None:
    async def body() -> None:
        capacity = Capacity(1, "seats")
        async with AsyncExitStack() as held:
            await held.enter_async_context(capacity.reserved(1))
            waiter = asyncio.create_task(take(capacity, 1))
            await asyncio.sleep(0)
        waiter.cancel()
        await asyncio.gather(waiter, return_exceptions=True)
        async with asyncio.timeout(1):
            await take(capacity, 1)

    asyncio.run(body())


def test_one_who_gives_up_does_not_stand_before_those_who_fit() -> None:
    async def body() -> None:
        capacity = Capacity(2, "seats")
        async with AsyncExitStack() as held:
            await held.enter_async_context(capacity.reserved(1))
            large, small = (asyncio.create_task(take(capacity, seats)) for seats in (2, 1))
            await asyncio.sleep(0)
            large.cancel()
            async with asyncio.timeout(1):
                await small

    asyncio.run(body())
