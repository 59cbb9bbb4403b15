"""Requests to a person during a run: written by the driver, read by the terminal.

Two threads use it, and neither waits for the other: the driver leaves its request here, and the terminal reads it
from time to time.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.system import clock


@dataclass(frozen=True)
class Request:
    """One request, with its deadline."""

    number: int
    """Counts the requests of a run, from 1."""
    is_call: bool
    """Whether it asks for a new call, not for an act in an existing one."""
    headline: str
    """The act, in capitals, or the digits to dial: readable from afar."""
    where: str = ""
    """The phone to use."""
    details: tuple[str, ...] = ()
    until: float = 0.0
    """Epoch."""

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return max(self.until - clock.now(), 0.0)


@dataclass
class Person:
    """The person at the phone, who handles one request at a time."""

    attended: bool = False
    """Whether a terminal (or a log) shows requests to the person."""
    planned_calls: int = 0
    """The number of calls that the run will request, as far as known."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held during a request: two devices of a run share one person."""
    on_change: Callable[[], None] = lambda: None
    """Called when there is a request, or news, in the thread of whoever made it, which it must not keep waiting."""
    _request: Request | None = None
    _news: deque[str] = field(default_factory=deque)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _calls: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def request(self) -> Request | None:
        """The current request."""
        return self._request

    def ask(
        self, headline: str, seconds: float, where: str = "", details: tuple[str, ...] = (), *, is_call: bool = False
    ) -> None:
        """Make a request with a deadline in ``seconds``."""
        number = next(self._calls if is_call else self._numbers)
        with self._lock:
            self._request = Request(number, is_call, headline, where, details, clock.now() + seconds)
        self.on_change()

    def done(self, news: str) -> None:
        """End the request with its result."""
        with self._lock:
            self._request = None
            self._news.append(news)
        self.on_change()

    def news(self) -> list[str]:
        """The news since the last call.  Only the terminal calls it."""
        with self._lock:
            news = list(self._news)
            self._news.clear()
        return news
