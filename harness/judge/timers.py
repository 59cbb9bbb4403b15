"""T1 and T2 of the network that a device is made for (RFC 3261 17, table 4; 3GPP TS 24.229 table 7.8)."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model.flow import Flow


@dataclass(frozen=True)
class Timers:
    """The two times, in seconds, that the others are made of."""

    t1: float = 0.5
    t2: float = 4.0

    @property
    def timer_h(self) -> float:
        """Seconds after its first copy in which a refusal waits for its ACK."""
        return 64 * self.t1

    def intervals(self, count: int) -> tuple[float, ...]:
        """The seconds between ``count + 1`` copies: T1, doubled up to T2."""
        return tuple(min(self.t1 * 2**number, self.t2) for number in range(count))

    @property
    def until_t2(self) -> float:
        """Seconds until the intervals have grown to T2: 3.5 with the values of RFC 3261."""
        passed, interval = 0.0, self.t1
        while interval < self.t2:
            passed, interval = passed + interval, 2 * interval
        return passed


def timers_of(flow: Flow) -> Timers:
    """The device's timers as its profile declares them (``pixit.t1_s``, ``pixit.t2_s``), else those of RFC 3261."""
    declared = flow.device.get("timers", {})
    return Timers(**{name: float(declared[name]) for name in ("t1", "t2") if name in declared})
