"""What a person is asked to do while a run goes on: written by the driver, read by the terminal.

Two threads use it, and none waits for the other: the driver puts its request here and goes on, the terminal looks
every now and then.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import deque
from dataclasses import dataclass, field

from harness.system import clock


@dataclass(frozen=True)
class Request:
    """One thing to do, and until when it is waited for."""

    number: int
    """Counts the requests of a run, from 1."""
    is_call: bool
    """Whether it is a call to place; else something to do with one that is there."""
    headline: str
    """What to do, in capitals or digits that can be read from afar."""
    where: str = ""
    """On which phone."""
    details: tuple[str, ...] = ()
    until: float = 0.0
    """Epoch."""

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return max(self.until - clock.now(), 0.0)


@dataclass
class Person:
    """Somebody at the phone, who does one thing at a time."""

    attended: bool = False
    """Whether there is a terminal (or a log) that shows requests to somebody."""
    planned_calls: int = 0
    """How many calls the run will ask for, as far as is known beforehand."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while something is asked: two devices of a run share one person."""
    _request: Request | None = None
    _news: deque[str] = field(default_factory=deque)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _calls: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def request(self) -> Request | None:
        """What is asked now."""
        return self._request

    def ask(
        self, headline: str, seconds: float, where: str = "", details: tuple[str, ...] = (), *, is_call: bool = False
    ) -> None:
        """Ask for something, which is waited for ``seconds``."""
        number = next(self._calls if is_call else self._numbers)
        with self._lock:
            self._request = Request(number, is_call, headline, where, details, clock.now() + seconds)

    def done(self, news: str) -> None:
        """Say how it ended, and ask no longer."""
        with self._lock:
            self._request = None
            self._news.append(news)

    def news(self) -> list[str]:
        """What has not been told yet; the terminal's."""
        with self._lock:
            news = list(self._news)
            self._news.clear()
        return news
