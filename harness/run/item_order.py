"""pytest's loop over its items, in the order in which their verdicts come.

In the order of the files, the first item would wait for its window although other verdicts are known and their reports
could be written.  Most reports would then be written after the last window, when nothing else is left to do.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import pytest

TICK_S = 0.2
"""Seconds between two updates of the live line during a wait."""
LATE_S = 10.0
"""The most seconds between a verdict and its report while calls are being made.  Reports cost CPU that the calls need;
while the last windows are open there is plenty."""

Pending = concurrent.futures.Future[Any]
_Item = TypeVar("_Item")


def run_items(
    session: pytest.Session,
    pending: Callable[[pytest.Item], Pending | None],
    calling: Callable[[], bool],
    tick: Callable[[], None],
) -> None:
    """Run ``session.items`` as pytest does, in the order of their verdicts.

    ``pending`` is what an item waits for (None: nothing), ``calling`` whether devices are still being called.
    """
    for items in as_they_come(session.items, pending, calling, tick):
        # pytest keeps the fixtures that the next item shares.  The next item is unknown until a verdict arrives.
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
    """``items`` in groups, each as soon as its future is done; those of a group in the order of ``items``."""
    place = {item: number for number, item in enumerate(items)}
    waiting: dict[Pending, list[_Item]] = {}
    ready: list[_Item] = []
    for item in items:
        future = pending(item)
        (ready if future is None else waiting.setdefault(future, [])).append(item)
    # Each future reports itself: to ask thousands of them again after every verdict takes longer than to judge them.
    done: queue.SimpleQueue[Pending] = queue.SimpleQueue()
    for future in tuple(waiting):
        future.add_done_callback(done.put)
    latest = time.monotonic() + LATE_S
    while waiting:
        with contextlib.suppress(queue.Empty):
            ready += waiting.pop(done.get(timeout=TICK_S))
            while True:
                ready += waiting.pop(done.get_nowait())
        tick()
        if ready and (not calling() or time.monotonic() > latest):
            yield sorted(ready, key=place.__getitem__)
            ready, latest = [], time.monotonic() + LATE_S
    yield ready
