"""Leasing addresses by transport and family."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Iterator

import pytest

from harness.errors import SetupError
from harness.net import loopback
from harness.net.address import Address, Carrier, Family, Transport
from harness.net.binding import is_free
from harness.net.loopback import BESIDE, LoopbackPool
from harness.net.pool import AddressPool, CarrierPool, LabPool


@pytest.fixture
def pool() -> Iterator[LoopbackPool]:
    pool = LoopbackPool()
    yield pool
    pool.close()


def bound(address: Address) -> socket.socket:
    """A socket that holds ``address``."""
    one = address.open_socket()
    one.bind(address.sockaddr)
    if address.transport != "udp":
        one.listen()
    return one


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_what_is_leased_has_the_transport_and_family_and_can_be_bound(
    pool: LoopbackPool, transport: Transport, family: Family
) -> None:
    leased = [pool.lease(transport, family) for _ in range(3)]
    leased.append(pool.beside(leased[0]))
    assert len(set(leased)) == 4
    assert {(address.transport, address.family) for address in leased} == {(transport, family)}
    assert leased[3].host == leased[0].host
    for address in leased:
        bound(address).close()


def test_on_ipv4_endpoints_differ_by_host_and_on_ipv6_by_port(pool: LoopbackPool) -> None:
    four, six = ([pool.lease("udp", family) for _ in range(4)] for family in ("ipv4", "ipv6"))  # type: ignore[arg-type]
    assert len({address.host for address in four}) == 4
    assert {address.port for address in four} == {pool.port}
    assert {address.host for address in six} == {"::1"}
    assert len({address.port for address in six}) == 4


def test_two_runs_never_have_the_same_ports_of_ipv6() -> None:
    one, other = LoopbackPool(), LoopbackPool()
    try:
        leased = [pool.lease("udp", "ipv6").port for pool in (one, other) for _ in range(50)]
        assert len(set(leased)) == 100
    finally:
        one.close()
        other.close()


def test_a_run_that_has_used_a_block_of_ports_leases_another(
    pool: LoopbackPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loopback, "_PORT_BLOCKS", range(9000, 9006, 2))
    ports = {pool.lease("udp", "ipv6").port for _ in range(6)}
    assert ports == set(range(9000, 9006))
    for _ in range(2):
        with pytest.raises(SetupError, match="all 3 loopback blocks"):
            pool.lease("udp", "ipv6")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_port_that_is_held_is_not_leased(pool: LoopbackPool, transport: Transport) -> None:
    first = pool.lease(transport, "ipv6")
    after = Address(first.host, first.port + 1, transport)
    with bound(after):
        assert not is_free(after)
        assert pool.lease(transport, "ipv6").port == first.port + 2
    assert is_free(after)


def test_a_port_is_probed_with_the_transport_that_is_to_use_it(pool: LoopbackPool) -> None:
    first = pool.lease("tcp")
    following = f"{first.host.rpartition('.')[0]}.{int(first.host.rpartition('.')[2]) + 1}"
    with bound(Address(following, first.port)):  # UDP keeps nobody from listening on TCP
        assert pool.lease("tcp") == Address(following, first.port, "tcp")
    with bound(Address("127.0.0.1", 0, "tcp")) as held:
        assert not is_free(Address.of(held.getsockname(), "tcp"))
        assert is_free(Address.of(held.getsockname(), "udp"))


def test_beside_is_the_same_host(pool: LoopbackPool) -> None:
    address = pool.lease("tcp")
    assert pool.beside(address) == Address(address.host, address.port + BESIDE, "tcp")


def test_without_ipv6_the_hint_says_how_to_get_it(pool: LoopbackPool, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_address: Address) -> bool:
        raise OSError(99, "Cannot assign requested address")

    monkeypatch.setattr(loopback, "is_free", refuse)
    with pytest.raises(SetupError, match=r"UDP \[::1\]:\d+ cannot be bound") as error:
        pool.lease("udp", "ipv6")
    assert "disable_ipv6=0" in error.value.hint


# --- a lab


def test_a_lab_leases_the_families_of_its_hosts(pool: LoopbackPool) -> None:
    host = pool.lease().host
    lab: AddressPool = LabPool([host], range(21000, 21004))
    address = lab.lease("tcp")
    assert address == Address(host, 21000, "tcp")
    assert lab.beside(address) == Address(host, 21001, "tcp")
    with pytest.raises(SetupError, match=rf"lab.tester {host}, lab.ports 21000-21003 has no IPv6 address") as error:
        lab.lease("udp", "ipv6")
    assert "device.families" in error.value.hint
    lab.give_back(address)
    assert [lab.lease() for _ in range(3)] == [Address(host, port) for port in (21002, 21003, 21000)]


def test_what_several_seats_shared_is_free_once() -> None:
    lab = LabPool(["127.0.0.1"], range(21020, 21023))
    one = lab.lease()
    for address in (one, dataclasses.replace(one, transport="tcp"), Address("127.0.0.1", 21099)):
        lab.give_back(address)
    assert [lab.lease().port for _ in range(3)] == [21021, 21022, 21020]
    with pytest.raises(SetupError, match="are in use"):
        lab.lease()
    lab.close()


def test_each_family_of_a_drive_has_its_own_pool() -> None:
    one, other = LabPool(["127.0.0.1"], range(21030, 21032)), LabPool(["::1"], range(21040, 21042))
    pool = CarrierPool(other, Carrier("tcp", "ipv6"), one)
    here, there = pool.lease(), pool.lease(across=True)
    assert (here, there) == (Address("::1", 21040, "tcp"), Address("127.0.0.1", 21030, "tcp"))
    assert (pool.beside(here).port, pool.beside(there).port) == (21041, 21031)
    pool.give_back(there)
    assert one.lease() == Address("127.0.0.1", 21030)
    one.close()
    other.close()


def test_a_pool_of_both_families_is_enough(pool: LoopbackPool) -> None:
    over_ipv6 = CarrierPool(pool, Carrier("udp", "ipv6"))
    assert [over_ipv6.lease(across=across).family for across in (False, True)] == ["ipv6", "ipv4"]


def test_a_lab_of_both_families_leases_each() -> None:
    lab = LabPool(["127.0.0.1", "::1"], range(21010, 21012))
    assert [str(lab.lease("udp", family)) for family in ("ipv6", "ipv4", "ipv6")] == [  # type: ignore[arg-type]
        "[::1]:21010",
        "127.0.0.1:21010",
        "[::1]:21011",
    ]
    with pytest.raises(SetupError, match="are in use"):
        lab.lease("tcp", "ipv6")
    lab.close()
