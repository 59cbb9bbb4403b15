"""Several things are waited for to the end, whatever becomes of one of them."""

from __future__ import annotations

import asyncio

import pytest

from harness.system.together import together


def test_what_is_cancelled_first_ends_nothing_else() -> None:
    over = []

    async def at_once() -> None:
        await asyncio.Event().wait()

    async def cleans_up() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(3):
                await asyncio.sleep(0)
            over.append("clean")

    async def main() -> None:
        working = asyncio.ensure_future(together([at_once(), cleans_up()]))
        for _ in range(3):
            await asyncio.sleep(0)  # until both wait
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        assert over == ["clean"]

    asyncio.run(main())


def test_the_first_error_is_raised_when_all_are_over() -> None:
    over = []

    async def fails() -> None:
        raise ValueError("first")

    async def works() -> None:
        await asyncio.sleep(0)
        over.append("works")

    async def main() -> None:
        with pytest.raises(ValueError, match="first"):
            await together([fails(), works()])
        assert over == ["works"]

    asyncio.run(main())
