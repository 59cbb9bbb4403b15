"""A UDP socket of the suite, with the arrival time and source of each datagram and the number of dropped ones."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import math
import socket
import struct
import sys
import time
from collections.abc import Callable, Mapping
from typing import Final

from harness.errors import SetupError
from harness.net.address import Address, Family
from harness.system import clock

OnDatagram = Callable[[bytes, Address, float], None]
"""Takes a datagram, its source, and when it arrived (seconds since the epoch, by the clock of the run)."""

AT_ONCE: Final = 64
"""The most datagrams read in one turn, so that a flood does not stop the loop."""
_LARGEST: Final = 65_536
_CLOSING_S: Final = 0.02
"""Seconds after the start of closing up to which a datagram still counts."""
_BUFFER: Final = 4 * 1024 * 1024
# Linux has these for all common machines; Python has no names for them.
_SO_TIMESTAMPNS: Final = 35
_SO_RCVBUFFORCE: Final = 33
_SO_MEMINFO: Final = 55
_RECVERR: Final[Mapping[Family, tuple[int, int]]] = {
    "ipv4": (socket.IPPROTO_IP, 11),
    "ipv6": (socket.IPPROTO_IPV6, 25),
}
"""The option that has ICMP errors reported, and what such a report is marked with."""
_PENDING_ERRORS: Final = 4
_ANCILLARY_OF_ERROR: Final = socket.CMSG_SPACE(64)
_ANCILLARY: Final = socket.CMSG_SPACE(16)
_TIMESPEC: Final = struct.Struct("@ll")
_MEMINFO: Final = struct.Struct("@9I")
"""The last value is the number of drops (linux/sock_diag.h)."""


class PortTaken(SetupError):
    """Another program has the address: lease another one and try again."""


class UdpPort:
    """Bound from its creation until :meth:`close`; belongs to the running event loop."""

    is_open = True
    connections = ()

    def __init__(
        self, address: Address, on_datagram: OnDatagram, on_refused: Callable[[Address], None] = lambda _to: None
    ) -> None:
        """Bind ``address`` (port 0: any).  PortTaken if another program has it, SetupError if it is unusable.

        ``on_refused`` takes the address of every closed port to which a datagram was sent (ICMP port unreachable).
        """
        self._on_datagram = on_datagram
        self._on_refused = on_refused
        self._socket = address.open_socket()
        try:
            self._socket.bind(address.sockaddr)
        except OSError as error:
            self._socket.close()
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(
                    f"{address} ({address.transport}) is taken by another program", "ss -lunp shows which"
                ) from error
            raise SetupError(
                f"{address} cannot be bound: {error.strerror or error}", "it must be an address of this machine"
            ) from error
        self._socket.setblocking(False)
        self._enlarge()
        # Without kernel timestamps, the time of reading counts.
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        level, option = _RECVERR[address.family]
        with contextlib.suppress(OSError):
            self._socket.setsockopt(level, option, 1)
        self.address = Address.of(self._socket.getsockname(), address.transport)
        self.bound_at = clock.now()
        self.closed_at: float | None = None
        self._last_stamp = math.inf
        """By the kernel's clock: what comes later than this is not read any more."""
        self._drops = 0
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._read)

    @property
    def drops(self) -> int:
        """The number of datagrams that the kernel has dropped here because the buffer was full.

        The socket itself is asked: SO_RXQ_OVFL reports only with the next datagram, and none may follow a flood.
        """
        # Some kernels do not report drops.
        with contextlib.suppress(OSError, struct.error):
            self._drops = _MEMINFO.unpack(self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size))[-1]
        return self._drops

    def send(self, data: bytes, to: Address) -> float:
        """Send one datagram; return the time.

        A full buffer or a closed port loses the datagram: SIP over UDP retransmits.
        """
        at = clock.now()
        for _ in range(_PENDING_ERRORS):
            try:
                self._socket.sendto(data, to.sockaddr)
            except ConnectionError:  # of what was sent before, and not of this, which has not been sent
                self._hear_refusals()
            except OSError:
                break
            else:
                break
        return at

    def once_open(self, do: Callable[[], None]) -> None:
        """At once: a datagram needs no connection."""
        do()

    def towards(self, _to: Address) -> UdpPort:
        """Itself: one socket sends everywhere."""
        return self

    def only_from(self, peer: Address) -> None:
        """Accept datagrams only from ``peer`` from now on."""
        self._socket.connect(peer.sockaddr)

    def drain(self) -> None:
        """Read what has arrived until now."""
        self._read(most=None)

    def close(self) -> None:
        """Read the datagrams that have arrived, and free the address."""
        if self.closed_at is None:
            self.closed_at = clock.now()
            self._last_stamp = time.time() + _CLOSING_S
            self._read(most=None)
            self._drops = self.drops
            self._loop.remove_reader(self._socket)
            self._socket.close()

    def _enlarge(self) -> None:
        for option in (_SO_RCVBUFFORCE, socket.SO_RCVBUF):  # the first one is root's
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
                return

    def _hear_refusals(self) -> None:
        """Read the errors that came back for what was sent (ip(7), IP_RECVERR)."""
        for _ in range(AT_ONCE):
            try:
                _, ancillary, _, to = self._socket.recvmsg(1, _ANCILLARY_OF_ERROR, socket.MSG_ERRQUEUE)
            except OSError:
                return
            # The first word of sock_extended_err is the errno: a network that is down is no closed port.
            reports = (value for *kind, value in ancillary if tuple(kind) in _RECVERR.values())
            errors = {int.from_bytes(report[:4], sys.byteorder) for report in reports}
            if to and errno.ECONNREFUSED in errors:
                self._on_refused(Address.of(to, self.address.transport))

    def _read(self, most: int | None = AT_ONCE) -> None:
        self._hear_refusals()
        while most is None or most > 0:
            try:
                data, ancillary, _, source = self._socket.recvmsg(_LARGEST, _ANCILLARY)
            except BlockingIOError:
                return
            except ConnectionError:  # the peer of a connected socket has gone; its earlier datagrams can still be read
                continue
            except OSError:
                return
            most = None if most is None else most - 1
            at: float | None = None
            for level, kind, value in ancillary:
                if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(value) == _TIMESPEC.size:
                    seconds, nanoseconds = _TIMESPEC.unpack(value)
                    stamp = seconds + nanoseconds / 1e9
                    if stamp > self._last_stamp:
                        return  # a flood must not keep a socket from being closed
                    at = clock.of_kernel(stamp)
            self._on_datagram(data, Address.of(source, self.address.transport), at or clock.now())
