"""A result of the doctor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "problem"]


@dataclass(frozen=True)
class Check:
    """The subject of a check, its result and the remedy."""

    name: str
    state: State
    found: str
    todo: str = ""
    """Empty if nothing is to be done."""
