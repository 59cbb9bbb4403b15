"""Knowing that a socket is bound: one look at /proc for all who wait, and no probe that a SIPp could notice."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.plan import Address

POLL_SECONDS = 0.008
"""Between two looks, while anybody waits.  One look costs 0.04 ms, and more with hundreds of sockets."""
_LISTENING = {"udp": "07", "tcp": "0A"}
_SOCKET = re.compile(r"^ *\d+: (?P<address>\S+) \S+ (?P<state>\S+) \S+ \S+ \S+ +\d+ +\d+ (?P<inode>\d+)", re.MULTILINE)
"""A line of /proc/net/udp or tcp: slot, addresses, state, queues, timer, retransmits, uid, timeout, inode."""


@dataclass(eq=False)
class _Waiter:
    key: str
    transport: str
    pid: int
    future: asyncio.Future[None]


class Readiness:
    """Waits for the sockets of many processes; belongs to one event loop."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._waiters: list[_Waiter] = []
        self._timer: asyncio.TimerHandle | None = None

    async def bound(self, address: Address, pid: int, deadline: float) -> None:
        """Return when process ``pid`` has ``address`` bound.  TimeoutError after ``deadline`` seconds.

        The socket must be that process's own: whoever else holds the address makes SIPp end with status 254.
        """
        future = asyncio.get_running_loop().create_future()
        waiter = _Waiter(socket_key(address), _family(address), pid, future)
        self._waiters.append(waiter)
        self._look()
        try:
            async with asyncio.timeout(deadline):
                await future
        finally:
            with suppress(ValueError):
                self._waiters.remove(waiter)

    def _look(self) -> None:
        """Serve everybody who waits, and come back as long as somebody does."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        for transport in {waiter.transport for waiter in self._waiters}:
            tables = _tables(transport, self._proc)
            for waiter in [w for w in self._waiters if w.transport == transport]:
                inode = _inode(tables, waiter.key, transport)
                if inode and not waiter.future.done() and _owns(self._proc, waiter.pid, inode):
                    waiter.future.set_result(None)
                    self._waiters.remove(waiter)
        if self._waiters:
            self._timer = asyncio.get_running_loop().call_later(POLL_SECONDS, self._look)


def bound_sockets(transport: str, proc: Path = Path("/proc")) -> dict[str, str]:
    """The sockets of this network namespace on which something can arrive: from :func:`socket_key` to inode."""
    return {
        line["address"]: line["inode"]
        for line in _SOCKET.finditer(_tables(transport, proc))
        if line["state"] == _LISTENING[transport]
    }


def _tables(transport: str, proc: Path) -> str:
    text = ""
    for table in (transport, f"{transport}6"):
        with suppress(OSError):
            text += (proc / "net" / table).read_text()
    return text


def _inode(tables: str, key: str, transport: str) -> str:
    """The inode of the socket ``key``, or "".  Only its own line is taken apart: there may be hundreds of others."""
    place = tables.find(f": {key} ")
    while place >= 0:
        line = _SOCKET.match(tables, tables.rfind("\n", 0, place) + 1)
        if line and line["state"] == _LISTENING[transport]:
            return line["inode"]
        place = tables.find(f": {key} ", place + 1)
    return ""


def is_bound(address: Address) -> bool:
    """Whether any process has ``address`` bound now (an address in use cannot be leased)."""
    return socket_key(address) in bound_sockets(_family(address))


def socket_key(address: Address) -> str:
    """``address`` as /proc/net writes it: the host as one number in this machine's byte order, in hexadecimal."""
    packed = socket.inet_aton(address.host)
    return f"{int.from_bytes(packed, sys.byteorder):08X}:{address.port:04X}"


def _family(address: Address) -> str:
    return "udp" if address.transport == "udp" else "tcp"


def _owns(proc: Path, pid: int, inode: str) -> bool:
    wanted = f"socket:[{inode}]"
    with suppress(OSError):
        for entry in (proc / str(pid) / "fd").iterdir():
            with suppress(OSError):
                if str(entry.readlink()) == wanted:
                    return True
    return False
