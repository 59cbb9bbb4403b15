"""The protocol of an endpoint host: it answers and makes calls behind a tap, which records both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from harness.endpoints.tap.routes import Hop, Outlet
from harness.endpoints.tap.security import Security
from harness.endpoints.tap.tap import Answer, Listener
from harness.model.flow import Seat
from harness.model.oddity import Oddity
from harness.model.places import Places
from harness.model.plan import Call, Endpoint
from harness.model.weather import Forecast
from harness.net.address import Address

Kind = Literal["caller", "callee", "target", "guard", "backup"]


@dataclass(frozen=True)
class SeatOrder:
    """The address of a seat, the listener of its messages, and the way of its own requests."""

    flow: str
    """The id of the drive, for file names."""
    name: str
    kind: Kind
    own: Address
    """The address of its socket."""
    places: Places
    listener: Listener
    otherwise: Callable[[Outlet], Hop | None]
    """The way of a request outside the device's calls, given its own socket."""
    symmetric: bool = False
    """Whether responses go to the source of the request, whatever its Via says."""
    place: Address | None = None
    """The address that the device uses for it, if that is not its own socket."""
    further: tuple[Address, ...] = ()
    """Where the device finds it as well, if it has several addresses for one thing."""
    forecast: Forecast | None = None
    """The disturbances of messages on their way; None for none."""
    oddities: tuple[Oddity, ...] = ()
    """What the tap changes in its responses, by the number that the endpoint marks them with."""
    security: Security | None = None
    """What it needs over TLS."""
    at_once: bool = True
    """Whether it gets ready at once, not when its first message arrives."""
    path: str = "/"
    """What the device's server is asked for when a WebSocket is opened to it."""


@dataclass(frozen=True)
class Identity:
    """Who the suite's calls come from."""

    user: str = "caller"
    """Of the From URI."""
    display: str = "sipverdict"
    """Of the From; "" for none."""
    asserted: str = ""
    """The URI of a P-Asserted-Identity; "" for none."""


@dataclass(frozen=True)
class CallOrder:
    """The way in which a call is made through the device, or to it."""

    call: Call
    hangs_up: bool = False
    """Whether the caller ends a call that is answered."""
    statuses: frozenset[int] = frozenset()
    """Statuses outside the IANA registry that the device may send."""
    credentials: tuple[str, str] | None = None
    """User and password, for a device that challenges callers."""
    identity: Identity = field(default_factory=Identity)


class LiveSeat(Protocol):
    """An open seat: the endpoint process, and the tap in front of it."""

    name: str
    kind: Kind

    @property
    def own(self) -> Address:
        """The address of its socket."""

    @property
    def address(self) -> Address:
        """The address that the device uses for it."""

    @property
    def trouble(self) -> str:
        """A failure of the endpoint process, which is the harness's own trouble; "" without one."""

    def arrived(self, data: bytes, source: Address, at: float, outlet: Outlet) -> None:
        """Take a message for this seat that arrived at a shared socket."""

    async def say(self, data: bytes) -> None:
        """Send a request that is the suite's own affair, such as a REGISTER, from the seat's address."""

    def hang_up(self, call_id: str) -> None:
        """End the established call ``call_id``, if there is one."""

    def rest(self) -> None:
        """Note that its calls are over: from now on it only listens."""

    def wake(self) -> None:
        """Note that there are calls again."""

    async def outlive(self, answer: Answer) -> None:
        """End whoever acts here, and go on listening until :meth:`stop`: ``answer`` says what still comes gets."""

    async def stop(self) -> None:
        """End it.  Messages that have arrived by then are recorded."""

    def evidence(self) -> Seat:
        """Its entry in the flow."""


class EndpointHost(Protocol):
    """Puts endpoints and callers behind taps."""

    async def answer(self, endpoint: Endpoint, order: SeatOrder, methods: frozenset[str]) -> LiveSeat:
        """Have ``endpoint`` answer at its seat.  ``methods`` are those of the plan's own calls.

        Its socket is bound before the first await.  PortTaken if another program has the address; SetupError if the
        address is unusable or the endpoint cannot start; PlanError if the plan is impossible.
        """

    async def call(
        self, call: CallOrder, order: SeatOrder, on_seat: Callable[[LiveSeat], None] = lambda _seat: None
    ) -> LiveSeat:
        """Make a call, which begins at once; ``on_seat`` gets the seat before.  Errors as in :meth:`answer`."""
