"""Server transactions (RFC 3261 section 17.2)."""

from __future__ import annotations

from typing import Protocol

from ..behaviour import Behaviour
from ..timers import Timers
from ..tokens import new_tag
from ..transport import Transport
from ..wire import Fields, InboundRequest, OutboundResponse
from .machine import Machine, State
from .responses import build_response


class ServerUser(Protocol):
    """Who answers an INVITE, and hears of what the caller does meanwhile."""

    def on_cancel(self, cancel: InboundRequest) -> None:
        """Hear that the caller gave up; the CANCEL itself has been answered."""


class ServerTransaction(Machine):
    """What INVITE and other server transactions have in common."""

    def __init__(
        self,
        first_state: State,
        request: InboundRequest,
        transport: Transport,
        timers: Timers,
        behaviour: Behaviour,
    ) -> None:
        super().__init__(first_state, transport, timers)
        self.request = request
        self.behaviour = behaviour
        self.tag = request.to_tag or new_tag()
        self._last: OutboundResponse | None = None

    @property
    def waiting(self) -> bool:
        """Whether the request has no final response yet; a later one is discarded."""
        return self.state in (State.TRYING, State.PROCEEDING)

    def respond(self, code: int, reason: str, fields: Fields = (), body: bytes = b"") -> None:
        """Send a response that this device makes."""
        response = build_response(self.request, code, reason, self.tag, fields, body)
        self.relay(self.behaviour.answer(response, self.request))

    def relay(self, response: OutboundResponse) -> None:
        """Send a response as it is; a proxy has it from somebody else."""
        if self.waiting:
            self._last = response
            self.send(response)
            if response.code >= 200:
                self.complete(response.code)

    def complete(self, code: int) -> None:
        """Go on after a final response."""
        raise NotImplementedError

    def on_copy(self) -> None:
        """Take a retransmission of the request."""
        if self.state is State.PROCEEDING or (self.state is State.COMPLETED and self.behaviour.answers_copies):
            self.send_last()

    def send_last(self) -> None:
        """Send the last response once more, if there is one."""
        if self._last is not None:
            self.send(self.behaviour.repeated(self._last))

    def send(self, response: OutboundResponse) -> None:
        """Send a response past the state machine."""
        try:
            self.transport.send(bytes(response), response.destination)
        except OSError:
            # Nobody above could do better than the retransmissions of both sides do.
            return


class InviteServerTransaction(ServerTransaction):
    """Section 17.2.1: Proceeding, Completed, Confirmed, and Accepted from RFC 6026."""

    user: ServerUser | None = None

    def relay(self, response: OutboundResponse) -> None:
        """Send a response; a 2xx goes out whatever went before (16.7 item 5, RFC 6026 section 7.1)."""
        if not self.waiting and 200 <= response.code < 300:
            self.send(response)
        else:
            super().relay(response)

    def complete(self, code: int) -> None:
        """Repeat a refusal until its ACK comes (timers G and H); a 2xx is repeated by the user (13.3.1.4)."""
        if code < 300:
            self.enter(State.ACCEPTED)
            self.end_after(self.timers.give_up)
            return
        self.enter(State.COMPLETED)
        repeats = self.behaviour.repeats_over_streams or not self.transport.reliable
        if repeats and self.behaviour.repeats_finals:
            self.repeat(self.timers.t1, self.timers.doubled, self.send_last)
        if self.behaviour.stops_repeating:
            self.after(self.timers.give_up, self.terminate)

    def on_ack(self, ack: InboundRequest) -> None:
        """Take the ACK of a refusal; a further one is absorbed."""
        if self.state is State.COMPLETED and self.behaviour.hears_ack:
            self.enter(State.CONFIRMED)
            if self.behaviour.remembers_acknowledged:
                self.absorb_copies(self.timers.t4)
            else:
                self.terminate()
        elif self.state is State.CONFIRMED and (refusal := self.behaviour.answers_ack()):
            self.send(build_response(ack, refusal.code, refusal.reason, self.tag, refusal.fields, b""))

    def on_cancel(self, cancel: InboundRequest) -> None:
        """Tell the user that the caller gave up, if the INVITE has no final response yet (9.2)."""
        if self.waiting and self.user is not None:
            self.user.on_cancel(cancel)
        elif self.state is State.COMPLETED and (refusal := self.behaviour.answers_late_cancel()):
            self._last = build_response(self.request, refusal.code, refusal.reason, self.tag, refusal.fields, b"")
            self.send(self._last)


class NonInviteServerTransaction(ServerTransaction):
    """Section 17.2.2: Trying, Proceeding, Completed."""

    def complete(self, code: int) -> None:
        """Answer copies for timer J."""
        self.enter(State.COMPLETED)
        self.absorb_copies(self.timers.give_up)
