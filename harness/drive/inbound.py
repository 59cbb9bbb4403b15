"""The side by which a device is called: where callers are, where they find the device, and what they need for it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from harness.device import Profile
from harness.device.profile.certificates import own_files
from harness.device.tables.values import hosts_in, ports_in
from harness.drive.bench import Bench
from harness.drive.capacity import Capacity
from harness.net.address import Address, Carrier
from harness.net.authority import Authority
from harness.net.pool import CarrierPool


@dataclass(frozen=True)
class Inbound:
    """That of one device, over one carrier."""

    profile: Profile
    """What the device is as one that is called."""
    pool: CarrierPool
    """The addresses of its callers."""
    authority: Authority
    """Whose certificates its callers have, over TLS."""
    capacity: Capacity | None = None
    """The limit of callers, where they have addresses of their own, and those are few."""
    crosses: bool = False
    """Whether the device is called over another transport than that of its own calls."""

    @classmethod
    @contextlib.contextmanager
    def open(cls, profile: Profile, bench: Bench, carrier: Carrier, outbound: CarrierPool) -> Iterator[Inbound]:
        """That of the device of ``profile`` over ``carrier``, the endpoints of whose own calls are at ``outbound``.

        SetupError if an address cannot be had.
        """
        called = profile.over(carrier.inbound)
        pool, capacity, crosses = replace(outbound, carrier=carrier.inbound), None, carrier.called_over is not None
        with contextlib.ExitStack() as opened:
            here = profile.over(carrier).lab
            if crosses and called.lab.tester and (called.lab.tester, called.lab.ports) != (here.tester, here.ports):
                named = bench.tester(hosts_in(called.lab.tester), ports_in(called.lab.ports))
                tester = opened.enter_context(named)
                pool, capacity = replace(pool, pool=tester.pool), tester.capacity
            yield cls(called, pool, bench.authority_of(own_files(called)), capacity, crosses)

    def address(self, outbound: Address | None) -> Address | None:
        """Where the device is called, if that is not where its own calls come from; None: there.

        A device that is given its addresses, that of its own calls at ``outbound``, gets another port of that host.
        """
        if not self.crosses:
            return None
        transport = self.pool.carrier.transport
        if outbound is None:
            return Address.parse(self.profile.lab.address, transport)
        return replace(self.pool.beside(outbound), transport=transport)
