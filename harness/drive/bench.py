"""The resources that all drives of one pytest process share: addresses, endpoint host, prober and limits."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
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
from harness.lab.resolver import Resolver
from harness.net.address import Address
from harness.net.authority import Authority, OwnFiles
from harness.net.loopback import LoopbackPool
from harness.net.pool import CarrierPool, LabPool
from harness.net.probe import Prober
from harness.system.disk import disk_errors
from harness.system.timekeeper import Timekeeper

SETTING_UP = 8
"""The most drives that are set up or call at one time.  More would only delay each other."""
RESERVED = 4
"""Addresses of a lab that are not for the endpoints of drives: exchange, backup, and the device itself."""
SEATS = 800
"""The most seats in use at one time.  The idle polling of their SIPps limits two cores."""

_Seats = TypeVar("_Seats")


@dataclass
class Tester:
    """The addresses of a lab, and how many of them may be in use at one time."""

    pool: LabPool
    capacity: Capacity
    users: int = 0
    """The number of devices that are tested there now."""


@dataclass
class Bench:
    """Belongs to one event loop; open it with :meth:`open`, which also closes it."""

    folder: Path
    """The folder for files of devices and SIPps during the run."""
    host: EndpointHost
    pool: LoopbackPool
    prober: Prober
    taps: TapLoop
    authority: Authority
    """That of the run: whose certificates the endpoints have over TLS, unless a lab has an authority of its own."""
    time: Timekeeper = field(default_factory=Timekeeper)
    setting_up: PriorityGate = field(default_factory=lambda: PriorityGate(SETTING_UP))
    capacity: Capacity = field(default_factory=lambda: Capacity(SEATS, "the SIPps that this machine may run"))
    _resolvers: dict[Address, tuple[Resolver, int]] = field(default_factory=dict)
    """Those that listen, and the number of devices that are pointed at each."""
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _authorities: dict[OwnFiles, Authority] = field(default_factory=dict)
    _testers: dict[tuple[tuple[str, ...], range], Tester] = field(default_factory=dict)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, folder: Path, sipp: SippBinary, key_log: Path | None = None) -> AsyncIterator[Bench]:
        """A bench that writes into ``folder``; the keys of TLS connections go to ``key_log``."""
        _allow_many_files()
        scenarios = folder / "sipp"
        with disk_errors():
            scenarios.mkdir(parents=True, exist_ok=True)
        pool, taps, authority = LoopbackPool(), TapLoop(), Authority(folder / "tls", key_log)
        try:
            async with await Prober.open(pool.lease()) as prober:
                host = SippHost(scenarios, sipp, pool, taps)
                yield cls(folder, host, pool, prober, taps, authority)
        finally:
            taps.close()
            pool.close()

    @contextlib.asynccontextmanager
    async def resolver(self, address: Address) -> AsyncIterator[Resolver]:
        """The resolver at ``address``, shared by all devices of the run that are pointed there.

        SetupError if nobody can listen there.
        """
        async with self._opening:
            known, users = self._resolvers.get(address) or (await Resolver.open(address), 0)
            self._resolvers[address] = known, users + 1
        try:
            yield known
        finally:
            async with self._opening:
                _, users = self._resolvers[address]
                if users > 1:
                    self._resolvers[address] = known, users - 1
                else:
                    del self._resolvers[address]
                    await known.close()

    def authority_of(self, own: OwnFiles | None) -> Authority:
        """That of a lab with these files, shared by all labs that have the same; None: that of the run."""
        if own is None:
            return self.authority
        if own not in self._authorities:
            self._authorities[own] = self.authority.with_files(own, str(len(self._authorities)))
        return self._authorities[own]

    @contextlib.contextmanager
    def tester(self, hosts: Sequence[str], ports: range) -> Iterator[Tester]:
        """The addresses that a profile names, shared by all devices of the run whose profiles name the same.

        SetupError if another run uses them.
        """
        key = (tuple(hosts), ports)
        tester = self._testers.get(key)
        if tester is None:
            pool = LabPool(hosts, ports)
            tester = self._testers[key] = Tester(pool, Capacity(len(pool), pool.what))
        tester.users += 1
        try:
            with tester.capacity.without(RESERVED):
                yield tester
        finally:
            tester.users -= 1
            if not tester.users:
                tester.pool.close()
                del self._testers[key]


async def on_free_port(start: Callable[[], Awaitable[_Seats]], pool: CarrierPool) -> _Seats:
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
