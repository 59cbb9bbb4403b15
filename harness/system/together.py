"""Waiting for several things at one time, to the end of all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any


async def together(works: Iterable[Awaitable[Any]]) -> None:
    """Return when every one of ``works`` is over; then raise the error of the first that failed or was cancelled.

    ``asyncio.gather`` alone ends with the first of them, and leaves the others to go on unattended.
    """
    for result in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
