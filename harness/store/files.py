"""Writes the files of a run, each whole or not at all.  A full disk is an error with a hint, never a traceback."""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
from pathlib import Path

from harness.errors import SetupError


def is_file(path: Path) -> bool:
    """Whether ``path`` is a file; False as well for a path that no file can have, such as one of 5,000 characters."""
    # Path.is_file raises for those.
    return os.path.isfile(path)  # noqa: PTH113


def write_whole(path: Path, content: str | bytes) -> None:
    """Write ``content`` to ``path`` so that a reader sees the old file or the new; SetupError if the disk refuses."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace"))
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> SetupError:
    """The error for a failed write: the path, the cause, and what to do."""
    hint = {
        errno.ENOSPC: "free some space on that disk; earlier files are intact",
        errno.EDQUOT: "free some space in your quota; earlier files are intact",
        errno.EFBIG: "the file size limit (ulimit -f) is too low",
        errno.EACCES: "give this user the right to write there, or choose another folder",
        errno.EPERM: "give this user the right to write there, or choose another folder",
        errno.EROFS: "that file system is read-only: choose another folder",
        errno.EEXIST: "a file has that name: name a folder",
        errno.ENOTDIR: "a file has that name: name a folder",
        errno.EISDIR: "that is a folder: name a file in it",
        errno.ENOENT: f"make the folder first: mkdir -p {shlex.quote(str(path.parent))}",
    }.get(error.errno or 0, "check the folder and its file system")
    return SetupError(f"cannot write {path}: {error.strerror or error}", hint)
