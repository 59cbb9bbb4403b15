"""Whose priority it is: the longest plans first, whichever device they are for."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from harness.drive.priority import URGENT, PriorityGate, expected_seconds, priority_of
from harness.model.plan import Answer, Call, Endpoint, Plan, Response

SHORT, LONG = (-1.0, True), (-9.0, True)


def test_who_waits_longest_for_its_calls_comes_before_who_waited_longest_for_its_turn() -> None:
    async def body() -> None:
        gate, came = PriorityGate(1), []

        async def take(name: str, priority: tuple[float, bool]) -> None:
            async with gate.entered(priority):
                came.append(name)

        async with AsyncExitStack() as first, asyncio.TaskGroup() as tasks:
            await first.enter_async_context(gate.entered(SHORT))
            for name, priority in (("a", SHORT), ("b", SHORT), ("long", LONG), ("urgent", URGENT), ("c", SHORT)):
                tasks.create_task(take(name, priority))
            await asyncio.sleep(0)
            assert came == []
            await first.aclose()
        assert came == ["urgent", "long", "a", "b", "c"]
        async with asyncio.timeout(1), gate.entered(SHORT):
            """It has been given back."""

    asyncio.run(body())


@pytest.mark.parametrize("called", [False, True], ids=["while it waits", "when it is called"])
def test_a_turn_that_is_not_taken_is_the_next_ones(called: bool) -> None:
    async def body() -> None:
        gate = PriorityGate(1)

        async def take() -> None:
            async with gate.entered(SHORT):
                """Nothing to do."""

        async with AsyncExitStack() as first:
            await first.enter_async_context(gate.entered(SHORT))
            tasks = [asyncio.create_task(take()) for _ in range(2)]
            await asyncio.sleep(0)
            if not called:
                tasks[0].cancel()
        # Now, its priority is its own, and it has not run yet.
        if called:
            tasks[0].cancel()
        async with asyncio.timeout(1):
            await asyncio.gather(*tasks, return_exceptions=True)
            async with gate.entered(SHORT):
                """It has been given back."""
        assert (tasks[0].cancelled(), tasks[1].cancelled()) == (True, False)

    asyncio.run(body())


def callee(*responses: Response) -> Endpoint:
    return Endpoint("callee", "callee", (Answer(responses),))


AT_ONCE = callee(Response(603))
PLAN = Plan((AT_ONCE,))


@pytest.mark.parametrize(
    "longer",
    [
        Plan((AT_ONCE,), (Call(), Call())),
        Plan((callee(Response(180), Response(603, after=1.0)),)),
        Plan((callee(),)),
        Plan((AT_ONCE,), (Call(after=2.0),)),
        Plan((AT_ONCE,), (Call(ack_copy=3),)),
    ],
    ids=["two calls", "a late answer", "no answer", "a pause", "a late ACK"],
)
def test_what_makes_a_plan_long(longer: Plan) -> None:
    assert expected_seconds(longer) > expected_seconds(PLAN) + 0.3
    assert priority_of(longer) < priority_of(PLAN)


def test_a_guard_that_is_silent_makes_nobody_wait() -> None:
    assert expected_seconds(Plan((AT_ONCE, Endpoint("guard", "guard", (Answer(),))))) == expected_seconds(PLAN)


def test_among_equals_a_redirection_that_is_answered_comes_first() -> None:
    target = Endpoint("target", "target", (Answer((Response(200),)),))
    assert priority_of(Plan((AT_ONCE, target))) < priority_of(PLAN)
