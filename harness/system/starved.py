"""How long processes could have run and had to wait for a processor: what a busy machine does to them, and not they."""

from __future__ import annotations

from pathlib import Path

_PROC = Path("/proc")


def waited_for_cpu(pid: int) -> float:
    """Seconds that the threads of process ``pid`` and of its children have waited for a processor so far.

    0.0 where the kernel does not tell (second number of ``/proc/PID/task/TID/schedstat``), and of one that is gone.
    """
    # Not by psutil: it reads every process of the machine to find the children of one.
    waited = 0.0
    try:
        for thread in (_PROC / str(pid) / "task").iterdir():
            waited += int((thread / "schedstat").read_text("ascii").split()[1]) / 1e9
            waited += sum(map(waited_for_cpu, map(int, (thread / "children").read_text("ascii").split())))
    except (OSError, ValueError, IndexError):
        pass  # it ended meanwhile
    return waited
