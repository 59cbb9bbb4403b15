"""Server transactions (RFC 3261 section 17.2)."""

from __future__ import annotations

from ..timers import Timers
from ..tokens import new_tag
from ..transport import Transport
from ..wire import Fields, InboundRequest, OutboundResponse
from .responses import build_response
from .users import Machine, ServerUser, State


class ServerTransaction(Machine):
    """What INVITE and other server transactions have in common."""

    def __init__(self, first_state: State, request: InboundRequest, transport: Transport, timers: Timers) -> None:
        super().__init__(first_state, transport, timers)
        self.request = request
        self.tag = request.to_tag or new_tag()
        self._last: OutboundResponse | None = None

    def respond(self, code: int, reason: str, fields: Fields = (), body: bytes = b"") -> None:
        """Send a response of the transaction user."""
        response = build_response(self.request, code, reason, self.tag, fields, body)
        if self.may_send(code):
            self._last = response
            self.send_last()
            if code >= 200:
                self.complete(code)

    def may_send(self, code: int) -> bool:
        """Say whether the state still takes a response; a late one is discarded."""
        return self.state in (State.TRYING, State.PROCEEDING)

    def complete(self, code: int) -> None:
        """Go on after a final response."""
        raise NotImplementedError

    def on_copy(self) -> None:
        """Take a retransmission of the request."""
        if self.state in (State.PROCEEDING, State.COMPLETED):
            self.send_last()

    def send_last(self) -> None:
        """Send the last response, if there is one."""
        if self._last is None:
            return
        try:
            self.transport.send(bytes(self._last), self._last.destination)
        except OSError:
            # Nobody above could do better than the retransmissions of both sides do.
            return


class InviteServerTransaction(ServerTransaction):
    """Section 17.2.1: Proceeding, Completed, Confirmed, and Accepted from RFC 6026."""

    user: ServerUser | None = None

    @property
    def waiting(self) -> bool:
        """Whether the INVITE has no final response yet."""
        return self.state is State.PROCEEDING

    def complete(self, code: int) -> None:
        """Repeat a refusal until its ACK comes (timers G and H); a 2xx is repeated by the user (13.3.1.4)."""
        if code < 300:
            self.enter(State.ACCEPTED)
            self.end_after(self.timers.give_up)
            return
        self.enter(State.COMPLETED)
        if not self.transport.reliable:
            self.repeat(self.timers.t1, self.timers.doubled, self.send_last)
        self.after(self.timers.give_up, self.terminate)

    def on_ack(self) -> None:
        """Take the ACK of a refusal."""
        if self.state is State.COMPLETED:
            self.enter(State.CONFIRMED)
            self.absorb_copies(self.timers.t4)

    def on_cancel(self) -> None:
        """Tell the user that the caller gave up, if the INVITE has no final response yet (9.2)."""
        if self.waiting and self.user is not None:
            self.user.on_cancel()


class NonInviteServerTransaction(ServerTransaction):
    """Section 17.2.2: Trying, Proceeding, Completed."""

    def complete(self, code: int) -> None:
        """Answer copies for timer J."""
        self.enter(State.COMPLETED)
        self.absorb_copies(self.timers.give_up)
