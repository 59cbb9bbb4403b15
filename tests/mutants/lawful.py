"""The mutants that are as good as the original: what they change is the device's own choice."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("lawful.toml")


def load(path: Path = FILE) -> dict[str, str]:
    """Why each of them is lawful, by the mutant's id; ValueError names an entry without a reason."""
    table: Mapping[str, object] = tomllib.loads(path.read_text("utf-8"))
    reasons = {}
    for identifier, reason in table.items():
        if not isinstance(reason, str) or not reason.strip() or "\n" in reason:
            raise ValueError(f'{path}: "{identifier}": expected a reason of one line')
        reasons[identifier] = reason
    return reasons


def stale(lawful: Iterable[str], mutants: Iterable[str]) -> list[str]:
    """The entries that name no mutant: the line that they were about has been changed."""
    return sorted(set(lawful) - set(mutants))
