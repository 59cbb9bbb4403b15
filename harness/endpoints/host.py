"""The seam to whoever acts as the tester: it answers calls and makes them, behind a tap that witnesses both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from harness.endpoints.tap.routes import Hop, Outlet
from harness.endpoints.tap.tap import Answer, Listener
from harness.model.flow import Seat
from harness.model.plan import Call, Endpoint, Places
from harness.model.weather import Forecast
from harness.net.address import Address

Kind = Literal["caller", "callee", "target", "guard", "backup"]


@dataclass(frozen=True)
class SeatOrder:
    """Where a seat is, who hears what crosses it, and where its own requests go."""

    flow: str
    """The id of the drive, for file names."""
    name: str
    kind: Kind
    own: Address
    """The address of its socket."""
    places: Places
    listener: Listener
    otherwise: Callable[[Outlet], Hop | None]
    """The way of a request that belongs to no call the device has made to it, given its own socket."""
    symmetric: bool = False
    """Whether responses go where the request came from, whatever its Via says."""
    place: Address | None = None
    """Where the device finds it, if that is not its own socket."""
    forecast: Forecast | None = None
    """What happens to messages on their way; None: nothing."""
    at_once: bool = True
    """Whether it gets ready to act at once; else when its first message arrives."""


@dataclass(frozen=True)
class CallOrder:
    """How a call is made through the device, or to it."""

    call: Call
    bindings: Sequence[str] = ()
    """What is registered first, as values of Contact."""
    hangs_up: bool = False
    """Whether the caller ends a call that is answered."""
    statuses: frozenset[int] = frozenset()
    """Statuses that are not registered, and may yet come back."""
    credentials: tuple[str, str] | None = None
    """User and password, for a device that asks who calls."""


class LiveSeat(Protocol):
    """A seat that is there: whoever acts at it, and the tap in front."""

    name: str
    kind: Kind

    @property
    def own(self) -> Address:
        """The address of its socket."""

    @property
    def address(self) -> Address:
        """Where the device finds it."""

    @property
    def trouble(self) -> str:
        """What happened to whoever acts here and is the harness's own trouble; "" if nothing did."""

    def arrived(self, data: bytes, source: Address, at: float, outlet: Outlet) -> None:
        """Take what came for this seat to a socket that it shares."""

    def hang_up(self, call_id: str) -> None:
        """End the established call ``call_id``; nothing happens if there is none."""

    def rest(self) -> None:
        """Its calls are over: it need only listen."""

    def wake(self) -> None:
        """There is something to do again."""

    async def outlive(self, answer: Answer) -> None:
        """End whoever acts here, and go on listening until :meth:`stop`: ``answer`` says what still comes gets."""

    async def stop(self) -> None:
        """End it; what has arrived until then is heard."""

    def evidence(self) -> Seat:
        """What the flow says of it."""


class EndpointHost(Protocol):
    """Puts endpoints and callers behind taps."""

    async def answer(self, endpoint: Endpoint, order: SeatOrder, methods: frozenset[str]) -> LiveSeat:
        """Have ``endpoint`` answer at its seat, where ``methods`` are what the plan's own calls ask.

        Its socket is there before anything is awaited.  PortTaken if another program has the address; SetupError if
        it cannot be had or nobody can act there; PlanError if the plan cannot be carried out.
        """

    async def call(
        self, call: CallOrder, order: SeatOrder, on_seat: Callable[[LiveSeat], None] = lambda _seat: None
    ) -> LiveSeat:
        """Make a call, which begins at once; ``on_seat`` is told of the seat before.  Errors as in :meth:`answer`."""
