"""What every user of a client transaction in a user agent does alike."""

from __future__ import annotations

from .wire import Final, InboundResponse


class UacUser:
    """Hears of responses and does nothing about them; a BYE and a CANCEL need no more."""

    def accepts(self, response: InboundResponse) -> bool:
        """Refuse a response with more than one Via: it was meant for somebody else (8.1.3.3)."""
        return len(response.vias) == 1

    def on_provisional(self, response: InboundResponse) -> None:
        """Hear of a 1xx."""

    def on_final(self, final: Final) -> None:
        """Hear of the end."""
