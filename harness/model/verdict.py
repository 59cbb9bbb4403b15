"""The one scale of verdicts, and the one way to combine them."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Literal, cast

FindingVerdict = Literal["fail", "inconclusive", "warn", "pass", "none"]
"""A verdict as it is written, worst first."""


class Verdict(enum.IntEnum):
    """What a purpose says of a device.  A verdict only ever gets worse (TTCN-3's rule)."""

    NONE = 0
    PASS = 1
    WARN = 2
    INCONCLUSIVE = 3
    FAIL = 4

    def __str__(self) -> str:
        return self.word

    @property
    def word(self) -> FindingVerdict:
        """How it is written."""
        return cast(FindingVerdict, self.name.lower())

    @classmethod
    def named(cls, name: str) -> Verdict:
        """The verdict written as ``name`` in a stored run; ValueError if there is none."""
        try:
            return cls[name.upper()]
        except KeyError:
            raise ValueError(f"no verdict is called {name!r}") from None


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of ``verdicts``; ``NONE`` when there are none."""
    return max(verdicts, default=Verdict.NONE)
