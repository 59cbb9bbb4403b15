"""What validation says beyond pydantic's own errors: a type and its facts, which loading puts into words."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from pydantic_core import PydanticCustomError

CONTRADICTION: Final = "contradiction"
"""Two keys do not fit together.  Context: ``key`` (dotted), ``expected``."""
UNKNOWN_PLACEHOLDER: Final = "unknown_placeholder"
"""Context: ``name``, ``expected``, ``known`` (the names that there are)."""
UNKNOWN_PICS_KEY: Final = "unknown_pics_key"
"""Context: none; the key is the error's location."""


def contradiction(key: str, expected: str) -> PydanticCustomError:
    """The error for the key ``key`` of the profile, which contradicts another one."""
    return PydanticCustomError(CONTRADICTION, "{key}: {expected}", {"key": key, "expected": expected})


def unknown_placeholder(name: str, known: Collection[str], where: str = "") -> PydanticCustomError:
    """The error for ``{name}``, of which only ``known`` exist; ``where``: "" or " here"."""
    names = ", ".join(f"{{{each}}}" for each in sorted(known))
    expected = f"{{{name}}} is no placeholder{where}; there are {names}"
    return PydanticCustomError(
        UNKNOWN_PLACEHOLDER, "{expected}", {"name": name, "expected": expected, "known": sorted(known)}
    )


def unknown_pics_key() -> PydanticCustomError:
    """The error for a key of ``[pics]`` that does not exist."""
    return PydanticCustomError(UNKNOWN_PICS_KEY, "no such PICS key")
