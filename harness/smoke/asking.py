"""Shows a person what to dial while ``sipverdict smoke`` waits for the calls."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from harness.live import prompt
from harness.live.person import Person, Request


@contextlib.asynccontextmanager
async def asking(person: Person, planned: int, write: Callable[[str], None]) -> AsyncIterator[None]:
    """Write each request to ``person``, and its result, with ``write``; ``planned``: how many calls there will be."""
    changed = asyncio.Event()  # of the loop in which the calls are made
    person.attended, person.planned_calls, person.on_change = True, planned, changed.set
    write(prompt.beforehand(planned))
    task = asyncio.create_task(_watch(person, planned, write, changed))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        _news(person, write)


async def _watch(person: Person, planned: int, write: Callable[[str], None], changed: asyncio.Event) -> None:
    shown: Request | None = None
    while True:
        await changed.wait()
        changed.clear()
        _news(person, write)
        request = person.request
        if request is not None and request != shown:
            write("\n".join(prompt.block(request, planned)))
        shown = request


def _news(person: Person, write: Callable[[str], None]) -> None:
    for text in person.news():
        write(f"  {text}")
