"""The resources that all drives of one pytest process share: addresses, endpoint host, prober and limits."""

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
from harness.system.timekeeper import Timekeeper

SETTING_UP = 8
"""The most drives that are set up or call at one time.  More would only delay each other."""
SEATS = 800
"""The most seats in use at one time.  The idle polling of their SIPps limits two cores."""

_Seats = TypeVar("_Seats")


@dataclass
class Bench:
    """Belongs to one event loop; open it with :meth:`open`, which also closes it."""

    folder: Path
    """The folder for files of devices and SIPps during the run."""
    host: EndpointHost
    pool: LoopbackPool
    prober: Prober
    taps: TapLoop
    time: Timekeeper = field(default_factory=Timekeeper)
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
    """The result of ``start``, which leases addresses; retried once if another program took a port meanwhile."""
    while True:
        port = pool.port
        try:
            return await start()
        except PortTaken:
            pool.move_on(port)


def _allow_many_files() -> None:
    """Raise the limit of open files: each seat needs a few, and the usual soft limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
