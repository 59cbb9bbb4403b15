"""The timer values of RFC 3261 (table 4), in seconds; tests scale them, the command line does not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timers:
    """T1, T2, T4, and what Timers D and C are at least; the others follow from these."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0
    d: float = 32.0
    c: float = 181.0
    """How long a proxy lets a branch ring: more than three minutes (16.6 item 11)."""

    @property
    def give_up(self) -> float:
        """64*T1: timers B, F, H, L and M."""
        return 64 * self.t1

    def doubled(self, interval: float) -> float:
        """Return the interval after this one of timers E and G, and of a 2xx: twice as long, T2 at most."""
        return min(2 * interval, self.t2)
