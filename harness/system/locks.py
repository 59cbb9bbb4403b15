"""Locks between the runs of one user: the kernel gives them back however a run ends."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path
from typing import IO

from harness.system import isolation


def lock_folder() -> Path:
    """Where the locks of this user's runs live: outside any run, so that runs see each other."""
    if outside := isolation.locks_outside():
        # In a network of its own nobody else's addresses matter; the number of a namespace that is over is used again.
        folder = Path(outside) / f"net-{isolation.namespace()}"
    else:
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
