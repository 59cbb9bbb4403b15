"""What many judges ask of one flow is worked out once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

from harness.model.flow import Flow

Result = TypeVar("Result")


def once_per_flow(read: Callable[[Flow], Result]) -> Callable[[Flow], Result]:
    """Keep with each flow what the pure function ``read`` made of it, for as long as the flow lives."""
    place = f"_{read.__module__}.{read.__qualname__}"

    @functools.wraps(read)
    def kept(flow: Flow) -> Result:
        # Not one of its fields: a flow is equal to, and stored like, one that nobody has judged yet.
        known: dict[str, Result] = flow.__dict__
        if place not in known:
            known[place] = read(flow)
        return known[place]

    return kept
