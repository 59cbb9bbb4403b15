"""Addresses of a run: on loopback every 127.x.y.z is a host of its own, and no two runs may share one.

A run leases a whole block 127.N.0.0/16 by a lock on a file; the kernel gives the lock back however the run ends.
"""

from __future__ import annotations

import errno
import itertools
import os
import socket
from typing import IO

from harness.errors import SetupError
from harness.net.address import Address
from harness.system.locks import lock_folder, try_lock

# 127.0/16 is left to the machine, and the blocks from 200 on to whoever needs fixed addresses.
_BLOCKS = range(16, 200)


PORTS = (5060, 5062, 5064, 5066, 15060, 25060)
"""The ports of endpoints and devices: the first that nobody else on this machine holds on every address."""
BESIDE = 10
"""What is added for a second port on the same host."""


class LoopbackPool:
    """Leases addresses of one block; :meth:`close` gives the block back.

    Whoever holds a port on every address (0.0.0.0:5060: a phone, a PBX) holds it on ours as well.  Then the whole run
    moves on to another port, and stays there.
    """

    def __init__(self) -> None:
        self._lock, self._block = _lock_a_block()
        self._hosts = itertools.count(1)
        self._ports = list(PORTS)

    @property
    def port(self) -> int:
        """The port of this run."""
        return self._ports[0]

    def lease(self) -> Address:
        """An address that nothing of this run, and no other run on this machine, has had."""
        number = next(self._hosts)
        if number >= 1 << 16:
            raise SetupError("this run has used all of its 65,535 loopback addresses", "split the run by -k")
        host = f"127.{self._block}.{number >> 8}.{number & 255}"
        while not (_is_free(host, self.port) and _is_free(host, self.port + BESIDE)):
            self.move_on(self.port)
        return Address(host, self.port)

    def give_back(self, address: Address) -> None:
        """Nothing: there are enough, and a late call must not meet another drive."""

    def beside(self, address: Address) -> Address:
        """Another port of the host of ``address``."""
        return Address(address.host, address.port + BESIDE, address.transport)

    def move_on(self, port: int) -> None:
        """``port`` turned out to be taken: from now on another one is leased.  SetupError if there is none left."""
        if port != self.port:  # somebody else found out before
            return
        if len(self._ports) == 1:
            raise SetupError(
                f"UDP ports {', '.join(map(str, PORTS))} (or those {BESIDE} above) are all taken on this machine",
                "end the programs that hold them on 0.0.0.0 (ss -ulpn)",
            )
        del self._ports[0]

    def close(self) -> None:
        """Give the block back."""
        self._lock.close()


def _is_free(host: str, port: int) -> bool:
    """Whether a UDP socket can be bound there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise SetupError(
                f"UDP {host}:{port} cannot be bound on this machine: {error.strerror}",
                "the suite needs the loopback network 127.0.0.0/8, which on Linux needs no setting up (ip address add "
                "127.0.0.1/8 dev lo)",
            ) from error
    return True


def _lock_a_block() -> tuple[IO[str], int]:
    folder = lock_folder()
    # Runs start at different blocks, so that two that start together rarely meet.
    offset = os.getpid() % len(_BLOCKS)
    for block in (*_BLOCKS[offset:], *_BLOCKS[:offset]):
        lock = try_lock(folder / f"127.{block}.lock")
        if lock is not None:
            return lock, block
    raise SetupError(f"all {len(_BLOCKS)} loopback blocks of {folder} are in use", "end another run first")
