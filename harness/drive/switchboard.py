"""Whose message it is: what comes to a socket that drives share, or when its drive is over.

A message goes by the digits that it bears, or by the Call-ID of what has come before.  What bears nobody's digits is a
stray: it is kept with its time, and belongs to the evidence of every drive that was going on then, for it may be a
call of any of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from harness.drive.names import Names
from harness.drive.recorder import Recorder
from harness.model.flow import Event, Unreadable

MOST_STRAYS: Final = 200
"""How many strays of one device are kept; the last ones count."""


@dataclass
class Switchboard:
    """The drives of one device by their digits, those that are over included."""

    names: Names
    _recorders: dict[str, Recorder] = field(default_factory=dict)
    _moved: dict[str, Recorder] = field(default_factory=dict)
    """Calls that came to the seat of another drive than their own, by Call-ID."""
    _strays: list[Event] = field(default_factory=list)
    _unreadable: list[Unreadable] = field(default_factory=list)

    def enrol(self, token: str, recorder: Recorder) -> None:
        """From now on messages that carry ``token`` belong to ``recorder``."""
        self._recorders[token] = recorder

    def hear(self, event: Event) -> None:
        """Take what came to a socket that all drives share."""
        if owner := self._owner(event):
            owner.hear(event)
        else:
            self._strays.append(event)
            del self._strays[:-MOST_STRAYS]

    def put_aside(self, unreadable: Unreadable) -> None:
        """Take what came there and is no SIP message."""
        for token in re.findall(self.names.tokens, unreadable.text):
            if token in self._recorders:
                self._recorders[token].put_aside(unreadable)
                return
        self._unreadable.append(unreadable)
        del self._unreadable[:-MOST_STRAYS]

    def hear_at(self, event: Event, recorder: Recorder) -> None:
        """Take what crossed a seat of the drive of ``recorder``.

        Where addresses are few, a late call of a drive that is over comes to the seat of another one: it is not that
        one's.
        """
        if event.call_id not in self._moved and event.method == "INVITE" and event.to_tag is None:
            owner = self._owner(event)
            if owner is not None and owner is not recorder and owner.over and not self._bears(event, recorder):
                self._moved[event.call_id] = owner
        self._moved.get(event.call_id, recorder).hear(event)

    def strays(self, since: float, until: float) -> Iterator[Event]:
        """What came in this time (seconds since the epoch) and bears nobody's digits."""
        return (event for event in self._strays if since <= event.time <= until)

    def unreadable(self, since: float, until: float) -> Iterator[Unreadable]:
        """What came in this time to a shared socket, and is no SIP message."""
        return (one for one in self._unreadable if since <= one.time <= until)

    def _owner(self, event: Event) -> Recorder | None:
        for token in self._tokens(event):
            if token in self._recorders:
                return self._recorders[token]
        return next((one for one in self._recorders.values() if event.call_id in one.call_ids), None)

    def _bears(self, event: Event, recorder: Recorder) -> bool:
        return any(self._recorders.get(token) is recorder for token in self._tokens(event))

    def _tokens(self, event: Event) -> list[str]:
        return re.findall(self.names.tokens, event.raw.partition("\r\n\r\n")[0])
