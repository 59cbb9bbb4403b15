"""The thread in which taps work: what judges, reports and starting processes take must not delay a message.

Measured beside the alternative, taps in the driver's own loop: benchmarks/tap_delay.py.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import sys
import threading
from collections.abc import Callable
from typing import Final, TypeVar

_SWITCH_S: Final = 0.0005
"""How long Python lets one thread go on while the taps' waits; 5 ms is the default, and ten messages' worth."""

_Made = TypeVar("_Made")
_Heard = TypeVar("_Heard")


class TapLoop:
    """An event loop of its own, with the loop in which it was made as the one that hears; :meth:`close` ends it."""

    def __init__(self) -> None:
        self._driver = asyncio.get_running_loop()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="sipverdict-taps", daemon=True)
        self._switch_s = sys.getswitchinterval()
        sys.setswitchinterval(min(self._switch_s, _SWITCH_S))
        self._thread.start()

    async def do(self, work: Callable[[], _Made]) -> _Made:
        """What ``work`` returns, or raises, in the taps' thread."""
        done: concurrent.futures.Future[_Made] = concurrent.futures.Future()

        def run() -> None:
            try:
                done.set_result(work())
            except BaseException as error:
                done.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return await asyncio.wrap_future(done)

    def heard_by(self, listener: Callable[[_Heard], object]) -> Callable[[_Heard], None]:
        """``listener``, to be called in the taps' thread: it hears in the driver's loop, in order."""

        def hear(what: _Heard) -> None:
            with contextlib.suppress(RuntimeError):  # the run has ended
                self._driver.call_soon_threadsafe(listener, what)

        return hear

    def close(self) -> None:
        """End the thread; what it had open is closed by whoever opened it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        sys.setswitchinterval(self._switch_s)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
