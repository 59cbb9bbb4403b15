"""The seams between the transaction layer and the transaction users above it, and what the machines share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

from ..timers import Timers
from ..transport import Transport
from ..wire import Final, InboundRequest, InboundResponse

if TYPE_CHECKING:
    from .server import InviteServerTransaction, ServerTransaction


class ClientUser(Protocol):
    """Who sent a request and hears of its responses."""

    def accepts(self, response: InboundResponse) -> bool:
        """Say whether a response may reach the transaction; a UAC wants one Via and no more (8.1.3.3)."""

    def on_provisional(self, response: InboundResponse) -> None:
        """Hear of a 1xx."""

    def on_final(self, final: Final) -> None:
        """Hear of a final response, of every 2xx copy of an INVITE, or that none came."""


class ServerUser(Protocol):
    """Who answers an INVITE, and hears of what the caller does meanwhile."""

    def on_cancel(self, cancel: InboundRequest) -> None:
        """Hear that the caller gave up; the CANCEL itself has been answered."""


class TransactionUser(Protocol):
    """The core above a transaction layer: takes what begins a server transaction or belongs to none."""

    def on_request(self, transaction: ServerTransaction, request: InboundRequest) -> None:
        """Take a new request other than CANCEL and ACK."""

    def on_invite(self, transaction: InviteServerTransaction, request: InboundRequest) -> None:
        """Take a new INVITE, in a dialog or not."""

    def on_ack(self, request: InboundRequest) -> None:
        """Take the ACK of a 2xx."""

    def on_stray(self, response: InboundResponse) -> None:
        """Take a response that belongs to no transaction of this device, though its top Via does."""


class State(Enum):
    """The states of all four machines (figures 5 to 8; RFC 6026 section 7)."""

    CALLING = auto()
    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    CONFIRMED = auto()
    ACCEPTED = auto()
    TERMINATED = auto()


class Machine:
    """A state and its timers. Leaving a state stops them, because each timer belongs to the state that set it."""

    def __init__(self, state: State, transport: Transport, timers: Timers) -> None:
        self.state = state
        self.transport = transport
        self.timers = timers
        self.on_terminated: Callable[[], None] = lambda: None
        self._pending: list[asyncio.TimerHandle] = []

    def enter(self, state: State) -> None:
        """Go to a state, without the timers of the one before."""
        self.stop_timers()
        self.state = state
        if state is State.TERMINATED:
            self.on_terminated()

    def stop_timers(self) -> None:
        """Stop what is set."""
        for handle in self._pending:
            handle.cancel()
        self._pending.clear()

    def after(self, delay: float, callback: Callable[[], None]) -> None:
        """Set a timer of this state."""
        self._pending.append(asyncio.get_running_loop().call_later(delay, callback))

    def repeat(self, interval: float, following: Callable[[float], float], send: Callable[[], None]) -> None:
        """Send again and again, each interval computed from the one before (timers A, E and G)."""

        def fire() -> None:
            # Set before sending: a send that fails ends the transaction, and with it this timer.
            self.repeat(following(interval), following, send)
            send()

        self.after(interval, fire)

    def terminate(self) -> None:
        """Go to the end."""
        self.enter(State.TERMINATED)

    def end_after(self, delay: float) -> None:
        """Stay in this state for so long to absorb copies, then end."""
        self.after(delay, self.terminate)

    def absorb_copies(self, delay: float) -> None:
        """Do so where copies may come; end at once on a reliable transport (timers D, I, J, K)."""
        if self.transport.reliable:
            self.terminate()
        else:
            self.end_after(delay)
