"""The user agent core: requests find their dialogs, and a new INVITE goes to a handler, which need not be a bridge."""

from __future__ import annotations

from collections.abc import Callable

from .b2bua import Bridge
from .leg import refuse_method
from .stack import Stack, identity_of
from .transactions import InviteServerTransaction, ServerTransaction
from .wire import InboundRequest, InboundResponse

InviteHandler = Callable[[InviteServerTransaction, InboundRequest, Stack], object]
"""What takes a new call."""


class UserAgent:
    """Answers requests by section 8.2, and those in a dialog by section 12.2.2."""

    def __init__(self, stack: Stack, handler: InviteHandler = Bridge) -> None:
        self.stack = stack
        self._handler = handler
        self.referral: Callable[[ServerTransaction, InboundRequest], None] | None = None
        """What takes a REFER outside of a dialog; without it, it is refused."""

    def on_request(self, transaction: ServerTransaction, request: InboundRequest) -> None:
        """Take a request other than INVITE, CANCEL and ACK."""
        if leg := self.stack.dialogs.find(request):
            leg.on_request(transaction, request)
        elif request.to_tag or request.method in ("BYE", "INFO"):
            transaction.respond(481, "Call/Transaction Does Not Exist")
        else:
            self.on_new_request(transaction, request)

    def on_new_request(self, transaction: ServerTransaction, request: InboundRequest) -> None:
        """Take one that belongs to no dialog."""
        capabilities = identity_of(self.stack.layer).capabilities
        if request.method == "OPTIONS":
            transaction.respond(200, "OK", (*capabilities, ("Accept", "application/sdp")))
        elif request.method == "REFER" and self.referral is not None:
            self.referral(transaction, request)
        else:
            refuse_method(transaction, request.method, capabilities)

    def on_invite(self, transaction: InviteServerTransaction, request: InboundRequest) -> None:
        """Take an INVITE: to its leg, or as a new call."""
        if leg := self.stack.dialogs.find(request):
            leg.on_invite(transaction, request)
        elif request.to_tag:
            transaction.respond(481, "Call/Transaction Does Not Exist")
        elif required := request.values("Require"):
            transaction.respond(420, "Bad Extension", (("Unsupported", ", ".join(required)),))
        else:
            self._handler(transaction, request, self.stack)

    def on_ack(self, request: InboundRequest) -> None:
        """Take the ACK of a 2xx."""
        if leg := self.stack.dialogs.find(request):
            leg.on_ack(request)

    def on_stray(self, response: InboundResponse) -> None:
        """Drop it (18.1.2)."""
