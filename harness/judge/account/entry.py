"""What the account says of a message: its cause, or why nothing explains it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from harness.model.flow import Event

Kind = Literal["call", "target", "again", "copy", "ack", "cancel", "dialog", "relay", "own", "answer"]
"""``call``: opens a call that was wanted; ``target``: goes to a further target of it; ``again``: the same request once
more for a lawful reason (a challenge); ``own``: what devices send by themselves (REGISTER, OPTIONS, SUBSCRIBE …)."""


@dataclass(frozen=True)
class Explanation:
    """Why the device sent a message."""

    kind: Kind
    cause: int | None
    """The number of the message that caused it; None where no message did."""
    sentence: str
    """It in a short phrase: ``to the Contact of message 3``."""


@dataclass(frozen=True)
class Unexplained:
    """A message for which the account knows no cause."""

    code: str
    """What kind of message it is: ``call-unasked``."""
    sentence: str
    elsewhere: bool = False
    """Whether another rule judges just this, so that the account only shows it."""


Entry = Explanation | Unexplained


@dataclass(frozen=True)
class Account:
    """Every message of the device in one flow, late ones included, by its number."""

    entries: Mapping[int, Entry]

    def unexplained(self) -> Iterator[tuple[int, Unexplained]]:
        """The messages that nothing explains, in order."""
        for number, entry in self.entries.items():
            if isinstance(entry, Unexplained):
                yield number, entry

    def explains(self, number: int | None) -> bool:
        """Whether message ``number`` has a cause, or is not the device's."""
        return not isinstance(self.entries.get(number or 0), Unexplained)

    def phrase(self, number: int | None) -> str:
        """What a ladder says beside message ``number``; "" for one that is not the device's."""
        entry = self.entries.get(number or 0)
        if entry is None:
            return ""
        return f"unexplained: {entry.sentence}" if isinstance(entry, Unexplained) else entry.sentence


def named(event: Event) -> str:
    """A message in a sentence: ``the 302 (message 3)``, ``the INVITE (message 1)``."""
    return f"the {event.status or event.method} (message {event.number})"
