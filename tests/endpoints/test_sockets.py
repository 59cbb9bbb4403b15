"""Knowing which socket has an address: the kernel's answer and the table in /proc say the same."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator

import pytest

from harness.net import sockets
from harness.net.address import Address
from harness.net.sockets import inode_of, owns

Ask = Callable[[Address], int]


@pytest.fixture(params=["kernel", "table"])
def ask(request: pytest.FixtureRequest) -> Ask:
    if request.param == "table":
        return sockets._from_table
    if not sockets._kernel_answers():
        pytest.skip("this kernel answers no sock_diag questions here")
    return inode_of


@pytest.fixture(params=[(host, transport) for host in ("127.0.0.1", "::1") for transport in ("udp", "tcp")])
def bound(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, Address]]:
    host, transport = request.param
    address = Address(host, 0, transport)
    with address.open_socket() as one:
        one.bind(address.sockaddr)
        if transport == "tcp":
            one.listen()
        yield one, Address.of(one.getsockname(), transport)


def test_a_bound_socket_is_found_and_belongs_to_its_process(ask: Ask, bound: tuple[socket.socket, Address]) -> None:
    one, address = bound
    assert ask(address) == os.fstat(one.fileno()).st_ino
    assert owns(os.getpid(), ask(address))
    assert not owns(os.getppid(), ask(address))
    one.close()
    assert ask(address) == 0


@pytest.mark.parametrize(("every", "host"), [("0.0.0.0", "127.0.0.1"), ("::", "::1")])
def test_a_socket_on_every_address_has_each_of_them(ask: Ask, every: str, host: str) -> None:
    with Address(every).open_socket() as one:
        one.bind((every, 0))
        port = one.getsockname()[1]
        assert ask(Address(host, port)) == os.fstat(one.fileno()).st_ino


def test_another_port_host_or_transport_is_not_it(ask: Ask) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.2", 0))
        port = one.getsockname()[1]
        assert not ask(Address("127.0.0.3", port))
        assert not ask(Address("127.0.0.2", port, "tcp"))


def test_nobody_owns_the_sockets_of_a_process_that_is_gone() -> None:
    assert not owns(2**22 - 1, 1)
