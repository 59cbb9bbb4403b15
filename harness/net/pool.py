"""Addresses of a lab: what the profile names of this machine, and nothing else.

On loopback every endpoint has a host of its own (:mod:`harness.net.loopback`).  In a lab there are few addresses,
so endpoints differ by their port.  What a drive has given back is used again as late as possible: a device may call
there for a while.
"""

from __future__ import annotations

import errno
import itertools
import socket
from collections import deque
from collections.abc import Sequence
from typing import IO, Protocol

from harness.errors import SetupError
from harness.net.address import Address
from harness.system.locks import lock_folder, try_lock


class AddressPool(Protocol):
    """Where the endpoints of a device's drives are."""

    @property
    def port(self) -> int:
        """The port that is leased first; what :meth:`move_on` speaks of."""

    def lease(self) -> Address:
        """An address at which nothing is bound; SetupError if there is none."""

    def beside(self, address: Address) -> Address:
        """Another port of the host of ``address``."""

    def move_on(self, port: int) -> None:
        """``port`` turned out to be taken; SetupError if there is no other."""

    def give_back(self, address: Address) -> None:
        """Nothing is bound there any more."""


class LabPool:
    """Leases the UDP ports of a tester's addresses; :meth:`close` gives them back to other runs."""

    def __init__(self, hosts: Sequence[str], ports: range) -> None:
        """SetupError if another run uses the same ones, or if a host is no address of this machine.

        Of another run whose ports only overlap :meth:`lease` finds out one by one.
        """
        self.what = f"lab.tester {hosts[0]}{f'-{hosts[-1]}' if len(hosts) > 1 else ''}, lab.ports {_shown(ports)}"
        self._locks: list[IO[str]] = []
        try:
            for host in hosts:
                _check_own(host)
                self._lock(host, ports)
        except BaseException:
            self.close()
            raise
        # The first port of every host comes first: where there are hosts enough, endpoints differ by host.
        self._free = deque(Address(host, port) for port, host in itertools.product(ports, hosts))

    def __len__(self) -> int:
        return len(self._free)

    @property
    def port(self) -> int:
        """Ports are not moved on from together here: each lease looks for itself."""
        return 0

    def lease(self) -> Address:
        """The address that has been free for longest; SetupError if all are in use."""
        for _ in range(len(self._free)):
            address = self._free.popleft()
            if is_free(address):
                return address
            self._free.append(address)
        raise SetupError(
            f"all addresses of {self.what} are in use",
            "name more of them in the profile; a run needs some three for each drive that is going on",
        )

    def beside(self, address: Address) -> Address:
        """Another port of the same host."""
        for other in tuple(self._free):
            if other.host == address.host and is_free(other):
                self._free.remove(other)
                return other
        raise SetupError(f"no second port is free at {address.host} ({self.what})", "name more ports in the profile")

    def move_on(self, port: int) -> None:
        """The next lease is another address anyhow."""

    def give_back(self, address: Address) -> None:
        """Use it again when all others have been used."""
        self._free.append(address)

    def close(self) -> None:
        """Let other runs have them."""
        for lock in self._locks:
            lock.close()
        self._locks.clear()

    def _lock(self, host: str, ports: range) -> None:
        lock = try_lock(lock_folder() / f"tester-{host}-{_shown(ports)}.lock")
        if lock is None:
            raise SetupError(
                f"another run on this machine uses lab.tester {host} with lab.ports {_shown(ports)}",
                "wait until it has ended, or give each profile ports of its own",
            )
        self._locks.append(lock)


def is_free(address: Address) -> bool:
    """Whether a UDP socket can be bound there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address.host, address.port))
        except OSError:
            return False
    return True


def _check_own(host: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError as error:
            why = "is no address of this machine" if error.errno == errno.EADDRNOTAVAIL else str(error.strerror)
            raise SetupError(
                f"lab.tester: {host} {why}",
                "name an address of this machine that the device can reach (ip -4 address)",
            ) from error


def _shown(ports: range) -> str:
    return f"{ports[0]}-{ports[-1]}"
