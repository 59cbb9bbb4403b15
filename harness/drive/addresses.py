"""Addresses of a run: on loopback every 127.x.y.z is a host of its own, and no two runs may share one.

A run leases a whole block 127.N.0.0/16 by a lock on a file; the kernel gives the lock back however the run ends.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import tempfile
from pathlib import Path
from typing import IO

from harness.errors import SetupError
from harness.plan import Address

# 127.0/16 is left to the machine, and the blocks from 200 on to whoever needs fixed addresses.
_BLOCKS = range(16, 200)


class LoopbackPool:
    """Leases addresses of one block; :meth:`close` gives the block back."""

    def __init__(self) -> None:
        self._lock, self._block = _lock_a_block()
        self._hosts = itertools.count(1)

    def lease(self, port: int = 5060) -> Address:
        """An address that nothing of this run, and no other run on this machine, has had."""
        host = next(self._hosts)
        if host >= 1 << 16:
            raise SetupError("this run has used all of its 65,535 loopback addresses", "split the run by -k")
        return Address(f"127.{self._block}.{host >> 8}.{host & 255}", port)

    def close(self) -> None:
        """Give the block back."""
        self._lock.close()


def lock_folder() -> Path:
    """Where the locks of this user's runs live: outside any run, so that runs see each other."""
    folder = Path(tempfile.gettempdir()) / f"sipverdict-locks-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def try_lock(path: Path) -> IO[str] | None:
    """The locked, open file at ``path``, or None if somebody holds it.  Closing it unlocks."""
    handle = path.open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle


def _lock_a_block() -> tuple[IO[str], int]:
    folder = lock_folder()
    # Runs start at different blocks, so that two that start together rarely meet.
    offset = os.getpid() % len(_BLOCKS)
    for block in (*_BLOCKS[offset:], *_BLOCKS[:offset]):
        lock = try_lock(folder / f"127.{block}.lock")
        if lock is not None:
            return lock, block
    raise SetupError(f"all {len(_BLOCKS)} loopback blocks of {folder} are in use", "end another run first")
