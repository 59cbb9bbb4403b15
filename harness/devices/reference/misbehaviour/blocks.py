"""Faults of a device that blocks calls itself (47 CFR 64.1200(k)(9), ATIS-1000099)."""

from __future__ import annotations

from dataclasses import replace

from ..behaviour import Behaviour
from ..blocking import BLOCKED, PHRASE, REDRESS
from ..wire import InboundRequest, OutboundResponse, Refusal


class BlocksWith608(Behaviour):
    """Wrong by the rule: since 603+ it is no code for analytics any more."""

    def blocked(self, refusal: Refusal) -> Refusal:
        """Send what was right before."""
        return Refusal(608, "Rejected", (("Call-Info", "<https://block.example/card.jws>;purpose=jwscard"),))


class BlocksWithDecline(Behaviour):
    """Wrong by the standard as reported: it is one of the two signs."""

    def blocked(self, refusal: Refusal) -> Refusal:
        """Send the phrase of RFC 3261."""
        return replace(super().blocked(refusal), reason="Decline")


class BlocksWithoutContact(Behaviour):
    """Wrong by the standard as reported: the caller does not learn whom to ask."""

    def blocked(self, refusal: Refusal) -> Refusal:
        """Leave it out."""
        return _with_text(super().blocked(refusal), "id=4711")


class BlocksWithHttp(Behaviour):
    """Wrong by the standard as reported: the URL is https."""

    def blocked(self, refusal: Refusal) -> Refusal:
        """Send what was configured."""
        return _with_text(super().blocked(refusal), "url=http://redress.example/reference")


class BlocksUnquoted(Behaviour):
    """Wrong by RFC 3326 section 2: the text ends at its first semicolon."""

    def blocked(self, refusal: Refusal) -> Refusal:
        """Forget the quotation marks."""
        refusal = super().blocked(refusal)
        return replace(refusal, fields=tuple((name, value.replace('"', "")) for name, value in refusal.fields))


class BlocksSomewhere(Behaviour):
    """Wrong by RFC 8606: a location is one of a few words."""

    def blocked(self, refusal: Refusal) -> Refusal:
        """Send a name."""
        refusal = super().blocked(refusal)
        fields = ((name, value.replace("location=TN", "location=Acme")) for name, value in refusal.fields)
        return replace(refusal, fields=tuple(fields))


class BlocksAfterRinging(Behaviour):
    """Wrong by the rule: a block is returned immediately."""

    rings_before_block = True


class BlocksSecondCallWith403(Behaviour):
    """Wrong by the rule: each call that analytics blocks gets a 603+."""

    def __init__(self) -> None:
        super().__init__()
        self._calls = 0

    def blocked(self, refusal: Refusal) -> Refusal:
        """Take a caller who tries again for an attack."""
        self._calls += 1
        return super().blocked(refusal) if self._calls % 2 else Refusal(403, "Forbidden", ())


class BlocksEverything(Behaviour):
    """Wrong by the rule: 603+ is for analytics."""

    def answer(self, response: OutboundResponse, request: InboundRequest) -> OutboundResponse:
        """Make a 603+ of it."""
        response = super().answer(response, request)
        if request.method != "INVITE" or response.code not in (404, 603):
            return response
        kept = tuple(field for field in response.fields if field[0] != "Reason")
        return replace(response, code=603, reason=PHRASE, fields=(*kept, *BLOCKED.fields))


class MapsCause21To403(Behaviour):
    """Wrong by RFC 3398 8.2.6.1 and the rule: with location "user" it is 603."""

    def released(self, refusal: Refusal) -> Refusal:
        """Look at the cause alone."""
        return replace(super().released(refusal), code=403, reason="Forbidden")


class GarblesLocationOfIsup(Behaviour):
    """Wrong by RFC 8606 section 4: where nothing can be said, nothing is written."""

    def released(self, refusal: Refusal) -> Refusal:
        """Write the name of the parameter, and no value."""
        refusal = super().released(refusal)
        fields = tuple((name, value.replace("location=U", "location=")) for name, value in refusal.fields)
        return replace(refusal, fields=fields)


def _with_text(refusal: Refusal, redress: str) -> Refusal:
    return replace(refusal, fields=tuple((name, value.replace(REDRESS, redress)) for name, value in refusal.fields))
