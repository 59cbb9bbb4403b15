"""Client transactions (RFC 3261 section 17.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..behaviour import Behaviour
from ..sip_uri import Address
from ..timers import Timers
from ..transport import Transport
from ..wire import TIMED_OUT, UNREACHABLE, Final, InboundResponse, OutboundRequest
from .machine import Machine, State


class ClientUser(Protocol):
    """Who sent a request and hears of its responses."""

    def accepts(self, response: InboundResponse) -> bool:
        """Say whether a response may reach the transaction; a UAC wants one Via and no more (8.1.3.3)."""

    def on_provisional(self, response: InboundResponse) -> None:
        """Hear of a 1xx."""

    def on_final(self, final: Final) -> None:
        """Hear of a final response, of every 2xx copy of an INVITE, or that none came."""


class ClientTransaction(Machine):
    """What INVITE and other client transactions have in common."""

    def __init__(
        self,
        first_state: State,
        request: OutboundRequest,
        user: ClientUser,
        towards: Callable[[Address], Transport],
        timers: Timers,
        behaviour: Behaviour,
    ) -> None:
        super().__init__(first_state, towards(request.destination), timers)
        self._towards = towards
        self.behaviour = behaviour
        self.request = request
        self.user = user

    def start(self) -> None:
        """Send the request and set the timers of the first state."""
        raise NotImplementedError

    def on_response(self, response: InboundResponse) -> None:
        """Take a response that matched."""
        raise NotImplementedError

    def undeliverable(self) -> None:
        """Hear that the network did not take the request: a 503, unless somebody has answered (18.4, 8.1.3.1)."""
        if self.state in (State.CALLING, State.TRYING):
            self._fail(UNREACHABLE)

    def _send(self, request: OutboundRequest) -> None:
        self._towards(request.destination).send(bytes(request), request.destination)

    def _fail(self, final: Final) -> None:
        self.terminate()
        self.user.on_final(final)

    def _send_first(self) -> bool:
        """Send the request; a network that refuses it is reported as a 503 (17.1.4, 8.1.3.1)."""
        try:
            self._send(self.request)
        except OSError:
            self._fail(UNREACHABLE)
            return False
        return True

    def _send_again(self) -> None:
        try:
            self._send(self.request)
        except OSError:
            self._fail(UNREACHABLE)


class InviteClientTransaction(ClientTransaction):
    """Section 17.1.1: Calling, Proceeding, Completed, and Accepted from RFC 6026."""

    _ack: OutboundRequest | None = None
    _first_final: InboundResponse | None = None

    def start(self) -> None:
        """Send the INVITE, with timers A (doubling) and B."""
        if not self._send_first():
            return
        if not self.transport.reliable:
            self.repeat(self.timers.t1, self._next_interval, self._send_again)
        self.after(self.timers.give_up, lambda: self._fail(TIMED_OUT))

    def _next_interval(self, interval: float) -> float:
        return 2 * interval if self.behaviour.doubles_interval else interval

    def on_response(self, response: InboundResponse) -> None:
        """Take a response by figure 5."""
        if self.state in (State.CALLING, State.PROCEEDING):
            if response.code < 200:
                if self.behaviour.stops_at_provisional:
                    self.enter(State.PROCEEDING)
                self.user.on_provisional(response)
            elif response.code < 300:
                self.enter(State.ACCEPTED)
                self.end_after(self.timers.give_up)
                self.user.on_final(Final.of(response))
            else:
                self._complete(response)
        elif self.state is State.ACCEPTED and (
            200 <= response.code < 300 or (response.code >= 300 and self.behaviour.hears_refusal_after_answer)
        ):
            self.user.on_final(Final.of(response))
        elif self.state is State.COMPLETED and response.code >= 200:
            self._repeated(response)

    def _complete(self, response: InboundResponse) -> None:
        self.enter(State.COMPLETED)
        self._first_final = response
        self._ack = self.behaviour.acknowledge(self._build_ack(response), self.request, response)
        self._send_ack()
        for delay in self.behaviour.copies_after_final:
            self.after(delay, self._send_again)
        self.absorb_copies(self.behaviour.remembers_refusal(max(self.timers.d, self.timers.give_up)))
        self.user.on_final(Final.of(response))

    def _repeated(self, response: InboundResponse) -> None:
        assert self._first_final is not None
        if self.behaviour.acknowledges_copies and response.code >= 300:
            self._send_ack()
        if self.behaviour.reports_again(self._first_final, response):
            self.user.on_final(Final.of(response))

    def _build_ack(self, response: InboundResponse) -> OutboundRequest:
        """Build the ACK of section 17.1.1.3: all of the INVITE, its top Via only, except that To is the response's."""
        fields = (
            ("Via", self.request.field("Via")),
            ("Max-Forwards", "70"),
            *self.request.fields_named("From"),
            ("To", response.headers["To"]),
            *self.request.fields_named("Call-ID"),
            ("CSeq", f"{self.request.sequence} ACK"),
            *self.request.fields_named("Route"),
        )
        return OutboundRequest("ACK", self.request.uri, fields, b"", self.request.destination)

    def _send_ack(self) -> None:
        if self._ack is None:
            return
        try:
            self._send(self._ack)
        except OSError:
            # The response has been received all the same; its sender will repeat it, and get another ACK then.
            return


class NonInviteClientTransaction(ClientTransaction):
    """Section 17.1.2: Trying, Proceeding, Completed."""

    def start(self) -> None:
        """Send the request, with timers E and F."""
        if not self._send_first():
            return
        if not self.transport.reliable:
            self.repeat(self.timers.t1, self._next_interval, self._send_again)
        self.after(self.timers.give_up, lambda: self._fail(TIMED_OUT))

    def on_response(self, response: InboundResponse) -> None:
        """Take a response by figure 6."""
        if self.state is State.COMPLETED:
            return
        if response.code < 200:
            # Not enter(): timers E and F of Trying go on in Proceeding.
            self.state = State.PROCEEDING
            self.user.on_provisional(response)
            return
        self.enter(State.COMPLETED)
        self.absorb_copies(self.timers.t4)
        self.user.on_final(Final.of(response))

    def _next_interval(self, interval: float) -> float:
        return self.timers.t2 if self.state is State.PROCEEDING else self.timers.doubled(interval)
