"""What all drives of one pytest process share: addresses, SIPp, the reader of its traces, the prober."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from harness.device import Prober
from harness.drive.capacity import Room
from harness.drive.captured import Heard
from harness.drive.priority import Turns
from harness.endpoints.sipp.binary import SippBinary
from harness.endpoints.sipp.process import PortTaken, SippProcess
from harness.endpoints.sipp.readiness import Readiness
from harness.endpoints.sipp.scenario import render_answer, render_call
from harness.endpoints.sipp.tail import Tail
from harness.endpoints.sipp.trace import TracedMessage
from harness.errors import SetupError, SippError
from harness.model.flow import Seat
from harness.model.plan import Call, Endpoint, Places
from harness.net.address import Address
from harness.net.loopback import LoopbackPool
from harness.net.pool import AddressPool
from harness.sip.message import SipMessage
from harness.system.disk import disk_errors

OnHeard = Callable[[Heard], None]

SETTING_UP = 8
"""How many drives may be in their setting up and calling at one time: more would only delay each other."""
SEATS = 800
"""How many may run at one time: their idle polling is what limits two cores."""
LEAST_DISK = 256 * 1024
"""Bytes.  With less the traces of the drives that are under way may be cut short."""

_Seats = TypeVar("_Seats")


@dataclass(frozen=True)
class BoundSeat:
    """A SIPp at its address."""

    name: str
    kind: Literal["caller", "callee", "target", "guard", "backup"]
    process: SippProcess
    scenario: str
    _tail: Tail
    place: Address | None = None
    """Where the device finds it, if that is not where it is bound."""

    @property
    def address(self) -> Address:
        """Where the device finds it."""
        return self.place or self.process.own

    @property
    def bound_at(self) -> float:
        """When it was there."""
        return self.process.bound_at or 0.0

    async def stop(self) -> None:
        """End it and read what is left of its trace."""
        await self.process.stop()
        self._tail.drain(self.process.name)

    def evidence(self) -> Seat:
        """What the flow says of it."""
        process = self.process
        behind = process.own if self.address != process.own else None
        return Seat(self.name, self.kind, self.address, process.bound_at, process.lost_at, self.scenario, behind)


@dataclass(frozen=True)
class Way:
    """How callers come to a device."""

    pool: AddressPool
    """Where they are."""
    credentials: tuple[str, str] | None = None
    """User and password, for a device that asks who calls."""
    through: Address | None = None
    """Where their requests are sent, if not to the device itself."""
    on_address: Callable[[Address], None] = lambda _address: None
    """Is told where a caller is, before it begins."""


@dataclass
class Bench:
    """Belongs to one event loop; open it with :meth:`open`, which also closes it."""

    folder: Path
    sipp: SippBinary
    pool: LoopbackPool
    prober: Prober
    tail: Tail
    readiness: Readiness = field(default_factory=Readiness)
    _listeners: dict[str, OnHeard] = field(default_factory=dict)
    _seat_names: dict[str, str] = field(default_factory=dict)
    setting_up: Turns = field(default_factory=lambda: Turns(SETTING_UP))
    room: Room = field(default_factory=lambda: Room(SEATS, "the SIPps that this machine may run"))
    _serial: itertools.count[int] = field(default_factory=itertools.count)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, folder: Path, sipp: SippBinary) -> AsyncIterator[Bench]:
        """A bench that writes into ``folder``."""
        _allow_many_files()
        traces = folder / "traces"
        with disk_errors():
            traces.mkdir(parents=True, exist_ok=True)
        pool = LoopbackPool()
        try:
            async with await Prober.open(pool.lease()) as prober:
                tail = Tail(traces, lambda name, message: bench.hear(name, message))
                bench = cls(folder, sipp, pool, prober, tail)
                async with tail:
                    yield bench
        finally:
            pool.close()

    def hear(self, name: str, message: TracedMessage) -> None:
        """Hand a message of the trace called ``name`` to whoever listens."""
        self._listeners[name](Heard(self._seat_names[name], message, SipMessage(message.raw)))

    async def seat(
        self,
        flow: str,
        endpoint: Endpoint,
        places: Places,
        on_heard: OnHeard,
        kind: Literal["backup", ""] = "",
        methods: Iterable[str] = (),
        own: Address | None = None,
    ) -> BoundSeat:
        """Put ``endpoint`` at its place, to be asked ``methods`` of a plan's calls, too.

        ``own``: where it is bound, if the exchange is between it and its place.
        PortTaken if somebody else is there; SippError if it does not come up.
        """
        place = places.seats[endpoint.name]
        scenario = render_answer(endpoint, places, own or place, methods)
        seat = await self._start(flow, endpoint.name, kind or endpoint.kind, scenario, own or place, on_heard)
        return dataclasses.replace(seat, place=place)

    async def call(
        self,
        flow: str,
        name: str,
        call: Call,
        places: Places,
        on_heard: OnHeard,
        *,
        bindings: Sequence[str] = (),
        hangs_up: bool = False,
        statuses: Iterable[int] = (),
        way: Way,
    ) -> BoundSeat:
        """Make ``call`` through the device at ``places``, after registering ``bindings``: the caller begins at once.

        ``statuses``: those that are not registered, and may yet come back to it.
        """

        async def start() -> BoundSeat:
            own, authorises = way.pool.lease(), way.credentials is not None
            way.on_address(own)
            try:
                scenario = render_call(
                    call, places, own, bindings, hangs_up=hangs_up, authorises=authorises, statuses=statuses
                )
                peer = way.through or places.device
                return await self._start(flow, name, "caller", scenario, own, on_heard, peer, way.credentials)
            except BaseException:
                way.pool.give_back(own)
                raise

        return await self.on_free_port(start, way.pool)

    async def on_free_port(self, start: Callable[[], Awaitable[_Seats]], pool: AddressPool) -> _Seats:
        """What ``start`` starts at addresses that it leases; once more if somebody else took their port just then."""
        while True:
            port = pool.port
            try:
                return await start()
            except PortTaken:
                pool.move_on(port)

    def check_disk(self) -> None:
        """SetupError if the disk is full: what SIPp could not write has not been seen, and would pass for silence."""
        with disk_errors():
            disk = os.statvfs(self.folder)
        if disk.f_bavail * disk.f_frsize < LEAST_DISK or (disk.f_files and not disk.f_favail):
            raise SetupError(
                f"the disk of {self.folder} is full: SIPp could not keep its traces",
                "free some space there, or choose another folder with --out",
            )

    async def _start(
        self,
        flow: str,
        name: str,
        kind: Literal["caller", "callee", "target", "guard", "backup"],
        scenario: str,
        own: Address,
        on_heard: OnHeard,
        peer: Address | None = None,
        credentials: tuple[str, str] | None = None,
    ) -> BoundSeat:
        trace = f"{flow}-{name}"
        self._listeners[trace], self._seat_names[trace] = on_heard, name
        folder, sipp = self.folder / "traces", self.sipp.path
        process = SippProcess(trace, scenario, own, folder, sipp=sipp, peer=peer, credentials=credentials)
        self.tail.follow(trace, process.message_log)
        with disk_errors():
            await process.start(self.readiness)
        return BoundSeat(name, kind, process, scenario, self.tail)


def _allow_many_files() -> None:
    """Each SIPp takes a few files of this process; the usual soft limit of 1,024 is soon reached."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))


__all__ = ["Bench", "BoundSeat", "SippError"]
