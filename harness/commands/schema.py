"""``sipverdict schema``: prints the JSON Schema of a device profile, for editors."""

from __future__ import annotations

from harness.manual.schema import as_text, profile_schema


def schema() -> int:
    """Print it, with every kind of stimulus that is installed."""
    print(as_text(profile_schema()), end="")
    return 0
