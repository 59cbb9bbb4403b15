"""Faults of a B2BUA in what it tells its caller of a redirection or a refusal."""

from __future__ import annotations

from ..behaviour import Behaviour
from ..sip_uri import Address, SipUri
from ..wire import Final, InboundResponse, Refusal


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


class RedirectsToItself(Behaviour):
    """Wrong by 8.3: a caller that follows comes back with the same call for ever."""

    def follows(self, final: Final) -> bool:
        """Leave it to the caller."""
        return final.code >= 400 and super().follows(final)

    def told(self, final: Final, dialled: str, local: Address) -> Refusal | None:
        """Write its own address into the Contact, as into those of its other messages."""
        if not 300 <= final.code < 400:
            return super().told(final, dialled, local)
        host, port = local
        contact = SipUri("sip", SipUri.parse(dialled).user, host, str(port), (), None)
        return Refusal(302, "Moved Temporarily", (("Contact", f"<{contact}>"),))
