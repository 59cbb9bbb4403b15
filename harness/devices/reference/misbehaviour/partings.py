"""Faults in what is sent for an INVITE that has its final response: it needs its ACK (RFC 3261 9.1, 12.3, 15)."""

from __future__ import annotations

from dataclasses import replace

from ..behaviour import Behaviour
from ..tokens import new_branch
from ..wire import Final, InboundResponse, OutboundRequest


class ByeAfter302(Behaviour):
    """Wrong by 12.3: the early dialog ended with the final response."""

    def parting_request(
        self, final: Final, invite: OutboundRequest, early: InboundResponse | None
    ) -> OutboundRequest | None:
        """Say BYE to who rang."""
        if 300 <= final.code < 400 and early is not None:
            return _bye(invite, early.headers["To"])
        return super().parting_request(final, invite, early)


class ByeAfter603(Behaviour):
    """Wrong by 15: there is no session to end."""

    def parting_request(
        self, final: Final, invite: OutboundRequest, early: InboundResponse | None
    ) -> OutboundRequest | None:
        """Say BYE in a dialog that never was."""
        if final.code == 603 and final.response is not None:
            return _bye(invite, final.response.headers["To"])
        return super().parting_request(final, invite, early)


class MessageAfter603(Behaviour):
    """Wrong by 8.1: a request is sent because a user wants it."""

    def parting_request(
        self, final: Final, invite: OutboundRequest, early: InboundResponse | None
    ) -> OutboundRequest | None:
        """Write to who declined."""
        if final.code == 603:
            via = invite.field("Via").replace(invite.branch, new_branch())
            return _after_invite(invite, "MESSAGE", invite.sequence + 1).with_field("Via", via)
        return super().parting_request(final, invite, early)


class CancelsAfter302(Behaviour):
    """Wrong by 9.1: there is nothing left to cancel."""

    def parting_request(
        self, final: Final, invite: OutboundRequest, early: InboundResponse | None
    ) -> OutboundRequest | None:
        """Cancel before moving on."""
        if 300 <= final.code < 400:
            return _after_invite(invite, "CANCEL", invite.sequence)
        return super().parting_request(final, invite, early)


class CancelsAfter603(Behaviour):
    """Wrong by 9.1: there is nothing left to cancel."""

    def parting_request(
        self, final: Final, invite: OutboundRequest, early: InboundResponse | None
    ) -> OutboundRequest | None:
        """Cancel what was refused."""
        if final.code >= 600:
            return _after_invite(invite, "CANCEL", invite.sequence)
        return super().parting_request(final, invite, early)


class CancelsAfterFinal(Behaviour):
    """Wrong by 9.1: what the user sees is not the state of the INVITE."""

    cancels_finished = True


def _bye(invite: OutboundRequest, to: str) -> OutboundRequest:
    via = invite.field("Via").replace(invite.branch, new_branch())
    return _after_invite(invite, "BYE", invite.sequence + 1).with_field("Via", via).with_field("To", to)


def _after_invite(invite: OutboundRequest, method: str, sequence: int) -> OutboundRequest:
    """Return another request with the fields of an INVITE, where only an INVITE has none of its own."""
    kept = replace(invite, method=method, body=b"")
    bare = kept.without("Content-Type", "Content-Length", "Contact", "Allow", "Supported")
    return bare.with_field("CSeq", f"{sequence} {method}")
