"""What all drives of one pytest process share: addresses, the host of endpoints, the prober, and the limits."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from harness.drive.capacity import Capacity
from harness.drive.priority import PriorityGate
from harness.endpoints.host import EndpointHost
from harness.endpoints.sipp.binary import SippBinary
from harness.endpoints.sipp.host import SippHost
from harness.endpoints.tap.loop import TapLoop
from harness.endpoints.tap.port import PortTaken
from harness.net.loopback import LoopbackPool
from harness.net.pool import AddressPool
from harness.net.probe import Prober
from harness.system.disk import disk_errors

SETTING_UP = 8
"""How many drives may be in their setting up and calling at one time: more would only delay each other."""
SEATS = 800
"""How many seats may be taken at one time: the idle polling of their SIPps is what limits two cores."""

_Seats = TypeVar("_Seats")


@dataclass
class Bench:
    """Belongs to one event loop; open it with :meth:`open`, which also closes it."""

    folder: Path
    """Where devices and SIPps write while the run lasts."""
    host: EndpointHost
    pool: LoopbackPool
    prober: Prober
    taps: TapLoop
    setting_up: PriorityGate = field(default_factory=lambda: PriorityGate(SETTING_UP))
    capacity: Capacity = field(default_factory=lambda: Capacity(SEATS, "the SIPps that this machine may run"))

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, folder: Path, sipp: SippBinary) -> AsyncIterator[Bench]:
        """A bench that writes into ``folder``."""
        _allow_many_files()
        scenarios = folder / "sipp"
        with disk_errors():
            scenarios.mkdir(parents=True, exist_ok=True)
        pool, taps = LoopbackPool(), TapLoop()
        try:
            async with await Prober.open(pool.lease()) as prober:
                yield cls(folder, SippHost(scenarios, sipp, pool, taps), pool, prober, taps)
        finally:
            taps.close()
            pool.close()


async def on_free_port(start: Callable[[], Awaitable[_Seats]], pool: AddressPool) -> _Seats:
    """What ``start`` starts at addresses that it leases; once more if another program took their port just then."""
    while True:
        port = pool.port
        try:
            return await start()
        except PortTaken:
            pool.move_on(port)


def _allow_many_files() -> None:
    """Each seat takes a few files of this process; the usual soft limit of 1,024 is soon reached."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
