"""Faults of a proxy in how long it searches, and what becomes of the other branches (RFC 3261 section 16.7)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..behaviour import Behaviour
from ..tokens import new_branch
from ..wire import Fields, Final, OutboundRequest

_SENT_BY = re.compile(r"^(SIP/2.0/[A-Z]+ )[^;]*;")


class NewBranchAfter6xx(Behaviour):
    """Wrong by 16.7 item 5: a 6xx speaks for all places where the callee could be."""

    def tries_after(self, closing: Final, *, recursed: bool) -> bool:
        """Go on with what is registered."""
        return (closing.code >= 600 and not recursed) or super().tries_after(closing, recursed=recursed)


class LeavesBranchesRinging(Behaviour):
    """Wrong by 16.7 item 5: the call is over, for the others too."""

    def cancels(self, final: Final, *, recursed: bool) -> bool:
        """Cancel nobody after a 6xx."""
        return final.code < 600 and super().cancels(final, recursed=recursed)


class NoCancelAfterFinal(Behaviour):
    """Wrong by 16.7 item 10: somebody has answered, and the others ring on."""

    def cancels(self, final: Final, *, recursed: bool) -> bool:
        """Cancel nobody after a 2xx."""
        return final.code >= 300 and super().cancels(final, recursed=recursed)


class Sends603Early(Behaviour):
    """Wrong by 16.7 item 5: another branch may still be answered."""

    def holds(self, final: Final) -> bool:
        """Send a 6xx at once."""
        return final.code < 600 and super().holds(final)


class Holds2xx(Behaviour):
    """Wrong by 16.7 item 5: somebody has picked up, whatever another one said before."""

    def relays_answer(self, stored: Sequence[Final]) -> bool:
        """Keep a 2xx when a 6xx waits."""
        return all(final.code < 600 for final in stored) and super().relays_answer(stored)


class PrefersOtherClass(Behaviour):
    """Wrong by 16.7 item 6: the 6xx is to be chosen, and without one the lowest class."""

    def best(self, stored: Sequence[Final]) -> Final:
        """Choose the highest class below 6xx."""
        return max(stored, key=lambda final: (final.code < 600, final.code // 100))


class CancelsBeforeProvisional(Behaviour):
    """Wrong by 9.1: such a CANCEL may overtake its INVITE."""

    cancel_needs_provisional = False


class NeverGivesUp(Behaviour):
    """Wrong by 9.1: who accepts a CANCEL and ends nothing must not hold up the call."""

    gives_up_cancelled = False


class ChangesReason(Behaviour):
    """Wrong by RFC 3326 section 2: with another cause, or none, a call that was taken elsewhere is a missed call."""

    def cancel_fields(self, fields: Fields) -> Fields:
        """Leave the cause out."""
        fields = super().cancel_fields(fields)
        return tuple((name, re.sub(r";\s*cause\s*=[^;,]*", "", value)) for name, value in fields)


class UnreachableContactEndsSearch(Behaviour):
    """Wrong by 16.9: who cannot be reached has not refused."""

    def ends_search(self, final: Final, *, recursed: bool) -> bool:
        """Give up where the network gives a request back."""
        unreachable = recursed and final.response is None and final.code == 503
        return unreachable or super().ends_search(final, recursed=recursed)


class RecursionEndsAfterFailure(Behaviour):
    """Wrong by 16.6 and 16.7 item 5: who is busy at one place may be at the next."""

    def ends_search(self, final: Final, *, recursed: bool) -> bool:
        """Take the first refusal of a Contact for the callee's own."""
        return _is_failure(final, recursed=recursed) or super().ends_search(final, recursed=recursed)

    def cancels(self, final: Final, *, recursed: bool) -> bool:
        """Let go on what has begun."""
        return not 400 <= final.code < 600 and super().cancels(final, recursed=recursed)


class TriesContactsAfter603(Behaviour):
    """Wrong by 16.7 item 5: what a 302 listed before is no exception."""

    def tries_after(self, closing: Final, *, recursed: bool) -> bool:
        """Go on with the Contacts."""
        return (closing.code >= 600 and recursed) or super().tries_after(closing, recursed=recursed)


class RecursionEndsAfter603Only(Behaviour):
    """Wrong by 16.7 item 5: every 6xx ends the search."""

    def tries_after(self, closing: Final, *, recursed: bool) -> bool:
        """Go on with the Contacts after the others."""
        return (closing.code >= 600 and closing.code != 603 and recursed) or super().tries_after(
            closing, recursed=recursed
        )


class RecursesAfterCancel(Behaviour):
    """Wrong by 16.10: the caller has hung up."""

    def tries_after(self, closing: Final, *, recursed: bool) -> bool:
        """Go on with the Contacts."""
        return (closing.code == 487 and recursed) or super().tries_after(closing, recursed=recursed)


class ParallelRecursionLeavesRinging(Behaviour):
    """Wrong by 16.7 item 5, which knows no difference between a binding and a Contact."""

    def cancels(self, final: Final, *, recursed: bool) -> bool:
        """Cancel no branch to a Contact after a 6xx."""
        return not (recursed and final.code >= 600) and super().cancels(final, recursed=recursed)


class CancelsAfter4xx(Behaviour):
    """Wrong by 16.7 items 5 and 10: one phone that is busy says nothing about the others."""

    def ends_search(self, final: Final, *, recursed: bool) -> bool:
        """Take the first answer, whatever it is, for the last one."""
        return final.code >= 400 or super().ends_search(final, recursed=recursed)


class CancelsWithNewBranch(Behaviour):
    """Wrong by 9.1: the branch is that of the INVITE."""

    def cancel(self, cancel: OutboundRequest) -> OutboundRequest:
        """Take it for a request of its own."""
        via = cancel.field("Via").replace(cancel.branch, new_branch())
        return super().cancel(cancel).with_field("Via", via)


class CancelsAsOtherHost(Behaviour):
    """Wrong by 9.1: the Via is that of the INVITE."""

    def cancel(self, cancel: OutboundRequest) -> OutboundRequest:
        """Name another address in it."""
        cancel = super().cancel(cancel)
        return cancel.with_field("Via", _SENT_BY.sub(r"\g<1>192.0.2.1:5060;", cancel.field("Via")))


class CancelsWithTwoVias(Behaviour):
    """Wrong by 9.1: a CANCEL goes from hop to hop."""

    def cancel(self, cancel: OutboundRequest) -> OutboundRequest:
        """Write another one below."""
        return super().cancel(cancel).with_fields((("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-other"),))


def _is_failure(final: Final, *, recursed: bool) -> bool:
    """Say whether a Contact has refused by a response below 6xx; the 487 of a cancelled one is no refusal."""
    return recursed and final.response is not None and 400 <= final.code < 600 and final.code != 487
