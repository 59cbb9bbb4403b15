"""A UDP socket of the suite: when each datagram came, from where, and whether the kernel had to drop any."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import struct
import sys
from collections.abc import Callable
from typing import Final

from harness.errors import SetupError
from harness.net.address import Address
from harness.system import clock

OnDatagram = Callable[[bytes, Address, float], None]
"""Takes a datagram, its source, and when it arrived (seconds since the epoch, by the clock of the run)."""

AT_ONCE: Final = 64
"""How many datagrams are read before others get their turn: a flood must not stop the loop."""
_LARGEST: Final = 65_536
_CLOSING_S: Final = 0.02
"""How much later than the closing began a datagram may have come to be taken: two clocks are compared."""
_BUFFER: Final = 4 * 1024 * 1024
# Linux has these for all common machines; Python has no names for them.
_SO_TIMESTAMPNS: Final = 35
_SO_RCVBUFFORCE: Final = 33
_SO_MEMINFO: Final = 55
_IP_RECVERR: Final = 11
_PENDING_ERRORS: Final = 4
_ANCILLARY_OF_ERROR: Final = socket.CMSG_SPACE(64)
_ANCILLARY: Final = socket.CMSG_SPACE(16)
_TIMESPEC: Final = struct.Struct("@ll")
_MEMINFO: Final = struct.Struct("@9I")
"""The last one are the drops (linux/sock_diag.h)."""


class PortTaken(SetupError):
    """Another program has the address: lease another one and try again."""


class UdpPort:
    """Bound from the moment it is made until :meth:`close`; belongs to the running event loop."""

    def __init__(
        self, address: Address, on_datagram: OnDatagram, on_refused: Callable[[Address], None] = lambda _to: None
    ) -> None:
        """Bind ``address`` (port 0: any).  PortTaken if another program is there, SetupError if it cannot be had.

        ``on_refused`` hears to where a datagram was sent that found no socket (ICMP port unreachable).
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
        # Where a kernel has no stamps, a datagram came when it was read.
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        self.address = Address.of(self._socket.getsockname(), address.transport)
        self.bound_at = clock.now()
        self.closed_at: float | None = None
        self._drops = 0
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._read)

    @property
    def drops(self) -> int:
        """How many datagrams the kernel has dropped here because nobody had read the ones before.

        Asked of the socket: what SO_RXQ_OVFL counts comes with the next datagram, and none may come after a flood.
        """
        # Where a kernel does not say, drops are not known.
        with contextlib.suppress(OSError, struct.error):
            self._drops = _MEMINFO.unpack(self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size))[-1]
        return self._drops

    def send(self, data: bytes, to: Address) -> float:
        """Send one datagram; returns when that was.

        A full buffer, or a port at which nobody listens, is a lost datagram: SIP over UDP sends again.
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

    def only_from(self, peer: Address) -> None:
        """From now on the kernel lets nobody in but ``peer``."""
        self._socket.connect(peer.sockaddr)

    def close(self) -> None:
        """Read what has arrived until now, and let the address go."""
        if self.closed_at is None:
            self.closed_at = clock.now()
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
            errors = {int.from_bytes(value[:4], sys.byteorder) for _, kind, value in ancillary if kind == _IP_RECVERR}
            if to and errno.ECONNREFUSED in errors:
                self._on_refused(Address.of(to, self.address.transport))

    def _read(self, most: int | None = AT_ONCE) -> None:
        self._hear_refusals()
        while most is None or most > 0:
            try:
                data, ancillary, _, source = self._socket.recvmsg(_LARGEST, _ANCILLARY)
            except BlockingIOError:
                return
            except ConnectionError:  # the peer of a connected socket has gone; what it said before is still to be read
                continue
            except OSError:
                return
            most = None if most is None else most - 1
            at: float | None = None
            for level, kind, value in ancillary:
                if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(value) == _TIMESPEC.size:
                    seconds, nanoseconds = _TIMESPEC.unpack(value)
                    at = clock.of_kernel(seconds + nanoseconds / 1e9)
            if at and self.closed_at and at > self.closed_at + _CLOSING_S:
                return  # a flood must not keep a socket from being closed
            self._on_datagram(data, Address.of(source, self.address.transport), at or clock.now())
