"""The suite's own socket: when a datagram came, how many were lost, and what is left when it closes."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from sipp_peer import address, run

from harness.endpoints.tap.port import AT_ONCE, PortTaken, UdpPort
from harness.errors import SetupError
from harness.net.address import Address
from harness.net.sockets import inode_of
from harness.system import clock

FLOOD = """
import socket, sys, time
wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
to, end = (sys.argv[1], int(sys.argv[2])), time.monotonic() + 6
print("READY", flush=True)
while time.monotonic() < end:
    for _ in range(1000):
        wire.sendto(b"x" * 50, to)
"""


@dataclass(frozen=True)
class Heard:
    data: bytes
    source: Address
    at: float


class Inbox(list[Heard]):
    def take(self, data: bytes, source: Address, at: float) -> None:
        self.append(Heard(data, source, at))


@pytest.fixture
def wire() -> Iterator[socket.socket]:
    """A peer's socket."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        own = address()
        one.bind((own.host, own.port))
        yield one


def to(port: UdpPort) -> tuple[str, int]:
    return port.address.host, port.address.port


def stall(seconds: float) -> None:
    """Keep the loop from reading, as a busy machine would."""
    time.sleep(seconds)


def test_a_datagram_came_when_it_arrived_not_when_it_was_read(wire: socket.socket) -> None:
    @run
    async def body() -> None:
        inbox = Inbox()
        port = UdpPort(address(), inbox.take)
        began = clock.now()
        for data in (b"first", b"second"):
            wire.sendto(data, to(port))
            stall(0.3)
        assert not inbox, "nothing has been read yet"
        while len(inbox) < 2:  # noqa: ASYNC110 - the port hands them over in this loop
            await asyncio.sleep(0)
        read = clock.now()
        port.close()
        first, second = inbox
        assert (first.data, second.data) == (b"first", b"second")
        assert began <= first.at < began + 0.1
        assert 0.29 < second.at - first.at < 0.4
        assert read - second.at > 0.29
        assert first.source == Address(*wire.getsockname())

    body()


def test_what_one_peer_sends_holds_up_nobody_else(wire: socket.socket) -> None:
    @run
    async def body() -> None:
        inbox = Inbox()
        port = UdpPort(address(), inbox.take)
        for _ in range(3 * AT_ONCE):
            wire.sendto(b"x", to(port))
        turns = []
        while len(inbox) < 3 * AT_ONCE:
            await asyncio.sleep(0)
            turns.append(len(inbox))
        port.close()
        assert AT_ONCE in turns

    body()


def test_drops_are_counted_although_nothing_comes_after_them(wire: socket.socket) -> None:
    @run
    async def body() -> None:
        inbox = Inbox()
        port = UdpPort(address(), inbox.take)
        assert port.drops == 0
        port._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000)
        for _ in range(500):
            wire.sendto(b"x" * 200, to(port))
        assert port.drops > 400
        port.close()
        assert len(inbox) + port.drops == 500, "known after the end, too"

    body()


@run
async def test_a_taken_port_and_an_address_of_another_machine_are_told_apart() -> None:
    first = UdpPort(address(), Inbox().take)
    with pytest.raises(PortTaken, match=f"{first.address}.*taken by another program"):
        UdpPort(first.address, Inbox().take)
    with pytest.raises(SetupError, match=r"192\.0\.2\.1:5060 cannot be bound") as caught:
        UdpPort(Address("192.0.2.1"), Inbox().take)
    assert not isinstance(caught.value, PortTaken)
    first.close()
    UdpPort(first.address, Inbox().take).close()


def test_closing_takes_what_has_arrived_and_gives_the_address_back(wire: socket.socket) -> None:
    @run
    async def body() -> None:
        inbox = Inbox()
        port = UdpPort(address(), inbox.take)
        assert (port.bound_at, port.closed_at) == (pytest.approx(clock.now(), abs=1), None)
        for number in range(3 * AT_ONCE):
            wire.sendto(bytes([number]), to(port))
        port.close()
        assert [heard.data[0] for heard in inbox] == list(range(3 * AT_ONCE))
        assert not inode_of(port.address)
        closed_at = port.closed_at
        port.close()
        assert closed_at == port.closed_at == pytest.approx(clock.now(), abs=1)

    body()


@contextmanager
def flooded(port: UdpPort) -> Iterator[None]:
    """While another process sends to ``port`` as fast as it can, for six seconds at most."""
    command = [sys.executable, "-c", FLOOD, *map(str, to(port))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as flood:
        assert flood.stdout
        flood.stdout.readline()
        stall(0.3)
        yield
        flood.kill()


@run
async def test_a_flood_keeps_no_socket_from_being_closed() -> None:
    port = UdpPort(address(), lambda *_: stall(0.0001))
    port._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)
    with flooded(port):
        began = time.monotonic()
        port.close()
        assert time.monotonic() - began < 3.0


def test_a_peer_that_has_gone_takes_nothing_of_what_it_said_with_it(wire: socket.socket) -> None:
    @run
    async def body() -> None:
        inbox = Inbox()
        port = UdpPort(address(), inbox.take)
        peer = Address(*wire.getsockname())
        port.only_from(peer)
        wire.sendto(b"last words", to(port))
        wire.close()
        port.send(b"are you there?", peer)  # an ICMP error comes back
        port.close()
        assert [heard.data for heard in inbox] == [b"last words"]

    body()


def test_only_one_peer_gets_in(wire: socket.socket) -> None:
    @run
    async def body() -> None:
        inbox = Inbox()
        port = UdpPort(address(), inbox.take)
        port.only_from(Address(*wire.getsockname()))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"stranger", to(port))
        wire.sendto(b"peer", to(port))
        port.close()
        assert [heard.data for heard in inbox] == [b"peer"]

    body()


@run
async def test_sending_to_where_nothing_is_raises_nothing() -> None:
    port = UdpPort(address(), Inbox().take)
    for peer in (address(), Address("255.255.255.255"), Address("192.0.2.1", 0)):
        assert port.send(b"x", peer) == pytest.approx(clock.now(), abs=1)
    assert port.send(b"x" * 70_000, address())
    port.close()
    port.send(b"x", address())
