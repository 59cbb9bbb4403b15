"""The UAC core: one call, through redirections and failures, to an answer or an end (RFC 3261 sections 8.1, 13.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from .behaviour import Redial
from .contacts import Target
from .credentials import ANSWERS, answered
from .dialog import Dialog, DialogId
from .invites import CallOrder, cancel_of, first_invite, late_answer, next_invite, same_invite
from .leg import Leg, LegOwner
from .sip_uri import Address, SipUri, destination_of, has_name
from .stack import Stack, identity_of
from .targets import TargetSet
from .transactions import ClientTransaction, TransactionLayer
from .uac_user import UacUser
from .wire import CANCELLED, UNREACHABLE, Final, InboundResponse, OutboundRequest


class CallOwner(LegOwner, Protocol):
    """Who placed a call and hears what becomes of it."""

    def on_ringing(self, response: InboundResponse) -> None:
        """Hear of a 1xx other than 100."""

    def on_redirected(self, response: InboundResponse) -> None:
        """Hear of a redirection that is followed."""

    def on_answered(self, leg: Leg, response: InboundResponse) -> None:
        """Hear that the call was answered."""

    def on_failed(self, final: Final) -> None:
        """Hear that nobody took the call."""


class Call:
    """A call and its target set; a target is tried when the one before has failed."""

    def __init__(self, order: CallOrder, stack: Stack, owner: CallOwner) -> None:
        self._order = order
        self._stack = stack
        self.behaviour = stack.behaviour
        self._owner = owner
        self._first = stack.behaviour.first_target(order.dialled)
        self._targets = TargetSet(order.dialled, self._first, stack.behaviour)
        self._latest: _Attempt | None = None
        self._built: OutboundRequest | None = None
        self._attempts = 0
        self._failure: Final | None = None
        self._leg: Leg | None = None
        self._over = False
        self._hung_up = False
        self._redirected = False
        self._resorted = False
        self._repeated: set[str] = set()
        self._looking_up: asyncio.Future[None] | None = None

    def start(self) -> None:
        """Send the first INVITE."""
        destination = destination_of(self._first, self.behaviour.transports)
        if destination is None:
            self._over = True
            self._owner.on_failed(UNREACHABLE)
            return
        layer = self._stack.layer
        self._place(first_invite(self._order, self._first, destination, identity_of(layer)), layer)

    def hang_up(self) -> None:
        """End the call: BYE when answered, CANCEL before; no further target is tried."""
        if self._leg is not None:
            if not self._leg.ended:
                self._leg.send_bye()
                self._owner.on_ended(self._leg)
        elif not self._over and self._latest is not None:
            self._hung_up = True
            self._latest.cancel()
        elif self.behaviour.cancels_finished and self._latest is not None:
            self._latest.send_cancel()

    def ringing(self, response: InboundResponse) -> None:
        """Take a provisional response of an attempt."""
        if response.code > 100:
            self._owner.on_ringing(response)

    def finished(self, attempt: _Attempt, final: Final, *, repeated: bool) -> None:
        """Decide what follows the end of an attempt other than a 2xx (8.1.3.4, 21.6; RFC 3263 section 4.3)."""
        behaviour, backup = self.behaviour, self._stack.backup
        if not repeated and (parting := behaviour.parting_request(final, attempt.invite, attempt.early)):
            attempt.layer.send_request(parting, UacUser())
        if self._hung_up and not behaviour.goes_on_after_hangup:
            self._fail(attempt, final)
        elif credentials := answered(attempt.invite, final):
            self._authorise(attempt, credentials)
        elif final.response is not None and behaviour.follows(final):
            if self._targets.join(final.response, attempt.invite.uri, repeated=repeated):
                self._owner.on_redirected(final.response)
            self._try_next(attempt, final)
        elif attempt.others and behaviour.tries_next_server(final):
            # Another server of the same target: RFC 3263 section 4.3.
            server, *others = attempt.others
            self._place(same_invite(attempt.invite, server, identity_of(attempt.layer)), attempt.layer, others=others)
        elif attempt.number == 1 and backup is not None and behaviour.fails_over(final):
            self._place(same_invite(attempt.invite, backup, identity_of(attempt.layer)), attempt.layer)
        elif behaviour.ends_call(final):
            self._fail(attempt, final)
        elif attempt.invite.uri not in self._repeated and behaviour.repeats(final):
            self._repeat(attempt)
        else:
            self._failure = final
            self._try_next(attempt, final)

    def answered(self, attempt: _Attempt, response: InboundResponse) -> None:
        """Acknowledge a new 2xx; it is the call, or one too many, which is ended at once (13.2.2.4)."""
        dialog = Dialog.of_client(attempt.invite, response)
        leg = Leg(dialog, self._stack, attempt.layer, self._owner)
        session = late_answer(attempt.invite, response, leg.identity)
        ack = dialog.ack(attempt.invite.sequence, leg.identity, *session)
        attempt.acknowledge(dialog.id, self.behaviour.acknowledge_answer(ack))
        if self._hung_up or self._leg is not None:
            if self.behaviour.ends_unwanted_answer:
                leg.send_bye()
            return
        self._leg, self._over = leg, True
        self._stack.dialogs.add(leg)
        self._owner.on_answered(leg, response)

    def _place(
        self,
        invite: OutboundRequest,
        layer: TransactionLayer,
        sent: OutboundRequest | None = None,
        others: Sequence[Address] = (),
    ) -> None:
        """Send ``invite``, or what was made of it; ``others`` are further servers of its target."""
        self._over = False
        self._attempts += 1
        self._built = invite
        self._latest = _Attempt(self, sent or invite, layer, self._attempts, others)
        self._latest.start()

    def _try_next(self, attempt: _Attempt, final: Final) -> None:
        assert self._built is not None
        latest, layer = self._built, attempt.layer
        if target := self._targets.take():
            self._redirected = True
            address = destination_of(target.uri, self.behaviour.transports)
            if self._stack.names and (self.behaviour.looks_up_addresses or has_name(target.uri)):
                self._looking_up = asyncio.ensure_future(self._look_up(attempt, final, target, address))
            else:
                self._call_target(attempt, target, [address or attempt.invite.destination])
            return
        uri = self.behaviour.last_resort(final, self._order.dialled, redirected=self._redirected)
        destination = None if uri is None or self._resorted else destination_of(uri, self.behaviour.transports)
        if uri is None or destination is None:
            self._fail(attempt, final)
            return
        self._resorted = True
        self._place(next_invite(latest, uri, destination, identity_of(layer)), layer)

    async def _look_up(self, attempt: _Attempt, final: Final, target: Target, address: Address | None) -> None:
        """Call a target at its servers; go on without it where there is none."""
        assert self._stack.names is not None
        servers = await self._stack.names.servers(target.uri)
        if address is not None:
            servers = [address]
        elif not servers and (other := self.behaviour.server_of_nowhere(attempt.invite.destination)):
            servers = [other]
        if self._hung_up:
            self._fail(attempt, final)
        elif servers:
            self._call_target(attempt, target, servers)
        else:
            self._try_next(attempt, final)

    def _call_target(self, attempt: _Attempt, target: Target, servers: Sequence[Address]) -> None:
        # The numbers go on from the latest INVITE, which is another than the failed one if several are on their way;
        # what a fault made of it for its target does not go on.
        assert self._built is not None
        servers = self.behaviour.located(servers)
        invite = next_invite(self._built, target.uri, servers[0], identity_of(attempt.layer))
        if not self.behaviour.keeps_credentials:
            invite = invite.without(*(answers for _, answers in ANSWERS.values()))
        sent = self.behaviour.redirected(invite, attempt.invite, target)
        self._place(invite, attempt.layer, sent, servers[1:])

    def _fail(self, attempt: _Attempt, final: Final) -> None:
        """Report the failure that says most: a redirection that led nowhere says less than the last refusal."""
        self._over = True
        self._owner.on_failed(self._failure if self._failure and 300 <= final.code < 400 else final)
        self.behaviour.noticed(final)
        if attempt.number == 1 and not self._hung_up and (redial := self.behaviour.redial(final)):
            asyncio.get_running_loop().call_later(redial.delay, self._redial, redial, attempt)

    def _repeat(self, attempt: _Attempt) -> None:
        invite = attempt.invite
        self._repeated.add(invite.uri)
        self._place(next_invite(invite, invite.uri, invite.destination, identity_of(attempt.layer)), attempt.layer)

    def _authorise(self, attempt: _Attempt, credentials: tuple[str, str]) -> None:
        """Send the INVITE again as its server wants it (22.2)."""
        invite = attempt.invite
        again = next_invite(self._built or invite, invite.uri, invite.destination, identity_of(attempt.layer))
        self._place(again.with_fields((credentials,)), attempt.layer)

    def _redial(self, redial: Redial, refused: _Attempt) -> None:
        layer = (self._stack.other_layer if redial.other_port else None) or self._stack.layer
        uri, destination, identity = refused.invite.uri, refused.invite.destination, identity_of(layer)
        if redial.user:
            uri = str(replace(SipUri.parse(uri), user=redial.user))
            invite = first_invite(replace(self._order, dialled=uri), uri, destination, identity)
        elif redial.new_call:
            invite = first_invite(self._order, uri, destination, identity)
        elif not redial.new_number:
            invite = same_invite(refused.invite, destination, identity)
        else:
            invite = next_invite(refused.invite, uri, destination, identity)
        self._place(invite, layer)


class _Attempt(UacUser):
    """One INVITE of a call, and the ACKs of its 2xx responses."""

    def __init__(
        self,
        call: Call,
        invite: OutboundRequest,
        layer: TransactionLayer,
        number: int,
        others: Sequence[Address] = (),
    ) -> None:
        self.others = others
        self.invite = invite
        self.layer = layer
        self.number = number
        self.early: InboundResponse | None = None
        self._call = call
        self._transaction: ClientTransaction | None = None
        self._provisional = False
        self._finished = False
        self._cancelled = False
        self._acks: dict[DialogId, OutboundRequest | None] = {}

    def start(self) -> None:
        """Send it."""
        self._transaction = self.layer.send_request(self.invite, self)

    def cancel(self) -> None:
        """Send a CANCEL, as soon as a provisional response allows it (9.1)."""
        self._cancelled = True
        if self._provisional and not self._finished:
            self.send_cancel()
            asyncio.get_running_loop().call_later(self.layer.timers.give_up, self._abandon)

    def send_cancel(self) -> None:
        """Send the CANCEL."""
        self.layer.send_request(self._call.behaviour.cancel(cancel_of(self.invite)), UacUser())

    def acknowledge(self, dialog: DialogId, ack: OutboundRequest | None) -> None:
        """Send the ACK of a dialog's 2xx, and keep it for copies."""
        self._acks[dialog] = ack
        if ack is not None:
            self.layer.send_ack(ack)

    def on_provisional(self, response: InboundResponse) -> None:
        first, self._provisional = not self._provisional, True
        if response.code > 100 and response.to_tag:
            self.early = response
        if first and self._cancelled:
            self.cancel()
        self._call.ringing(response)

    def on_final(self, final: Final) -> None:
        repeated, self._finished = self._finished, True
        if final.response is None or final.code >= 300:
            self._call.finished(self, final, repeated=repeated)
            return
        dialog = Dialog.of_client(self.invite, final.response).id
        if dialog not in self._acks:
            self._call.answered(self, final.response)
        elif (ack := self._acks[dialog]) and self._call.behaviour.acknowledges_answer_copies:
            self.layer.send_ack(ack)

    def _abandon(self) -> None:
        """Give up waiting for the final response of a cancelled INVITE (9.1)."""
        if not self._finished and self._transaction is not None:
            self._transaction.terminate()
            self.on_final(CANCELLED)
