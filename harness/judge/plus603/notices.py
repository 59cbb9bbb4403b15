"""The redress data of one flow: what the 603+ that a device sent say, and whether the device made them itself."""

from __future__ import annotations

from collections.abc import Iterable

from harness.model.flow import Direction
from harness.sip.message import SipMessage
from harness.sip.plus603 import Plus603, Redress


def notices(messages: Iterable[tuple[Direction, SipMessage]]) -> tuple[bool, tuple[Redress, ...]]:
    """Whether the device made the 603+ among ``messages`` itself, and the redress data of those that it sent.

    What it was sent a 603+ for it passed on.
    """
    given, sent = False, list[Redress]()
    for direction, message in messages:
        read = Plus603(message)
        if not read.is_plus:
            continue
        if direction == "sent":
            given = True
        else:
            sent.append(read.redress)
    return not given, tuple(dict.fromkeys(sent))
