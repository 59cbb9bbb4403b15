"""Addresses of a run on loopback: no two runs may share one.

IPv4: every 127.x.y.z is a host of its own, and a run leases a whole block 127.N.0.0/16.  IPv6: loopback is ``::1`` and
nothing else, so endpoints differ by their port, and a run leases blocks of ports.  A block is leased by a lock on a
file; the kernel gives the lock back however the run ends.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from typing import IO

from harness.errors import SetupError
from harness.net.address import DEFAULT_PORTS, Address, Family, Transport
from harness.net.binding import is_free
from harness.system.locks import lock_folder, try_lock

# 127.0/16 is left to the machine, and the blocks from 200 on to whoever needs fixed addresses.
_BLOCKS = range(16, 200)
_PORT_BLOCKS = range(10_000, 32_000, 100)
"""The first ports of the blocks at ::1: above those of services, below those that the kernel chooses by itself."""


PORTS = (5060, 5062, 5064, 5066, 15060, 25060)
"""The ports of endpoints and devices: the first that nobody else on this machine holds on every address."""
BESIDE = 10
"""What is added for a second port on the same host."""


class LoopbackPool:
    """Leases addresses of one block; :meth:`close` gives the block back.

    Whoever holds a port on every address (0.0.0.0:5060: a phone, a PBX) holds it on ours as well.  Then the whole run
    moves on to another port, and stays there.
    """

    reuses = False

    def __init__(self) -> None:
        self._lock, self._block = _lock_a_block((f"127.{block}", block) for block in _turned(_BLOCKS))
        self._hosts = itertools.count(1)
        self._ports = list(PORTS)
        self._port_locks: list[IO[str]] = []
        self._ipv6_ports: Iterator[int] = iter(())
        """The ports that are left of the latest block at ::1."""

    @property
    def port(self) -> int:
        """The port of this run."""
        return self._ports[0]

    def lease(self, transport: Transport = "udp", family: Family = "ipv4") -> Address:
        """An address that nothing of this run, and no other run on this machine, has had.

        SetupError if this machine has none of that family, or none left.
        """
        if family == "ipv6":
            return self._lease_ipv6(transport)
        number = next(self._hosts)
        if number >= 1 << 16:
            raise SetupError("this run has used all of its 65,535 loopback addresses", "split the run by -k")
        host = f"127.{self._block}.{number >> 8}.{number & 255}"
        # TLS has a port of its own beside that of the others (RFC 3261 18.2.1).
        above = DEFAULT_PORTS["tls"] - DEFAULT_PORTS["udp"] if transport == "tls" else 0
        while not all(_is_free(Address(host, self.port + more, transport)) for more in (above, above + BESIDE)):
            self.move_on(self.port)
        return Address(host, self.port + above, transport)

    def give_back(self, address: Address) -> None:
        """Nothing: there are enough, and a late call must not meet another drive."""

    def beside(self, address: Address) -> Address:
        """Another port of the host of ``address``."""
        if address.family == "ipv6":
            return self._lease_ipv6(address.transport)
        return Address(address.host, address.port + BESIDE, address.transport)

    def move_on(self, port: int) -> None:
        """``port`` turned out to be taken: from now on another one is leased.  SetupError if there is none left."""
        if port != self.port:  # somebody else found out before
            return
        if len(self._ports) == 1:
            raise SetupError(
                f"ports {', '.join(map(str, PORTS))} (or those {BESIDE} above) are all taken on this machine",
                "end the programs that hold them on 0.0.0.0 (ss -lptun)",
            )
        del self._ports[0]

    def close(self) -> None:
        """Give the blocks back."""
        for lock in (self._lock, *self._port_locks):
            lock.close()

    def _lease_ipv6(self, transport: Transport) -> Address:
        while True:
            for port in self._ipv6_ports:
                address = Address("::1", port, transport)
                if _is_free(address):
                    return address
            lock, first = _lock_a_block((f"ipv6-loopback-{first}", first) for first in _turned(_PORT_BLOCKS))
            self._port_locks.append(lock)
            self._ipv6_ports = iter(range(first, first + _PORT_BLOCKS.step))


def _is_free(address: Address) -> bool:
    """Whether ``address`` can be bound now; SetupError if this machine's loopback cannot be used."""
    try:
        return is_free(address)
    except OSError as error:
        hints = {
            "ipv4": "the suite needs the loopback network 127.0.0.0/8, which on Linux needs no setting up (ip address "
            "add 127.0.0.1/8 dev lo)",
            "ipv6": "enable IPv6 on loopback (sysctl net.ipv6.conf.lo.disable_ipv6=0), or leave ipv6 out",
        }
        raise SetupError(
            f"{address.transport.upper()} {address} cannot be bound on this machine: {error.strerror}",
            hints[address.family],
        ) from error


def _turned(blocks: range) -> Iterable[int]:
    """``blocks`` from another one on in every process: runs that start together rarely meet."""
    offset = os.getpid() % len(blocks)
    return (*blocks[offset:], *blocks[:offset])


def _lock_a_block(blocks: Iterable[tuple[str, int]]) -> tuple[IO[str], int]:
    """The first of ``blocks`` (the name of its lock, and its number) that no run has; SetupError if there is none."""
    folder = lock_folder()
    count = 0
    for name, block in blocks:
        count += 1
        lock = try_lock(folder / f"{name}.lock")
        if lock is not None:
            return lock, block
    raise SetupError(f"all {count} loopback blocks of {folder} are in use", "end another run first")
