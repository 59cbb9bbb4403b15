"""What the four state machines share: a state and the timers that belong to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum, auto

from ..timers import Timers
from ..transport import Transport


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
