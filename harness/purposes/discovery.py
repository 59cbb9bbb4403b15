"""Finding the purposes without pytest: for ``sipverdict list``, ``explain`` and ``replay``."""

from __future__ import annotations

import importlib
from pathlib import Path

from harness.paths import ROOT, SUITES
from harness.purposes.purpose import Purpose, purpose_of


def all_purposes(suites: Path = SUITES) -> dict[str, Purpose]:
    """Every purpose below ``suites`` by name, in the order of folders, files and lines."""
    found: dict[str, Purpose] = {}
    for path in sorted(suites.rglob("test_*.py")):
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for value in vars(module).values():
            purpose = purpose_of(value)
            if purpose is not None and value.__module__ == module.__name__:
                found[purpose.name] = purpose
    return found
