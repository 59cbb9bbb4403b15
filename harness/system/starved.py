"""How long processes could have run and had to wait for a processor: what a busy machine does to them, and not they."""

from __future__ import annotations

from pathlib import Path

import psutil

_PROC = Path("/proc")


def waited_for_cpu(pid: int) -> float:
    """Seconds that the threads of process ``pid`` and of its children have waited for a processor so far.

    0.0 where the kernel does not tell (second number of ``/proc/PID/task/TID/schedstat``), and of one that is gone.
    """
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return 0.0
    return sum(_waited(one.pid) for one in family)


def _waited(pid: int) -> float:
    total = 0
    try:
        for thread in (_PROC / str(pid) / "task").iterdir():
            total += int((thread / "schedstat").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return total / 1e9
