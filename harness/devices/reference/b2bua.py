"""A bridge of two legs: a call that came in, and the call that is placed for it to the same Request-URI.

The outgoing leg is an ordinary :class:`~.call.Call`, so redirections, refusals and faults are those of the UAC. The
incoming side sees only how that call ends.
"""

from __future__ import annotations

from .behaviour import passed_on
from .call import Call
from .headers import without_tag
from .incoming import IncomingCall
from .invites import CallOrder
from .leg import Leg
from .sip_uri import destination_of
from .stack import Stack, identity_of
from .transactions import InviteServerTransaction
from .wire import Final, InboundRequest, InboundResponse


class Bridge:
    """Two legs and what passes between them."""

    def __init__(self, transaction: InviteServerTransaction, request: InboundRequest, stack: Stack) -> None:
        self._incoming = IncomingCall(transaction, stack, self)
        self._stack = stack
        self._dialled = request.uri
        self._outgoing: Call | None = None
        self._outgoing_leg: Leg | None = None
        self._redirected = False
        hops = _hops_left(request)
        order = CallOrder(
            dialled=request.uri,
            caller=without_tag(request.headers["From"]),
            body=request.body,
            body_fields=request.body_fields(),
            max_forwards=max(hops - 1, 0),
        )
        if hops <= 0:
            self._incoming.refuse(483, "Too Many Hops")
        elif not request.uri.lower().startswith("sip:"):
            self._incoming.refuse(416, "Unsupported URI Scheme")
        elif destination_of(request.uri, stack.behaviour.transports) is None:
            self._incoming.refuse(404, "Not Found")
        else:
            transaction.respond(100, "Trying")
            self._outgoing = Call(order, stack, self)
            self._outgoing.start()

    def on_ringing(self, response: InboundResponse) -> None:
        """Pass a provisional response to the caller."""
        self._incoming.ring(response.code, response.reason, response.body_fields(), response.body)

    def on_redirected(self, response: InboundResponse) -> None:
        """Keep it from the caller: that is what the outgoing leg is for."""
        self._redirected = True
        if refusal := self._stack.behaviour.relayed(response):
            self._incoming.refuse(refusal.code, refusal.reason, refusal.fields)

    def on_answered(self, leg: Leg, response: InboundResponse) -> None:
        """Answer the caller with the callee's session."""
        self._outgoing_leg = leg
        if not self._stack.behaviour.passes_on(redirected=self._redirected):
            return
        if self._incoming.waiting:
            self._incoming.answer(response.body_fields(), response.body)
        else:
            leg.send_bye()

    def on_failed(self, final: Final) -> None:
        """Refuse the caller's INVITE."""
        if refusal := self._stack.behaviour.told(final, self._dialled, identity_of(self._stack.layer).local):
            self._incoming.refuse(refusal.code, refusal.reason, refusal.fields)

    def on_cancelled(self) -> None:
        """Give the outgoing call up too."""
        self._give_up()

    def on_ended(self, leg: Leg) -> None:
        """End the other leg; a BYE before the answer ends the INVITE as well (15.1.2)."""
        by_callee = leg is not self._incoming.leg
        if not self._stack.behaviour.ends_other_leg(by_callee=by_callee):
            return
        if not by_callee:
            self._incoming.refuse(487, "Request Terminated")
            self._give_up()
        else:
            self._incoming.leg.send_bye()

    def on_reinvite(self, leg: Leg, transaction: InviteServerTransaction, request: InboundRequest) -> None:
        """Ask the other leg the same, and answer what it answers; a refusal leaves the session as it was (14.1)."""
        from_caller = leg is self._incoming.leg
        other = self._outgoing_leg if from_caller is self._stack.behaviour.asks_other_leg else self._incoming.leg
        if other is None or other.busy:
            transaction.respond(491, "Request Pending")
            return

        def answered(final: Final) -> None:
            if final.response is not None and final.code < 300:
                leg.answer(transaction, final.response.body_fields(), final.response.body)
            else:
                transaction.respond(final.code, final.reason, passed_on(final))

        transaction.respond(100, "Trying")
        other.send_reinvite(request.body_fields(), request.body, answered)

    def _give_up(self) -> None:
        if self._outgoing is not None:
            self._outgoing.hang_up()


def _hops_left(request: InboundRequest) -> int:
    try:
        return int(request.headers.get("Max-Forwards") or "70")
    except ValueError:
        return 70
