"""Errors of the disk, worded."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from harness.errors import SetupError

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG, errno.ENOENT, errno.EIO}


@contextlib.contextmanager
def disk_errors() -> Iterator[None]:
    """A file that cannot be written is a matter of this machine, said in one sentence."""
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK:
            raise
        where = f" {error.filename}" if error.filename else ""
        raise SetupError(
            f"cannot write{where}: {error.strerror or error}",
            "see the disk and the rights of that folder, or choose another one with --out",
        ) from error
