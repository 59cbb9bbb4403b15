"""Standard output and standard error that survive whatever becomes of their readers.

A pipe that is closed (``sipverdict run … | head -1``), a full disk or a closed descriptor must change neither what a
command does nor its exit status.  The first write that fails sends the rest of that stream to /dev/null.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_NOT_WORTH_A_WORD: Final = {errno.EPIPE, errno.EBADF, errno.EIO}
"""The reader has gone (EIO: its terminal), or never was: that was its own choice."""


class _Lasting(io.FileIO):
    """A descriptor for writing that never fails: what cannot be written is lost."""

    def __init__(self, descriptor: int, on_lost: Callable[[OSError], None]) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._on_lost = on_lost
        self._said = False

    def write(self, data: ReadableBuffer, /) -> int:
        """Write all or nothing of ``data``, and say that it was written."""
        try:
            written = super().write(data)
        except OSError as error:
            _to_nowhere(self.fileno())
            # Once: pytest puts the descriptor back again and again while it captures the output of tests.
            if not self._said:
                self._said = True
                self._on_lost(error)
            return memoryview(data).nbytes
        # None: a terminal or a pipe in non-blocking mode that takes nothing just now.  No command waits for it.
        return memoryview(data).nbytes if written is None else written


def make_output_last() -> None:
    """Replace ``sys.stdout`` and ``sys.stderr`` by streams that never fail.  Call it first of all."""
    for descriptor in (0, 1, 2):
        # A closed descriptor would be given to the next file that is opened, and output written into that.
        try:
            os.fstat(descriptor)
        except OSError:
            _to_nowhere(descriptor)
    sys.stderr = _stream(2, sys.stderr, lambda _error: None)
    sys.stdout = _stream(1, sys.stdout, _say)


def _stream(descriptor: int, old: object, on_lost: Callable[[OSError], None]) -> io.TextIOWrapper:
    if isinstance(old, io.TextIOWrapper):
        with contextlib.suppress(OSError, ValueError):
            old.flush()
    like = old if isinstance(old, io.TextIOWrapper) else None
    return io.TextIOWrapper(
        io.BufferedWriter(_Lasting(descriptor, on_lost)),
        encoding=like.encoding if like else "utf-8",
        errors="backslashreplace" if descriptor == 2 or like is None else like.errors,
        line_buffering=descriptor == 2 or os.isatty(descriptor),
    )


def _to_nowhere(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere != descriptor:
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


def _say(error: OSError) -> None:
    if error.errno not in _NOT_WORTH_A_WORD:
        why = error.strerror or str(error)
        print(f"sipverdict: the output is incomplete: {why}; the exit status is not affected", file=sys.stderr)
