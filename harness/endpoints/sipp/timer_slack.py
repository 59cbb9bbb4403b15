"""Sets the timer slack of a SIPp, the delay that the kernel may add to its timers: SIPp polls every millisecond.

64 idle endpoints take two cores without slack, a fifth of one with 20 ms.  The price is an answer that is later by the
slack, so each SIPp has the slack that its present task permits.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator
from functools import cache
from pathlib import Path

CALLER_NS = 5_000_000
"""For a caller: its next message is due at once."""
ENDPOINT_NS = 20_000_000
"""For a callee."""
EXACT_NS = 2_000_000
"""For a SIPp that loses what comes between two of its steps (:attr:`.binary.SippBinary.step_s`): each is a timer."""
REST_NS = 100_000_000
"""For an endpoint whose calls are over: later messages are evidence, and need no quick answer."""

_PR_SET_TIMERSLACK = 29
_PR_GET_TIMERSLACK = 30


@contextlib.contextmanager
def inherited(slack_ns: int) -> Iterator[None]:
    """Processes that this thread starts inside the block begin with this slack (prctl(2))."""
    before = _prctl(_PR_GET_TIMERSLACK, 0)
    _prctl(_PR_SET_TIMERSLACK, slack_ns)
    try:
        yield
    finally:
        _prctl(_PR_SET_TIMERSLACK, before)


def give(pid: int, slack_ns: int) -> None:
    """Give this slack to a process.  If it is forbidden, or the process has ended, it only costs CPU."""
    with contextlib.suppress(OSError), Path(f"/proc/{pid}/timerslack_ns").open("wb", buffering=0) as slack:
        slack.write(b"%d" % slack_ns)


def _prctl(option: int, value: int) -> int:
    unused = ctypes.c_ulong(0)
    return int(_libc().prctl(option, ctypes.c_ulong(value), unused, unused, unused))


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)
