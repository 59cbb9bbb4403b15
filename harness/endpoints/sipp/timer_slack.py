"""How much later than it asks the kernel may wake a SIPp: SIPp polls every millisecond, idle or not.

64 idle endpoints take two cores without slack, a fifth of one with 20 ms.  The price is an answer so much later, so
each has as much as what it does just now bears.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator
from functools import cache
from pathlib import Path

CALLER_NS = 5_000_000
"""For one that calls: its next message is due at once."""
ENDPOINT_NS = 20_000_000
"""For one that is called."""
REST_NS = 100_000_000
"""For one whose calls are over, and what still comes is evidence rather than a call."""

_PR_SET_TIMERSLACK = 29
_PR_GET_TIMERSLACK = 30


@contextlib.contextmanager
def inherited(slack_ns: int) -> Iterator[None]:
    """What this thread starts meanwhile has this slack from its first instruction on (prctl(2))."""
    before = _prctl(_PR_GET_TIMERSLACK, 0)
    _prctl(_PR_SET_TIMERSLACK, slack_ns)
    try:
        yield
    finally:
        _prctl(_PR_SET_TIMERSLACK, before)


def give(pid: int, slack_ns: int) -> None:
    """Give this slack to a process.  Where that is forbidden, or it has gone, it only costs CPU."""
    with contextlib.suppress(OSError), Path(f"/proc/{pid}/timerslack_ns").open("wb", buffering=0) as slack:
        slack.write(b"%d" % slack_ns)


def _prctl(option: int, value: int) -> int:
    unused = ctypes.c_ulong(0)
    return int(_libc().prctl(option, ctypes.c_ulong(value), unused, unused, unused))


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)
