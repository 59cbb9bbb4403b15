"""Faults in what is done after a 603 or another 6xx (RFC 3261 section 21.6), or a refused re-INVITE (14.1)."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterable, Sequence

from ..behaviour import Behaviour, Redial
from ..contacts import contacts_of
from ..sip_uri import Address
from ..wire import Final, InboundResponse, OutboundRequest

_KNOWN_6XX = (600, 603, 604, 606)


class RedialsAtOnce(Behaviour):
    """Wrong by 21.6: the callee wants no other attempt."""

    def redial(self, final: Final) -> Redial | None:
        """Repeat the request with the next number."""
        return Redial(0, new_call=False) if final.code >= 600 else super().redial(final)


class RedialsAfter1s(Behaviour):
    """Wrong by 21.6, as an impatient redial timer is."""

    def redial(self, final: Final) -> Redial | None:
        """Make a new call."""
        return Redial(1) if final.code >= 600 else super().redial(final)


class RedialsAfterRinging(Behaviour):
    """Wrong by 21.6, and right after a 603 at once."""

    def __init__(self) -> None:
        super().__init__()
        self._rang: set[str] = set()

    def hears(self, response: InboundResponse) -> bool:
        """Note whose phone rings."""
        if 100 < response.code < 200:
            self._rang.add(response.call_id)
        return super().hears(response)

    def redial(self, final: Final) -> Redial | None:
        """Take the 6xx of a phone that rang for a missed call."""
        rang = final.response is not None and final.response.call_id in self._rang
        return Redial(1) if final.code >= 600 and rang else super().redial(final)


class RedialsAfter8s(Behaviour):
    """Wrong by 21.6; a window of 5 s is over by then."""

    def redial(self, final: Final) -> Redial | None:
        """Make a new call."""
        return Redial(8) if final.code >= 600 else super().redial(final)


class RedialsOtherNumber(Behaviour):
    """Wrong by 8.1.1.1: nobody asked for that number."""

    def redial(self, final: Final) -> Redial | None:
        """Make a new call to somebody else."""
        return Redial(2, user="0") if final.code >= 600 else super().redial(final)


class RedialsAt33s(Behaviour):
    """Wrong by 21.6; shows only to who watches longer than Timer D."""

    def redial(self, final: Final) -> Redial | None:
        """Make a new call."""
        return Redial(33) if final.code >= 600 else super().redial(final)


class RedialsBeforeRetryAfter(Behaviour):
    """Wrong by 20.33 and 21.6.2: the callee said when."""

    def redial(self, final: Final) -> Redial | None:
        """Make a new call too early."""
        wait = _retry_after(final)
        return Redial(wait / 3) if wait is not None else super().redial(final)


class RedialsAtRetryAfter(Behaviour):
    """Wrong by 21.6.2: Retry-After tells people when, it does not ask the machine to call again."""

    def redial(self, final: Final) -> Redial | None:
        """Make a new call on time."""
        wait = _retry_after(final)
        return Redial(wait) if wait is not None else super().redial(final)


class RepeatsCallAtRetryAfter(Behaviour):
    """Wrong by 21.6.2 and 8.1.1: what was answered is not asked again with the same number."""

    def redial(self, final: Final) -> Redial | None:
        """Send the old INVITE once more; a value below a second is none."""
        wait = _retry_after(final)
        return Redial(wait, new_call=False, new_number=False) if wait else super().redial(final)


class RedialsOtherPort(Behaviour):
    """Wrong by 21.6, and hidden from who looks at one port."""

    needs_other_port = True

    def redial(self, final: Final) -> Redial | None:
        """Make a new call from the other port."""
        return Redial(0, other_port=True) if final.code >= 600 else super().redial(final)


class TriesBackupAfter603(Behaviour):
    """Wrong by RFC 3263 section 4.3: the server has answered, it has not failed."""

    def fails_over(self, final: Final) -> bool:
        """Take a 603 for a failed server."""
        return final.code == 603 or super().fails_over(final)


class FollowsContactIn603(Behaviour):
    """Wrong by 21.6.2: a Contact in a 603 is no target."""

    def follows(self, final: Final) -> bool:
        """Take a 603 with a Contact for a redirection."""
        refers = final.code == 603 and final.response is not None and bool(contacts_of(final.response))
        return refers or super().follows(final)


class SecondContactAfter603(Behaviour):
    """Wrong by 21.6: the failure is global."""

    def ends_call(self, final: Final) -> bool:
        """Take a 603 for the failure of one target."""
        return final.code != 603 and super().ends_call(final)


class Unknown6xxAs4xx(Behaviour):
    """Wrong by 8.1.3.2: an unknown 6xx is a 600."""

    def ends_call(self, final: Final) -> bool:
        """Know only the codes of RFC 3261."""
        return super().ends_call(final) and final.code in _KNOWN_6XX

    def last_resort(self, final: Final, dialled: str, *, redirected: bool) -> str | None:
        """Fall back to what was dialled."""
        if final.code >= 600 and final.code not in _KNOWN_6XX:
            return dialled
        return super().last_resort(final, dialled, redirected=redirected)


class EndsCallOnRefusedReinvite(Behaviour):
    """Wrong by 14.1: the session goes on as if the re-INVITE had never been."""

    def ends_dialog(self, code: int) -> bool:
        """End it whatever the code."""
        return True


class RepeatsRefusedReinvite(Behaviour):
    """Wrong by 14.1 and 21.6.2: the peer has said what it thinks of this session."""

    def repeats_reinvite(self, final: Final) -> float | None:
        """Ask once more."""
        return 1


class RepeatsCseqInDialog(Behaviour):
    """Wrong by 12.2.1.1: the peer answers 500 to a number that does not rise."""

    def in_dialog(self, request: OutboundRequest) -> OutboundRequest:
        """Count one too few."""
        request = super().in_dialog(request)
        return request.with_field("CSeq", f"{max(request.sequence - 1, 1)} {request.method}")


class AnswersBye500(Behaviour):
    """Wrong by 12.2.2 and 14.1: the refusal changed nothing, and the peer counts its own requests."""

    def remote_sequence(self, current: int, refused: Final) -> int:
        """Mistake a number of this side for the peer's."""
        return current + 1000


class StaysPendingAfterRefusal(Behaviour):
    """Wrong by 14.2: 491 says that a request of this side is pending, and it is over."""

    def __init__(self) -> None:
        super().__init__()
        self._refused: set[str] = set()

    def remote_sequence(self, current: int, refused: Final) -> int:
        """Note in which call it was."""
        if refused.response is not None:
            self._refused.add(refused.response.call_id)
        return super().remote_sequence(current, refused)

    def worded(self, data: bytes, destination: Address) -> Sequence[tuple[bytes, Address]]:
        """Say so whenever the peer wants to change the call."""
        return super().worded(refused_instead(data, self._refused, b"491 Request Pending"), destination)


class DiesAfter603(Behaviour):
    """Wrong by any measure."""

    def noticed(self, final: Final) -> None:
        """Leave without a word."""
        if final.code == 603:
            asyncio.get_running_loop().call_later(0.2, os._exit, 1)
        super().noticed(final)


def _retry_after(final: Final) -> float | None:
    """Return the seconds of a Retry-After in a 6xx."""
    value = final.response.headers.get("Retry-After") if final.response is not None else None
    seconds = re.match(r"\s*([0-9]{1,6})", value or "")
    return float(seconds[1]) if final.code >= 600 and seconds else None


def refused_instead(data: bytes, calls: Iterable[str], status: bytes) -> bytes:
    """Return a 2xx to an INVITE of one of these calls (Call-IDs) with another status, and anything else as it is."""
    if not data.startswith(b"SIP/2.0 2") or b" INVITE\r\n" not in data:
        return data
    lines = data.split(b"\r\n")
    if not any(b"Call-ID: " + call.encode() in lines for call in calls):
        return data
    return b"\r\n".join((b"SIP/2.0 " + status, *lines[1:]))
