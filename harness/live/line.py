"""The live line: the progress of a run, rewritten in place on a terminal, printed from time to time elsewhere.

It also shows requests to a person, because only this module writes past pytest's capture while tests wait.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest

from harness.live import prompt
from harness.live.person import Request
from harness.live.progress import Progress

PLAIN_EVERY_S = 10.0


class LiveLine:
    """Writes the progress of a session.  Only ever called from pytest's thread.

    ``calls_by_hand``: the number of calls that a person must place; announced at once.
    """

    def __init__(self, config: pytest.Config, progress: Progress, calls_by_hand: int = 0) -> None:
        self._progress = progress
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        self._writer: Any = reporter._tw if reporter is not None else None
        self._capture = config.pluginmanager.get_plugin("capturemanager")
        self._in_place = bool(self._writer and self._writer.hasmarkup)
        self._last = ""
        self._last_at = time.monotonic()
        self._asked: Request | None = None
        self._told = 0
        """How much of the news has been said."""
        self._planned = progress.person.planned_calls = calls_by_hand
        if self._writer is None:
            progress.person.attended = False
        elif calls_by_hand:
            self._say([prompt.beforehand(calls_by_hand)])

    def tick(self) -> None:
        """Bring the line up to date."""
        if self._writer is None:
            return
        self._ask()
        if news := self._progress.news[self._told :]:
            self._told += len(news)
            self._say(news, bold=True)
        line = self._progress.line()
        if self._asked and self._in_place:
            line = f"{prompt.waiting(self._asked)} · {line}"
        if line == self._last:
            return
        now = time.monotonic()
        if self._in_place:
            self._write("\r\x1b[K" + line[: self._writer.fullwidth - 1])
        elif now - self._last_at >= PLAIN_EVERY_S:
            self._write(line + "\n")
        else:
            return
        self._last, self._last_at = line, now

    def clear(self) -> None:
        """Clear the line for other output."""
        if self._in_place and self._last:
            self._write("\r\x1b[K")
            self._last = ""

    def _ask(self) -> None:
        """Print the result of the last request, and the next request, once each."""
        person = self._progress.person
        request = person.request
        if news := person.news():
            self._say(f"  {text}" for text in news)
        if request is not None and request != self._asked:
            if self._in_place:
                self._say(prompt.block(request, self._planned), bold=True)
            else:
                self._say([prompt.plain(request, self._planned)])
        self._asked = request

    def _say(self, lines: Any, **markup: bool) -> None:
        self.clear()
        text = "".join(f"{line}\n" for line in lines)
        self._write(self._writer.markup(text, **markup) if self._in_place else text)

    def _write(self, text: str) -> None:
        # pytest captures output while a test waits; the person must see this.
        with self._capture.global_and_fixture_disabled() if self._capture else contextlib.nullcontext():
            self._writer.write(text, flush=True)
