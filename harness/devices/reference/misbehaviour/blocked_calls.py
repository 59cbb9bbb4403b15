"""Faults of a device in the path of a 603+, or upstream of it (47 CFR 64.1200(k)(9), ATIS-1000099)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import unquote

from ..behaviour import Behaviour
from ..blocking import BLOCKED, PHRASE
from ..headers import canonical
from ..sip_uri import Address
from ..wire import Fields, Final, InboundRequest, InboundResponse, OutboundResponse, Refusal

_PLAIN = "Decline"


class _OnTheWay(Behaviour):
    """Changes a 603+ that a proxy, or the other leg of a B2BUA, passes on."""

    def is_changed(self, refusal: Refusal, call_id: str) -> bool:
        """Say whether a refusal is one that it changes."""
        return _is_603plus(refusal.code, refusal.reason, refusal.fields)

    def changed(self, refusal: Refusal) -> Refusal:
        """Return what becomes of it."""
        return refusal

    def upstream(self, response: OutboundResponse, request: InboundRequest, local: Address) -> OutboundResponse:
        """Change what a proxy passes on."""
        response = super().upstream(response, request, local)
        now = self._passed(Refusal(response.code, response.reason, response.fields), request.call_id)
        return replace(response, code=now.code, reason=now.reason, fields=now.fields)

    def told(self, final: Final, dialled: str, local: Address) -> Refusal | None:
        """Change what the caller of a B2BUA is told."""
        refusal = super().told(final, dialled, local)
        call_id = final.response.call_id if final.response is not None else ""
        return refusal and self._passed(refusal, call_id)

    def _passed(self, refusal: Refusal, call_id: str) -> Refusal:
        return self.changed(refusal) if self.is_changed(refusal, call_id) else refusal


class Resets603plusPhrase(_OnTheWay):
    """Wrong: the phrase is one of the two signs."""

    def changed(self, refusal: Refusal) -> Refusal:
        """Take the phrase from a table."""
        return replace(super().changed(refusal), reason=_PLAIN)


class StripsReasonOf603plus(_OnTheWay):
    """Wrong: the caller does not learn whom to ask."""

    def changed(self, refusal: Refusal) -> Refusal:
        """Leave it out."""
        refusal = super().changed(refusal)
        return replace(refusal, fields=_without_reason(refusal.fields))


class AddsSecondReason(_OnTheWay):
    """Wrong: the caller's side may read the wrong one."""

    def changed(self, refusal: Refusal) -> Refusal:
        """Add what the other side of a gateway would like."""
        refusal = super().changed(refusal)
        return replace(refusal, fields=(*refusal.fields, ("Reason", 'Q.850;cause=17;text="User busy"')))


class Maps603plusTo403(_OnTheWay):
    """Wrong: the caller's provider tries another route."""

    def changed(self, refusal: Refusal) -> Refusal:
        """Take a block for a ban."""
        return Refusal(403, "Forbidden", _without_reason(refusal.fields))


class Maps603plusTo480(_OnTheWay):
    """Wrong: the caller's provider tries later."""

    def changed(self, refusal: Refusal) -> Refusal:
        """Take a block for an absence."""
        return Refusal(480, "Temporarily Unavailable", _without_reason(refusal.fields))


class Maps603plusTo486(_OnTheWay):
    """Wrong: the caller hears a busy tone."""

    def changed(self, refusal: Refusal) -> Refusal:
        """Take a block for a busy line, and keep what it says."""
        return replace(super().changed(refusal), code=486, reason="Busy Here")


class CutsReasonAtSemicolon(_OnTheWay):
    """Wrong by RFC 3261 25.1: a semicolon in quotation marks separates nothing."""

    def changed(self, refusal: Refusal) -> Refusal:
        """Split the value without a look at quotation marks."""
        return _rewritten(super().changed(refusal), r'"(v=analytics1);.*', r'"\1"')


class Loses603plusAfter180(_OnTheWay):
    """Wrong: many blocks are decided while it rings."""

    def __init__(self) -> None:
        super().__init__()
        self._rang: set[str] = set()

    def hears(self, response: InboundResponse) -> bool:
        """Note whose phone rings."""
        if response.code == 180:
            self._rang.add(response.call_id)
        return super().hears(response)

    def is_changed(self, refusal: Refusal, call_id: str) -> bool:
        """Change it if somebody's has."""
        return call_id in self._rang and super().is_changed(refusal, call_id)

    def changed(self, refusal: Refusal) -> Refusal:
        """End the call by the part of the program that knows plain codes."""
        return Refusal(603, _PLAIN, _without_reason(refusal.fields))


class Forgets603plusInCopies(Behaviour):
    """Wrong by 17.2.1: the caller may have lost the first one."""

    def repeated(self, response: OutboundResponse) -> OutboundResponse:
        """Make the copy of the status code."""
        response = super().repeated(response)
        if not _is_603plus(response.code, response.reason, response.fields):
            return response
        return replace(response, reason=_PLAIN, fields=_without_reason(response.fields))


class RemembersReasonOf603plus(Behaviour):
    """Wrong: the next call may be declined by a person."""

    def __init__(self) -> None:
        super().__init__()
        self._reason_of: dict[str, Fields] = {}

    def upstream(self, response: OutboundResponse, request: InboundRequest, local: Address) -> OutboundResponse:
        """Add what the host said last."""
        response = super().upstream(response, request, local)
        now = self._remembered(Refusal(response.code, response.reason, response.fields), request.uri)
        return replace(response, reason=now.reason, fields=now.fields)

    def told(self, final: Final, dialled: str, local: Address) -> Refusal | None:
        """Add what the host said last."""
        refusal = super().told(final, dialled, local)
        return refusal and self._remembered(refusal, dialled)

    def _remembered(self, refusal: Refusal, uri: str) -> Refusal:
        host = uri.rpartition("@")[2]
        if _is_603plus(refusal.code, refusal.reason, refusal.fields):
            self._reason_of[host] = tuple(field for field in refusal.fields if canonical(field[0]) == "reason")
        if refusal.code != 603 or host not in self._reason_of:
            return refusal
        return Refusal(603, PHRASE, (*_without_reason(refusal.fields), *self._reason_of[host]))


class Makes603plus(_OnTheWay):
    """Wrong: a person declined."""

    def is_changed(self, refusal: Refusal, call_id: str) -> bool:
        """Change every other 603."""
        return refusal.code == 603 and not super().is_changed(refusal, call_id)

    def changed(self, refusal: Refusal) -> Refusal:
        """Add both signs."""
        return Refusal(603, PHRASE, (*_without_reason(refusal.fields), *BLOCKED.fields))


class MakesPlain603(_OnTheWay):
    """Wrong: the caller is told that a person declined."""

    def changed(self, refusal: Refusal) -> Refusal:
        """Take both signs away."""
        return Refusal(603, _PLAIN, _without_reason(refusal.fields))


class RewritesRedress(_OnTheWay):
    """Wrong: the caller complains at the wrong place."""

    def changed(self, refusal: Refusal) -> Refusal:
        """Hide other people's hosts and numbers."""
        refusal = _rewritten(super().changed(refusal), r"(url=https://|email=\w+@)[^/;\"]+", r"\1sbc.example")
        return _rewritten(refusal, r"tel=\+[0-9]+", "tel=+10000000000")


class DecodesPercent(_OnTheWay):
    """Wrong: an escape in a URL is part of it (RFC 3986 section 2.4)."""

    def changed(self, refusal: Refusal) -> Refusal:
        """Undo the escapes, as in the user of a SIP URI."""
        refusal = super().changed(refusal)
        return replace(
            refusal, fields=tuple((n, unquote(v) if canonical(n) == "reason" else v) for n, v in refusal.fields)
        )


class KnowsReasonBySpelling(_OnTheWay):
    """Wrong by RFC 3261 7.3.1: the names of headers have no case."""

    def changed(self, refusal: Refusal) -> Refusal:
        """Throw out what it does not know."""
        refusal = super().changed(refusal)
        known = (field for field in refusal.fields if canonical(field[0]) != "reason" or field[0] == "Reason")
        return replace(refusal, fields=tuple(known))


class LosesLocation(_OnTheWay):
    """Wrong: nobody finds out which network blocked the call."""

    def changed(self, refusal: Refusal) -> Refusal:
        """Leave it out, wherever it stands."""
        return _rewritten(super().changed(refusal), r"(?i)\s*;\s*location\s*=\s*\w+", "")


class DoublesQuotes(_OnTheWay):
    """Wrong by RFC 3261 25.1: the text is empty now, and the rest is no parameter."""

    def changed(self, refusal: Refusal) -> Refusal:
        """Quote what is quoted."""
        return _rewritten(super().changed(refusal), r'(?i)(text\s*=\s*)"((?:[^"\\]|\\.)*)"', r'\1""\2""')


class LowersReason(_OnTheWay):
    """Wrong: the path of a URL has capital letters that matter."""

    def changed(self, refusal: Refusal) -> Refusal:
        """Write it in small letters, and what it does not know with it."""
        refusal = super().changed(refusal)
        return replace(
            refusal, fields=tuple((n, v.lower() if canonical(n) == "reason" else v) for n, v in refusal.fields)
        )


class MergesReasonsOfBranches(Behaviour):
    """Wrong by 16.7 item 7: only challenges are put together."""

    def best(self, stored: Sequence[Final]) -> Final:
        """Tell the caller everything that was said."""
        best = super().best(stored)
        if best.response is None:
            return best
        others = (final.response for final in stored if final is not best and final.response is not None)
        reasons = (field for other in others for field in other.fields if canonical(field[0]) == "reason")
        return replace(best, response=replace(best.response, fields=(*best.response.fields, *reasons)))


class Takes607For603plus(_OnTheWay):
    """Wrong: a person, or a service of theirs, refused the call."""

    def is_changed(self, refusal: Refusal, call_id: str) -> bool:
        """Change what a block list answers."""
        return refusal.code in (607, 608)

    def changed(self, refusal: Refusal) -> Refusal:
        """Take it for the network's."""
        return Refusal(603, PHRASE, (*refusal.fields, *BLOCKED.fields))


class TriesNextRouteAfter603plus(Behaviour):
    """Wrong by 21.6: the network has answered, it has not failed."""

    def fails_over(self, final: Final) -> bool:
        """Take a 603+ for a failed server."""
        return _is_block(final) or super().fails_over(final)

    def ends_search(self, final: Final, *, recursed: bool) -> bool:
        """Go on to the next target of a proxy."""
        return not _is_block(final) and super().ends_search(final, recursed=recursed)


def _is_block(final: Final) -> bool:
    """Say whether a final response is a 603+."""
    response = final.response
    return response is not None and _is_603plus(response.code, response.reason, response.fields)


def _is_603plus(code: int, phrase: str, fields: Fields) -> bool:
    """Say whether a response has both signs of a 603+."""
    text = " ".join(value for name, value in fields if canonical(name) == "reason").lower()
    return code == 603 and phrase.lower() == PHRASE.lower() and "v=analytics1;" in text


def _without_reason(fields: Fields) -> Fields:
    return tuple(field for field in fields if canonical(field[0]) != "reason")


def _rewritten(refusal: Refusal, pattern: str, replacement: str) -> Refusal:
    fields = ((n, re.sub(pattern, replacement, v) if canonical(n) == "reason" else v) for n, v in refusal.fields)
    return replace(refusal, fields=tuple(fields))
