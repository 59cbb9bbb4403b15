"""The one clock of a run: it shows the time of day, and nobody can set it.

It is the monotonic clock, moved to the time of day at which this process started.  So the times of messages, windows
and signs of life can be subtracted from each other, whatever is done to the clock of the machine meanwhile.
"""

from __future__ import annotations

import math
import time
from typing import Final

_OFFSET_S: Final = time.time() - time.monotonic()
_LONGEST_AGE_S: Final = 60.0
"""A busy machine has let datagrams wait for more than five seconds; a clock is not set while one waits."""
_TRIES: Final = 10
_TOGETHER_S: Final = 0.0002
"""How far apart two readings of a clock may be to count as one moment."""


def now() -> float:
    """Seconds since the epoch (UTC) by the clock of the run."""
    return time.monotonic() + _OFFSET_S


def of_kernel(stamp: float) -> float:
    """The kernel's time of day ``stamp`` of something that has just been read, by the clock of the run.

    Only its age counts, so a clock that was set an hour ago does no harm.  A stamp of an impossible age, from a clock
    that was set just then, is taken for now.
    """
    # Another thread may take its turn between the two clocks: the pair that was read fastest counts.
    closest, at, age = math.inf, 0.0, 0.0
    for _ in range(_TRIES):
        before, since, after = now(), time.time() - stamp, now()
        if after - before < closest:
            closest, at, age = after - before, before, since
        if closest < _TOGETHER_S:
            break
    return at - (age if 0 <= age < _LONGEST_AGE_S else 0.0)
