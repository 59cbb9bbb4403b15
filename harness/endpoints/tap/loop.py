"""The thread of the taps: judging, reporting and starting processes must not delay a message.

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
"""Seconds that Python lets another thread run while the taps' thread waits.  The default of 5 ms is ten messages."""

_Made = TypeVar("_Made")
_Heard = TypeVar("_Heard")


class TapLoop:
    """An event loop in its own thread; listeners run in the loop that created it; :meth:`close` ends it."""

    def __init__(self) -> None:
        self._driver = asyncio.get_running_loop()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="sipverdict-taps", daemon=True)
        self._switch_s = sys.getswitchinterval()
        sys.setswitchinterval(min(self._switch_s, _SWITCH_S))
        self._thread.start()

    async def do(self, work: Callable[[], _Made]) -> _Made:
        """Run ``work`` in the taps' thread; return its result or raise its error."""
        done: concurrent.futures.Future[_Made] = concurrent.futures.Future()

        def run() -> None:
            if not done.set_running_or_notify_cancel():
                return  # the task that asked for it has been cancelled
            try:
                done.set_result(work())
            except BaseException as error:
                done.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return await asyncio.wrap_future(done)

    async def settle(self) -> None:
        """Return when the sockets of the taps have been looked at once more: what had arrived by now has been read."""
        # A call from another thread runs before what the same turn of the loop finds at the sockets.
        for _ in range(2):
            await self.do(lambda: None)

    def heard_by(self, listener: Callable[[_Heard], object]) -> Callable[[_Heard], None]:
        """A wrapper of ``listener`` for the taps' thread; ``listener`` runs in the driver's loop, in order."""

        def hear(what: _Heard) -> None:
            with contextlib.suppress(RuntimeError):  # the run has ended
                self._driver.call_soon_threadsafe(listener, what)

        return hear

    def close(self) -> None:
        """End the thread.  Its sockets are closed by their owners."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        sys.setswitchinterval(self._switch_s)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
