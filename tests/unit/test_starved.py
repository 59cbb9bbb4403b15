"""What a busy machine does to a process can be told from what the process does."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from harness.system.starved import waited_for_cpu

SPIN = "while True: pass"
WAIT = "import sys; sys.stdin.read()"


def test_a_process_that_wants_a_processor_waits_and_one_that_wants_none_does_not() -> None:
    many = 2 * (os.cpu_count() or 1)
    running = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(many)]
    idle = subprocess.Popen([sys.executable, "-c", WAIT], stdin=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while min(waited_for_cpu(one.pid) for one in running) < 0.5:
            assert time.monotonic() < deadline, [waited_for_cpu(one.pid) for one in running]
        before = waited_for_cpu(idle.pid)
        began = time.monotonic()
        while time.monotonic() < began + 0.5:
            pass
        assert waited_for_cpu(idle.pid) - before < 0.1
    finally:
        for one in (*running, idle):
            one.kill()
            one.wait()
        assert idle.stdin is not None
        idle.stdin.close()


def test_what_is_gone_waits_for_nothing() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert waited_for_cpu(gone.pid) == 0.0
