"""Signals that end a command: SIGTERM and SIGHUP end it exactly as Ctrl-C does."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from typing import Final

_received: list[str] = []
"""The signal that ends this process: signals are a matter of the whole process."""
_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(KeyboardInterrupt):
    """A signal asked for the end; the text says which.

    Not KeyboardInterrupt itself: if that strikes in code that was made by ``exec`` (every dataclass is), Python kills
    itself by SIGINT at its end, although the interrupt was handled, and the exit status is lost.
    """


def end_like_ctrl_c() -> None:
    """Let the first of these signals raise KeyboardInterrupt, and ignore those after it: cleaning up is to be finished.

    A signal that is ignored already stays so: ``nohup`` and background jobs of a shell want that.
    """
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def ended_by() -> str:
    """The name of the signal that ends this process; "" if none does.

    Not every end shows as :class:`Ended`: Python turns one that strikes while a class is being made into RuntimeError.
    """
    return _received[0] if _received else ""


@contextlib.contextmanager
def ends_as_asked() -> Iterator[None]:
    """Let what a signal broke in this block be :class:`Ended` again."""
    try:
        yield
    except Exception as error:
        if name := ended_by():
            raise Ended(f"ended by {name}") from error
        raise


def _end(number: int, _frame: object) -> None:
    # One cause sends several signals: a closing terminal SIGHUP and then SIGTERM, an impatient person Ctrl-C twice.
    for other in _ENDING:
        signal.signal(other, signal.SIG_IGN)
    _received.append(signal.Signals(number).name)
    text = f"ended by {_received[0]}"
    # At once: cleaning up takes a moment, and before pytest has begun nobody else would say it.
    with contextlib.suppress(OSError):
        os.write(2, f"sipverdict: {text}\n".encode())
    raise Ended(text)
