"""What many rules read off one flow is read off it once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from harness.model.flow import Flow

_Read = TypeVar("_Read")


def once(read: Callable[[Flow], _Read]) -> Callable[[Flow], _Read]:
    """``read``, which keeps its result with the flow, as ``functools.cached_property`` does."""
    name = f"_{read.__module__}.{read.__qualname__}"

    @functools.wraps(read)
    def reading(flow: Flow) -> _Read:
        kept: dict[str, Any] = vars(flow)
        if name not in kept:
            kept[name] = read(flow)
        found: _Read = kept[name]
        return found

    return reading
