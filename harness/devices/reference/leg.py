"""One side of an established call: everything that a user agent does inside a dialog."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from .dialog import Dialog
from .headers import without_tag
from .identity import METHODS
from .invites import CallOrder, first_invite, late_answer
from .sip_uri import destination_of
from .stack import Stack, identity_of
from .transactions import InviteServerTransaction, ServerTransaction, TransactionLayer
from .uac_user import UacUser
from .wire import Fields, Final, InboundRequest, OutboundRequest


class LegOwner(Protocol):
    """Who wants to know what the peer does inside the dialog."""

    def on_ended(self, leg: Leg) -> None:
        """Hear that the session is over and the peer knows it."""

    def on_reinvite(self, leg: Leg, transaction: InviteServerTransaction, request: InboundRequest) -> None:
        """Answer a re-INVITE."""


class Leg:
    """A dialog in use, from the INVITE's answer (as UAS: from its arrival) to the BYE."""

    def __init__(self, dialog: Dialog, stack: Stack, layer: TransactionLayer, owner: LegOwner) -> None:
        self.dialog = dialog
        self.identity = identity_of(layer).towards(dialog.fallback)
        self.owner = owner
        self.ended = False
        self._bye_waits = False
        self._stack = stack
        self._layer = layer
        self._answer: _Answer | None = None
        self._serving: InviteServerTransaction | None = None
        self._reinvite: _Reinvite | None = None

    @property
    def busy(self) -> bool:
        """Whether a re-INVITE is on its way, in either direction."""
        return self._reinvite is not None or (self._serving is not None and self._serving.waiting)

    def on_request(self, transaction: ServerTransaction, request: InboundRequest) -> None:
        """Answer a request other than INVITE."""
        if not self._in_order(transaction, request):
            return
        if request.method == "BYE":
            transaction.respond(200, "OK")
            # What is still unanswered ends with the session (15.1.2).
            self._give_up_answering()
            self.end()
            self.owner.on_ended(self)
        elif request.method in METHODS:
            transaction.respond(200, "OK", self.identity.capabilities)
        else:
            refuse_method(transaction, request.method, self.identity.capabilities)

    def on_invite(self, transaction: InviteServerTransaction, request: InboundRequest) -> None:
        """Pass a re-INVITE to the owner, unless another one is not finished (14.2)."""
        if self._reinvite is not None:
            transaction.respond(491, "Request Pending")
        elif self.busy:
            transaction.respond(500, "Server Internal Error", (("Retry-After", "1"),))
        elif self._in_order(transaction, request):
            self.dialog.refresh(request)
            self.serve(transaction)
            self.owner.on_reinvite(self, transaction, request)

    def serve(self, transaction: InviteServerTransaction) -> None:
        """Note which INVITE is being answered."""
        self._serving = transaction
        transaction.user = self

    def on_cancel(self, cancel: InboundRequest) -> None:
        """Give up a re-INVITE whose sender did; the session stays as it was."""
        self._give_up_answering()

    def on_ack(self, request: InboundRequest) -> None:
        """Stop repeating the 2xx that this ACK is for."""
        if self._answer is not None and self._answer.sequence == request.cseq.sequence:
            self._answer.stop()
            if self._bye_waits:
                self._send_bye()

    def answer(self, transaction: InviteServerTransaction, fields: Fields, body: bytes) -> None:
        """Send a 200 to an INVITE of the peer, until its ACK comes (13.3.1.4)."""
        if not transaction.waiting:
            return
        head = (*record_routes(transaction.request), ("Contact", self.identity.contact))
        transaction.respond(200, "OK", (*head, *self.identity.capabilities, *fields), body)
        self._answer = _Answer(transaction, self._unacknowledged)

    def send_bye(self) -> None:
        """End the session, unless it has ended; not before the ACK of a 2xx of this side has come (15)."""
        if self._answer is not None and self._answer.waiting:
            self._bye_waits = True
        elif not self.ended:
            self._send_bye()

    def send_reinvite(self, fields: Fields, body: bytes, done: Callable[[Final], None]) -> None:
        """Send a re-INVITE, and tell ``done`` how it was answered."""

        def again() -> None:
            if not self.ended and not self.busy:
                self._send_reinvite(fields, body, _unheard, _nothing)

        self._send_reinvite(fields, body, done, again)

    def end(self) -> None:
        """Forget the dialog."""
        self.ended = True
        if self._answer is not None:
            self._answer.stop()
        self._stack.dialogs.remove(self)

    def reinvite_answered(self, final: Final, done: Callable[[Final], None], again: Callable[[], None]) -> None:
        """Report the answer, and end the session if a refusal means that the peer has none."""
        self._reinvite = None
        if final.code >= 300:
            behaviour = self._stack.behaviour
            self.dialog.remote_sequence = behaviour.remote_sequence(self.dialog.remote_sequence, final)
            self.dialog.remote_target = behaviour.remote_target(self.dialog.remote_target, final)
            self._call(behaviour.calls_instead(final))
        done(final)
        if self.ended or final.code < 300:
            return
        if self._stack.behaviour.ends_dialog(final.code):
            self.send_bye()
            self.owner.on_ended(self)
        elif (delay := self._stack.behaviour.repeats_reinvite(final)) is not None:
            asyncio.get_running_loop().call_later(delay, again)

    def send_ack(self, ack: OutboundRequest) -> None:
        """Send the ACK of a 2xx."""
        self._layer.send_ack(ack)

    def _send_reinvite(
        self, fields: Fields, body: bytes, done: Callable[[Final], None], again: Callable[[], None]
    ) -> None:
        head: Fields = (("Contact", self.identity.contact), *self.identity.capabilities)
        invite = self._stack.behaviour.in_dialog(self.dialog.request("INVITE", self.identity, head + fields, body))
        self._reinvite = _Reinvite(self, invite, done, again)
        self._layer.send_request(invite, self._reinvite)

    def _call(self, uri: str) -> None:
        """Place a call beside this one. No correct device does."""
        if (destination := destination_of(uri)) is not None:
            order = CallOrder(uri, without_tag(self.dialog.local), b"", ())
            self._layer.send_request(first_invite(order, uri, destination, self.identity), UacUser())

    def _give_up_answering(self) -> None:
        if self._serving is not None:
            self._serving.respond(487, "Request Terminated")

    def _send_bye(self) -> None:
        self.end()
        self._layer.send_request(self._stack.behaviour.in_dialog(self.dialog.request("BYE", self.identity)), UacUser())

    def _in_order(self, transaction: ServerTransaction, request: InboundRequest) -> bool:
        """Refuse a request that is older than one already seen (12.2.2)."""
        if request.cseq.sequence < self.dialog.remote_sequence:
            transaction.respond(500, "Server Internal Error")
            return False
        self.dialog.remote_sequence = request.cseq.sequence
        return True

    def _unacknowledged(self) -> None:
        self.send_bye()
        self.owner.on_ended(self)


def record_routes(request: InboundRequest) -> Fields:
    """Return the Record-Route of a request, which every response that makes a dialog repeats (12.1.1)."""
    return tuple(("Record-Route", value) for value in request.values("Record-Route"))


def refuse_method(transaction: ServerTransaction, method: str, capabilities: Fields) -> None:
    """Answer 405 to a method that the device knows of and does not allow, 501 to any other (8.2.1, 21.5.2)."""
    if method in ("REGISTER", "SUBSCRIBE", "NOTIFY", "PUBLISH", "MESSAGE", "REFER", "UPDATE", "PRACK"):
        transaction.respond(405, "Method Not Allowed", capabilities)
    else:
        transaction.respond(501, "Not Implemented", capabilities)


def _unheard(final: Final) -> None:
    """Report an answer to nobody."""


def _nothing() -> None:
    """Repeat nothing."""


class _Answer:
    """A 2xx that is repeated until its ACK comes: from T1 on, doubling to T2, for 64*T1 (13.3.1.4)."""

    def __init__(self, transaction: InviteServerTransaction, given_up: Callable[[], None]) -> None:
        self.waiting = True
        self.sequence = transaction.request.cseq.sequence
        self._transaction = transaction
        self._given_up = given_up
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.call_later(transaction.timers.give_up, self._give_up)
        self._repeat = self._loop.call_later(transaction.timers.t1, self._again, transaction.timers.t1)

    def stop(self) -> None:
        """Stop: the ACK came, or nobody waits for one."""
        self.waiting = False
        self._end.cancel()
        self._repeat.cancel()

    def _again(self, interval: float) -> None:
        following = self._transaction.timers.doubled(interval)
        self._repeat = self._loop.call_later(following, self._again, following)
        self._transaction.send_last()

    def _give_up(self) -> None:
        self.stop()
        self._given_up()


class _Reinvite(UacUser):
    """A re-INVITE of ours, and the ACK for each copy of its 2xx."""

    def __init__(
        self, leg: Leg, invite: OutboundRequest, done: Callable[[Final], None], again: Callable[[], None]
    ) -> None:
        self._leg = leg
        self._invite = invite
        self._again = again
        self._done: Callable[[Final], None] | None = done
        self._ack: OutboundRequest | None = None

    def on_final(self, final: Final) -> None:
        if final.response is not None and final.code < 300:
            if self._ack is None:
                dialog, identity = self._leg.dialog, self._leg.identity
                dialog.refresh(final.response)
                session = late_answer(self._invite, final.response, identity)
                self._ack = dialog.ack(self._invite.sequence, identity, *session)
            self._leg.send_ack(self._ack)
        if self._done is not None:
            done, self._done = self._done, None
            self._leg.reinvite_answered(final, done, self._again)
