"""A pytest plugin: the machine's clock is set, or the machine sleeps, in the middle of a run.

    sipverdict run … -- -p tests.chaos.stepping

The run sees what it would see: CLOCK_REALTIME and the kernel's stamps jump, CLOCK_BOOTTIME goes on during sleep, and
CLOCK_MONOTONIC does neither.  The environment says how, CHAOS_CLOCK="set +3600" or "sleep 30" (seconds), and the file
CHAOS_NOW says when: as soon as it is there.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.endpoints.tap import port


def pytest_configure() -> None:
    kind, by = os.environ["CHAOS_CLOCK"].split()
    now = Path(os.environ["CHAOS_NOW"])
    wall, clock = time.time, time.clock_gettime

    def jumped() -> float:
        return float(by) if now.exists() else 0.0

    def boot(which: int) -> float:
        return clock(which) + (jumped() if kind == "sleep" and which == time.CLOCK_BOOTTIME else 0.0)

    later: Callable[[], float] = lambda: wall() + jumped()  # noqa: E731
    time.time, time.clock_gettime = later, boot
    port._TIMESPEC = _Stamps(port._TIMESPEC.format, jumped)  # type: ignore[misc]


class _Stamps(struct.Struct):
    """The kernel's stamps, by the clock that was set."""

    def __init__(self, form: str, jumped: Callable[[], float]) -> None:
        super().__init__(form)
        self._jumped = jumped

    def unpack(self, buffer: Any, /) -> tuple[Any, ...]:
        seconds, nanoseconds = super().unpack(buffer)
        return seconds + int(self._jumped()), nanoseconds
