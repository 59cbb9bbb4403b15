"""How long silence is watched, and why that long.

No RFC says how long a 603 binds the caller.  A window is therefore a convention of the suite: it is
printed with every verdict that rests on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WindowName = Literal["quick", "standard", "extended"]


@dataclass(frozen=True)
class Window:
    """A time of watching, counted from the last copy of the final response."""

    name: str
    seconds: float
    why: str

    def __str__(self) -> str:
        return f"{self.name} ({self.seconds:g} s: {self.why})"


QUICK = Window("quick", 5.0, "T4: every copy in the network has died; catches immediate retries only")
STANDARD = Window("standard", 40.0, "Timer D 32 s + T4 5 s + 3 s slack; the one a certificate needs")
EXTENDED = Window("extended", 70.0, "60 s redial habits")

WINDOWS = {window.name: window for window in (QUICK, STANDARD, EXTENDED)}
