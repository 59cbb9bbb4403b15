"""The UAS side of a call: an INVITE that came, until it is answered, refused or given up (RFC 3261 section 13.3)."""

from __future__ import annotations

from typing import Protocol

from .dialog import Dialog
from .leg import Leg, LegOwner, record_routes
from .stack import Stack
from .transactions import InviteServerTransaction
from .wire import Fields, InboundRequest


class IncomingOwner(LegOwner, Protocol):
    """Who decides about an incoming call."""

    def on_cancelled(self) -> None:
        """Hear that the caller gave up before the answer."""


class IncomingCall:
    """One incoming INVITE; decisions about it that come too late are ignored."""

    def __init__(self, transaction: InviteServerTransaction, stack: Stack, owner: IncomingOwner) -> None:
        self._transaction = transaction
        self._owner = owner
        self._behaviour = stack.behaviour
        self.leg = Leg(Dialog.of_server(transaction.request, transaction.tag), stack, stack.layer, owner)
        self.leg.serve(transaction)
        transaction.user = self
        stack.dialogs.add(self.leg)

    @property
    def waiting(self) -> bool:
        """Whether the caller still waits for a final response."""
        return self._transaction.waiting

    def ring(self, code: int, reason: str, fields: Fields, body: bytes) -> None:
        """Send a provisional response, which creates the early dialog."""
        head = (*record_routes(self._transaction.request), ("Contact", self.leg.identity.contact))
        self._transaction.respond(code, reason, (*head, *fields), body)

    def answer(self, fields: Fields, body: bytes) -> None:
        """Accept the call."""
        self.leg.answer(self._transaction, fields, body)

    def refuse(self, code: int, reason: str, fields: Fields = ()) -> None:
        """Refuse the call."""
        if self.waiting:
            self._transaction.respond(code, reason, fields)
            self.leg.end()

    def on_cancel(self, cancel: InboundRequest) -> None:
        """Answer the INVITE as 9.2 says, and tell the owner."""
        refusal = self._behaviour.cancelled()
        self.refuse(refusal.code, refusal.reason, refusal.fields)
        self._owner.on_cancelled()
