"""The process group of this process's SIPps, which ends with this process even if it is killed.

An orphan would keep its port for ever.  A shell leads the group and waits for the end of its standard input, a pipe
whose other end only this process holds.  (``setpriv --pdeathsig`` before every SIPp does the same; it costs another
1.5 ms of CPU each time.)
"""

from __future__ import annotations

import atexit
import subprocess
from contextlib import suppress

from harness.errors import SippError

_LAST_ACT = "read _; kill -KILL 0"
_leader: subprocess.Popen[bytes] | None = None


def group() -> int:
    """The id of the group, for ``Popen(process_group=...)``.  SippError if it cannot be created."""
    global _leader
    if _leader is None or _leader.poll() is not None:
        try:
            # A group of its own: Ctrl-C in a terminal reaches only the run, which then ends its endpoints in order.
            _leader = subprocess.Popen(["/bin/sh", "-c", _LAST_ACT], stdin=subprocess.PIPE, process_group=0)
        except OSError as error:
            raise SippError(f"/bin/sh cannot be started: {error}", "the suite needs it to end its SIPps") from error
    return _leader.pid


@atexit.register
def _disband() -> None:
    if _leader is not None and _leader.stdin is not None:
        with suppress(OSError):
            _leader.stdin.close()
        _leader.wait()
