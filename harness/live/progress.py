"""The progress of a run: finished drives, the end of the open windows, judged cases."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from harness.live.person import Person
from harness.model.finding import Record
from harness.model.windows import Window
from harness.system import clock


@dataclass
class Progress:
    """Counters of a running session; written by the driver's thread, read by the terminal's."""

    planned_cases: int
    window: Window
    planned_drives: int = 0
    driven: int = 0
    """Drives whose calls are over."""
    complete: int = 0
    """Drives whose window is over as well."""
    confirming: int = 0
    """Cases whose fail is being confirmed by a second drive."""
    waited: float = 0.0
    """Seconds of all windows added up: the time that the run would take one after the other."""
    watching_until: float = 0.0
    """Time (epoch) at which the last open window will close."""
    person: Person = field(default_factory=Person)
    """The person who dials at devices without a remote control."""
    news: list[str] = field(default_factory=list)
    """What cannot wait for the end of the run: a device was lost."""
    verdicts: Counter[str] = field(default_factory=Counter)
    began_at: float = field(default_factory=time.time)

    def judged(self, record: Record) -> None:
        """Count one verdict."""
        self.verdicts[str(record.verdict)] += 1

    def calling(self) -> bool:
        """Whether calls are in progress or still to come."""
        return not self.planned_drives or self.driven < self.planned_drives

    def line(self) -> str:
        """The live line."""
        parts = [f"driven {self.driven}/{self.planned_drives}"]
        left = self.watching_until - clock.now()
        if left > 0:
            until = time.strftime("%H:%M:%S", time.localtime(self.watching_until))
            parts.append(f"watching for silence until {until} ({left:.0f} s left of the {self.window.name} window)")
        if self.confirming:
            parts.append(f"confirming {self.confirming}")
        parts.append(f"judged {sum(self.verdicts.values())}/{self.planned_cases}")
        bad = [f"{self.verdicts[name]} {name}" for name in ("fail", "inconclusive", "warn") if self.verdicts[name]]
        return " · ".join(parts + bad)
