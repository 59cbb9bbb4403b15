"""What is odd about a response on purpose: changes that the tap makes to its bytes, as data of the plan.

SIPp writes whole and correct messages only, and reads no more than 64 kB of scenario.  So it writes a plain response,
and the tap changes that on its way out.  The flow records what the device was sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MARK: Final = "Sipverdict-Oddity"
"""The header line by which the tap knows which oddity a response of SIPp is to have.  No device sees it."""
_MARKED: Final = re.compile(rf"\r\n{MARK}: (\d+)(?=\r\n)")


@dataclass(frozen=True)
class Rewrite:
    """One change: what matches ``pattern`` becomes ``put``.

    The pattern is a regular expression over the whole message, one character per byte (latin-1); ``^`` and ``$`` match
    at line ends.  ``put`` may hold the placeholders of a plan, ``{it}`` for what was matched, and ``{n}``: how many odd
    responses the endpoint has sent by then, this one included.  A brace itself is written twice.
    """

    pattern: str
    put: str = ""
    times: int = 1
    """How many matches change; 0: all."""


@dataclass(frozen=True)
class Oddity:
    """What is odd about a response, and how findings name it: ``a foreign branch``."""

    name: str = ""
    rewrites: tuple[Rewrite, ...] = ()
    aside: bool = False
    """Whether it comes from another port of the endpoint's host than the INVITE went to."""

    def __bool__(self) -> bool:
        return bool(self.rewrites or self.aside)

    def applied(self, text: str, fill: Callable[..., str], number: int) -> str | None:
        """``text`` with all changes made; None if one of them found nothing to change.

        ``fill`` fills in placeholders, with further values by name; ``number`` is that of ``{n}``.
        """
        for rewrite in self.rewrites:
            text, times = re.subn(
                rewrite.pattern,
                lambda found, put=rewrite.put: fill(put, it=found[0], n=number),  # type: ignore[misc]
                text,
                count=rewrite.times,
                flags=re.MULTILINE,
            )
            if not times:
                return None
        return text


NOTHING_ODD: Final = Oddity()


def marked(text: str) -> tuple[int | None, str]:
    """The number behind :data:`MARK` in a message of SIPp, and the message without it; None where it has none."""
    found = _MARKED.search(text)
    return (int(found[1]), text[: found.start()] + text[found.end() :]) if found else (None, text)
