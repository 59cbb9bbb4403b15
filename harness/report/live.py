"""The live line: how far a run is, rewritten in place on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest

from harness.progress import Progress

PLAIN_EVERY_S = 10.0


class LiveLine:
    """Writes the progress of a session.  Only ever called from pytest's thread."""

    def __init__(self, config: pytest.Config, progress: Progress) -> None:
        self._progress = progress
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        self._writer: Any = reporter._tw if reporter is not None else None
        self._capture = config.pluginmanager.get_plugin("capturemanager")
        self._in_place = bool(self._writer and self._writer.hasmarkup)
        self._last = ""
        self._last_at = time.monotonic()

    def tick(self) -> None:
        """Bring the line up to date."""
        line = self._progress.line()
        if self._writer is None or line == self._last:
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
        """Leave the terminal clean for what comes next."""
        if self._in_place and self._last:
            self._write("\r\x1b[K")
            self._last = ""

    def _write(self, text: str) -> None:
        # A test is waiting, so pytest captures: past that, to the person.
        with self._capture.global_and_fixture_disabled() if self._capture else contextlib.nullcontext():
            self._writer.write(text, flush=True)
