"""The dialogs of a flow (RFC 3261 12): how each came about, whether it is confirmed, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model.flow import Event

_CREATE = ("INVITE", "SUBSCRIBE", "REFER", "NOTIFY")


@dataclass
class Dialog:
    """One dialog between a seat and the device, or between two seats through it."""

    by: Event
    """The response that made it."""
    confirmed: bool = False
    ended: Event | None = None
    """The BYE, or the refusal of the early dialog, that ended it."""


class Dialogs:
    """All dialogs, by Call-ID and tags: which side has which tag does not matter."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, frozenset[str]], Dialog] = {}
        self._by_request: dict[tuple[str, str, int | None], list[Dialog]] = {}

    def answered(self, response: Event) -> None:
        """Take a response, of either side: it may make, confirm or end a dialog."""
        status = response.status or 0
        if response.cseq_method not in _CREATE or status <= 100:
            return
        request = (response.call_id, response.cseq_method, response.cseq_number)
        if status >= 300:
            for dialog in self._by_request.get(request, ()):
                if not dialog.confirmed and dialog.ended is None:
                    dialog.ended = response
            return
        key = _key(response)
        if key is None:
            return
        known = self._all.get(key)
        if known is None:
            known = self._all[key] = Dialog(response)
            self._by_request.setdefault(request, []).append(known)
        if status >= 200 and not known.confirmed:
            # A 200 that comes after a refusal makes a dialog all the same: whoever sent it has one.
            known.confirmed, known.by, known.ended = True, response, None

    def bye(self, request: Event) -> None:
        """Take a BYE of either side."""
        dialog = self.of(request)
        if dialog is not None and dialog.ended is None:
            dialog.ended = request

    def of(self, request: Event) -> Dialog | None:
        """The dialog that a request with a To tag belongs to; None if there is none."""
        key = _key(request)
        return self._all.get(key) if key else None


def _key(event: Event) -> tuple[str, frozenset[str]] | None:
    to_tag = event.to_tag
    return (event.call_id, frozenset((event.from_tag or "", to_tag))) if to_tag else None
