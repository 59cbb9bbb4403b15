"""pytest's loop over its items, in the order in which their verdicts come.

In the order of the files, the first item would wait for its window while the reports of others, whose verdicts are
there, could be written; and all of it would be written when the last window is over, with nothing left to wait for.
"""

from __future__ import annotations

import concurrent.futures
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import pytest

TICK_S = 0.2
"""How often somebody who waits lets the live line be written."""
LATE_S = 10.0
"""How much later than its verdict an item may be reported while calls are being made: reports cost CPU, of which the
calls have need, and while the last windows are open there is plenty."""

Pending = concurrent.futures.Future[Any]
_Item = TypeVar("_Item")


def run_items(
    session: pytest.Session,
    pending: Callable[[pytest.Item], Pending | None],
    calling: Callable[[], bool],
    tick: Callable[[], None],
) -> None:
    """What pytest does with ``session.items``.

    ``pending`` is what an item waits for (None: nothing), ``calling`` whether devices are still being called.
    """
    for items in as_they_come(session.items, pending, calling, tick):
        # pytest keeps what the next item needs as well; which one is next is not known while none is there.
        for item, next_item in itertools.pairwise((*items, None)):
            assert item is not None
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=next_item)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)


def as_they_come(
    items: Sequence[_Item],
    pending: Callable[[_Item], Pending | None],
    calling: Callable[[], bool],
    tick: Callable[[], None],
) -> Iterator[list[_Item]]:
    """``items``, some at a time, each when what it waits for is done."""
    waiting: dict[Pending, list[_Item]] = {}
    ready: list[_Item] = []
    for item in items:
        future = pending(item)
        (ready if future is None else waiting.setdefault(future, [])).append(item)
    latest = time.monotonic() + LATE_S
    while waiting:
        done = concurrent.futures.wait(waiting, TICK_S, concurrent.futures.FIRST_COMPLETED).done
        ready += [item for future in tuple(waiting) if future in done for item in waiting.pop(future)]
        tick()
        if ready and (not calling() or time.monotonic() > latest):
            yield ready
            ready, latest = [], time.monotonic() + LATE_S
    yield ready
