"""What a run's verdict covers: how long silence was watched, and how much of the suite was asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """The limits of what a run can say."""

    window_s: float
    """Seconds for which silence was watched."""
    planned: int
    """How many cases the run was to execute."""
    whole: int = 0
    """How many cases the whole suite has for these devices; 0: not known."""

    @property
    def subset(self) -> bool:
        """Whether only a part of the suite was chosen (by ``-k``, paths or ``--again``)."""
        return self.planned < self.whole

    @property
    def window(self) -> str:
        """What the window limits, in words."""
        return f"in the {self.window_s:g} s window; later retries were not looked for"

    @property
    def cases(self) -> str:
        """How much of the suite was asked, in words."""
        if self.subset:
            return f"a subset: {self.planned} of the suite's {self.whole} test cases"
        return f"the whole suite: {self.planned} test cases" if self.whole else f"{self.planned} test cases"
