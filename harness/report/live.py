"""The live line: how far a run is, rewritten in place on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time

import pytest

from harness.progress import Progress

PLAIN_EVERY_S = 10.0


class LiveLine:
    """Writes the progress of a session.  Only ever called from pytest's thread."""

    def __init__(self, config: pytest.Config, progress: Progress) -> None:
        self._progress = progress
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        self._writer = reporter._tw if reporter is not None else None
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
            self._writer.write("\r\x1b[K" + line[: self._writer.fullwidth - 1], flush=True)
        elif now - self._last_at >= PLAIN_EVERY_S:
            self._writer.write(line + "\n", flush=True)
        else:
            return
        self._last, self._last_at = line, now

    def clear(self) -> None:
        """Leave the terminal clean for what comes next."""
        if self._writer is not None and self._in_place and self._last:
            self._writer.write("\r\x1b[K", flush=True)
            self._last = ""
