"""How good the line between the suite and a device is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """How much got lost between the suite and the device, measured in this run with the suite's own OPTIONS."""

    probes: int
    """Each was sent once."""
    unanswered: int

    @property
    def loses(self) -> bool:
        """Whether packets get lost.  A single one may be chance; a device that answers hardly any shows nothing."""
        return 2 <= self.unanswered <= 0.7 * self.probes

    @property
    def share(self) -> float:
        """The part of all packets that gets lost, from 0 to 1: a probe and its answer are two."""
        return float(1 - (1 - self.unanswered / self.probes) ** 0.5)

    @property
    def sentence(self) -> str:
        """It in words: ``the line loses about 5 % of the packets (29 of 300 OPTIONS stayed without an answer)``."""
        share = f"{100 * self.share:.1f}" if self.share < 0.02 else f"{100 * self.share:.0f}"
        counted = f"{self.unanswered} of {self.probes} OPTIONS stayed without an answer"
        return f"the line loses about {share} % of the packets ({counted})"
