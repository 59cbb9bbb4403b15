"""Scenarios run in a loop of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from sip_bench import Bench

Scenario = Callable[[Bench], Coroutine[Any, Any, None]]


@pytest.fixture
def play() -> Callable[[Scenario], None]:
    """Run a scenario in a loop of its own, and close its sockets."""

    def run(scenario: Scenario) -> None:
        async def main() -> None:
            bench = Bench([])
            try:
                await scenario(bench)
            finally:
                bench.close()

        asyncio.run(main())

    return run
