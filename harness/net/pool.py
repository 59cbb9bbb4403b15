"""Addresses of a lab: what the profile names of this machine, and nothing else.

On loopback every endpoint has a host of its own (:mod:`harness.net.loopback`).  In a lab there are few addresses,
so endpoints differ by their port.  What a drive has given back is used again as late as possible: a device may call
there for a while.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import IO, Protocol

from harness.errors import SetupError
from harness.net.address import FAMILY_NAMES, Address, Carrier, Family, Transport
from harness.net.binding import is_free, why_not_ours
from harness.system.locks import lock_folder, try_lock


class AddressesTaken(SetupError):
    """Every address of a lab is in use: no drive can go on until the profile names more, or other programs end."""


class AddressPool(Protocol):
    """Where the endpoints of a device's drives are."""

    reuses: bool
    """Whether an address that was given back is leased again."""

    @property
    def port(self) -> int:
        """The port that is leased first; what :meth:`move_on` speaks of."""

    def lease(self, transport: Transport = "udp", family: Family = "ipv4") -> Address:
        """An address at which nothing is bound; SetupError if there is none, or none of that family."""

    def beside(self, address: Address) -> Address:
        """Another port of the host of ``address``, with its transport."""

    def move_on(self, port: int) -> None:
        """``port`` turned out to be taken; SetupError if there is no other."""

    def give_back(self, address: Address) -> None:
        """Nothing is bound there any more."""


@dataclass(frozen=True)
class CarrierPool:
    """The addresses of a pool for one transport and one family: those of the drives over them."""

    pool: AddressPool
    carrier: Carrier
    other: AddressPool | None = None
    """Where addresses of the other family come from, if that is another pool."""

    @property
    def reuses(self) -> bool:
        """Whether an address that was given back is leased again."""
        return self.pool.reuses

    @property
    def port(self) -> int:
        """The port that is leased first."""
        return self.pool.port

    def lease(self, transport: Transport | None = None, *, across: bool = False) -> Address:
        """An address at which nothing is bound; SetupError if there is none.

        ``transport``: another than the usual.  ``across``: of the other IP family.
        """
        family = (self.carrier.across if across else self.carrier).family
        return self._of(family).lease(transport or self.carrier.transport, family)

    def beside(self, address: Address) -> Address:
        """Another port of the host of ``address``."""
        return self._of(address.family).beside(address)

    def move_on(self, port: int) -> None:
        """``port`` turned out to be taken; SetupError if there is no other."""
        self.pool.move_on(port)

    def give_back(self, address: Address) -> None:
        """Nothing is bound there any more."""
        self._of(address.family).give_back(address)

    def _of(self, family: Family) -> AddressPool:
        return self.pool if self.other is None or family == self.carrier.family else self.other


class LabPool:
    """Leases the ports of a tester's addresses, each to one transport; :meth:`close` gives them back to other runs."""

    reuses = True

    def __init__(self, hosts: Sequence[str], ports: range) -> None:
        """SetupError if another run uses the same ones, or if a host is no address of this machine.

        Of another run whose ports only overlap :meth:`lease` finds out one by one.
        """
        self.what = f"lab.tester {hosts[0]}{f'-{hosts[-1]}' if len(hosts) > 1 else ''}, lab.ports {_shown(ports)}"
        self._locks: list[IO[str]] = []
        try:
            for host in hosts:
                if why := why_not_ours(host):
                    raise SetupError(
                        f"lab.tester: {host} {why}",
                        "name an address of this machine that the device can reach (ip address)",
                    )
                self._lock(host, ports)
        except BaseException:
            self.close()
            raise
        # The first port of every host comes first: where there are hosts enough, endpoints differ by host.
        named = [Address(host, port) for port, host in itertools.product(ports, hosts)]
        self._families = {address.family for address in named}
        self._leased: set[Address] = set()
        try:
            # What another program holds is no room for a drive.
            self._free = deque(address for address in named if _is_free(address))
            if not self._free:
                raise AddressesTaken(
                    f"{self.what}: other programs have every one of these {len(named)} UDP ports",
                    "ss -lunp shows which; end them, or name other ports in lab.ports",
                )
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self._free)

    @property
    def port(self) -> int:
        """Ports are not moved on from together here: each lease looks for itself."""
        return 0

    def lease(self, transport: Transport = "udp", family: Family = "ipv4") -> Address:
        """The address that has been free for longest; SetupError if all are in use, or none is of ``family``."""
        if family not in self._families:
            raise SetupError(
                f"{self.what} has no {FAMILY_NAMES[family]} address",
                f"name one in lab.tester, or leave {family} out of device.families",
            )
        found = self._first_free(lambda address: address.family == family, transport)
        if found is None:
            raise AddressesTaken(
                f"all addresses of {self.what} are in use",
                "name more of them in the profile; a run needs some three for each drive that is going on",
            )
        return found

    def beside(self, address: Address) -> Address:
        """Another port of the same host, with the same transport."""
        found = self._first_free(lambda other: other.host == address.host, address.transport)
        if found is None:
            raise AddressesTaken(
                f"no second port is free at {address.host} ({self.what})", "name more ports in the profile"
            )
        return found

    def move_on(self, port: int) -> None:
        """The next lease is another address anyhow."""

    def give_back(self, address: Address) -> None:
        """Use it again when all others have been used.  What was not leased, or has been given back, is left alone."""
        # Endpoints may share an address, over several transports.
        plain = replace(address, transport="udp")
        if plain in self._leased:
            self._leased.discard(plain)
            self._free.append(plain)

    def close(self) -> None:
        """Let other runs have them."""
        for lock in self._locks:
            lock.close()
        self._locks.clear()

    def _first_free(self, wanted: Callable[[Address], bool], transport: Transport) -> Address | None:
        """The address that is wanted, can be bound now, and has been in the pool for longest; None if there is none."""
        for candidate in self._free:
            address = replace(candidate, transport=transport)
            if wanted(address) and _is_free(address):
                self._free.remove(candidate)
                self._leased.add(candidate)
                return address
        return None

    def _lock(self, host: str, ports: range) -> None:
        lock = try_lock(lock_folder() / f"tester-{host}-{_shown(ports)}.lock")
        if lock is None:
            raise SetupError(
                f"another run on this machine uses lab.tester {host} with lab.ports {_shown(ports)}",
                "wait until it has ended, or give each profile ports of its own",
            )
        self._locks.append(lock)


def _is_free(address: Address) -> bool:
    try:
        return is_free(address)
    except OSError as error:
        raise SetupError(
            f"lab.tester: {address.transport.upper()} {address} cannot be bound on this machine: {error.strerror}",
            "name ports of 1024 or above in lab.ports, and an address that this machine keeps",
        ) from error


def _shown(ports: range) -> str:
    return f"{ports[0]}-{ports[-1]}"
