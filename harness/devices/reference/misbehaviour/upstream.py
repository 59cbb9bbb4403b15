"""Faults in what a B2BUA tells its caller of a redirection or refusal, and in the dialog of a redirected call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..behaviour import Behaviour
from ..contacts import Target
from ..sip_uri import Address, SipUri
from ..wire import Final, InboundResponse, OutboundRequest, Refusal
from .declines import refused_instead


class RelaysAndFollows(Behaviour):
    """Wrong by 8.1.3.4: the caller follows as well, and the target rings twice for one call."""

    def relayed(self, redirection: InboundResponse) -> Refusal | None:
        """Pass it on."""
        contacts = tuple(("Contact", value) for value in redirection.values("Contact"))
        return Refusal(redirection.code, redirection.reason, contacts)


class Hides603(Behaviour):
    """Wrong by 21.6: a caller that gets a 503 tries elsewhere what the callee has declined."""

    def told(self, final: Final, dialled: str, local: Address) -> Refusal | None:
        """Take the blame."""
        if final.code >= 600:
            return Refusal(503, "Service Unavailable")
        return super().told(final, dialled, local)


class LeavesCallerRinging(Behaviour):
    """Wrong by 13.2.2.3: the call is over, for its caller too."""

    def told(self, final: Final, dialled: str, local: Address) -> Refusal | None:
        """Keep it from the caller."""
        return None if final.code >= 600 else super().told(final, dialled, local)


class HangsOnDead302(Behaviour):
    """Wrong by 8.1.3.4: when no target is left the call has failed, for its caller too."""

    def told(self, final: Final, dialled: str, local: Address) -> Refusal | None:
        """Wait for a target that does not come."""
        return None if 300 <= final.code < 400 else super().told(final, dialled, local)


class Loses200(Behaviour):
    """Wrong by any measure: somebody has picked up."""

    def passes_on(self, *, redirected: bool) -> bool:
        """Wait for the leg that was redirected."""
        return not redirected and super().passes_on(redirected=redirected)


class EndsOneLeg(Behaviour):
    """Wrong by 15: the session is over, for the caller too."""

    def ends_other_leg(self, *, by_callee: bool) -> bool:
        """Hear only the caller."""
        return not by_callee and super().ends_other_leg(by_callee=by_callee)


class AsksTheSameLeg(Behaviour):
    """Against 14.2: no other INVITE is pending but the one that is passed on to where it came from."""

    asks_other_leg = False


class ByesToRedirector(Behaviour):
    """Wrong by 12.2.1.1: the dialog is with the target."""

    def __init__(self) -> None:
        super().__init__()
        self._redirectors: dict[str, Address] = {}

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Keep who redirected the call."""
        self._redirectors[invite.field("Call-ID")] = target.redirection.source
        return super().redirected(invite, previous, target)

    def in_dialog(self, request: OutboundRequest) -> OutboundRequest:
        """Send BYE and re-INVITE there."""
        request = super().in_dialog(request)
        where = self._redirectors.get(request.field("Call-ID"), request.destination)
        return replace(request, destination=where) if request.method in ("BYE", "INVITE") else request


class LosesDialogOfTarget(Behaviour):
    """Wrong by 12.2.2: the call stands, and its target belongs to it."""

    def __init__(self) -> None:
        super().__init__()
        self._redirected: set[str] = set()

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Note which calls are redirected ones."""
        self._redirected.add(invite.field("Call-ID"))
        return super().redirected(invite, previous, target)

    def worded(self, data: bytes, destination: Address) -> Sequence[tuple[bytes, Address]]:
        """Answer a re-INVITE of their targets 481."""
        refusal = b"481 Call/Transaction Does Not Exist"
        return super().worded(refused_instead(data, self._redirected, refusal), destination)


class RedirectsToItself(Behaviour):
    """Wrong by 8.3: a caller that follows comes back with the same call for ever."""

    def follows(self, final: Final) -> bool:
        """Leave it to the caller."""
        return final.code >= 400 and super().follows(final)

    def told(self, final: Final, dialled: str, local: Address) -> Refusal | None:
        """Write its own address into the Contact, as into those of its other messages."""
        if not 300 <= final.code < 400:
            return super().told(final, dialled, local)
        host, port, *_ = local
        contact = SipUri("sip", SipUri.parse(dialled).user, host, str(port), (), None)
        return Refusal(302, "Moved Temporarily", (("Contact", f"<{contact}>"),))
