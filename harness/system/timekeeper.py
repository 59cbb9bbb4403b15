"""Whether something was done to this machine's time: its clock was set, or it was suspended.

The clock of the run (:mod:`harness.system.clock`) moves for neither.  But the kernel stamps datagrams by the clock that
was set, and while a machine sleeps the device goes on: what it sent then, nobody has heard.  So every drive looks when
it begins and when it ends, and what happened between two looks touched exactly the drives that were going on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from harness.system import clock

STEP_S: Final = 0.2
"""A smaller step of the clock is none: a clock that is adjusted while it runs gains less than this in 5 minutes."""
_TRIES: Final = 5
_NOTHING_BETWEEN_S: Final = 0.0002


@dataclass(frozen=True)
class Interruption:
    """Something was done to the time of this machine."""

    kind: Literal["clock-set", "suspended"]
    seconds: float
    """How far the clock was set (negative: back), or how long the machine slept."""
    noticed_at: float
    """Seconds since the epoch, by the clock of the run."""

    @property
    def sentence(self) -> str:
        """It in words: ``this machine's clock was set 3600.0 s forward``."""
        if self.kind == "suspended":
            return f"this machine was suspended for {self.seconds:.1f} s"
        return f"this machine's clock was set {abs(self.seconds):.1f} s {'forward' if self.seconds > 0 else 'back'}"


@dataclass(frozen=True)
class _Look:
    steady: float
    """CLOCK_MONOTONIC: stands still while the machine sleeps."""
    awake: float
    """CLOCK_BOOTTIME: does not."""
    wall: float

    @classmethod
    def now(cls) -> _Look:
        # Another process may take its turn between the clocks: those that were read fastest count.
        looks = []
        for _ in range(_TRIES):
            before = time.monotonic()
            look = cls(before, time.clock_gettime(time.CLOCK_BOOTTIME), time.time())
            looks.append((time.monotonic() - before, look))
            if looks[-1][0] < _NOTHING_BETWEEN_S:
                break
        return min(looks, key=lambda one: one[0])[1]


@dataclass
class Timekeeper:
    """Remembers every interruption since it was made."""

    on_news: Callable[[Interruption], None] = lambda _one: None
    """Hears of each one as soon as it is noticed."""
    interruptions: list[Interruption] = field(default_factory=list)
    _last: _Look = field(default_factory=_Look.now)

    def look(self) -> int:
        """Compare the clocks now; returns how many interruptions there have been."""
        last, look = self._last, _Look.now()
        self._last = look
        slept = (look.awake - last.awake) - (look.steady - last.steady)
        set_by = (look.wall - last.wall) - (look.awake - last.awake)
        if slept > STEP_S:
            self._note(Interruption("suspended", slept, clock.now()))
        if abs(set_by) > STEP_S:
            self._note(Interruption("clock-set", set_by, clock.now()))
        return len(self.interruptions)

    def _note(self, one: Interruption) -> None:
        self.interruptions.append(one)
        self.on_news(one)

    def since(self, number: int) -> tuple[Interruption, ...]:
        """What has happened since :meth:`look` returned ``number``."""
        self.look()
        return tuple(self.interruptions[number:])
