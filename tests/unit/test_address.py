"""Reading and writing host:port, IPv4 and IPv6."""

from __future__ import annotations

import socket

import pytest

from harness.net.address import Address, family_of, split_host_port


@pytest.mark.parametrize(
    ("text", "host", "port", "family"),
    [
        ("192.0.2.7:5060", "192.0.2.7", 5060, "ipv4"),
        ("[::1]:5060", "::1", 5060, "ipv6"),
        ("[2001:DB8:0::7]:65535", "2001:db8::7", 65535, "ipv6"),
    ],
)
def test_what_is_written_can_be_read(text: str, host: str, port: int, family: str) -> None:
    address = Address.parse(text, "tls")
    assert (address.host, address.port, address.transport, address.family) == (host, port, "tls", family)
    assert Address.parse(str(address), "tls") == address


def test_an_ipv6_host_stands_in_brackets_where_a_port_may_follow() -> None:
    address = Address("::1")
    assert str(address) == "[::1]:5060"
    assert address.uri_host == "[::1]"
    assert address.sockaddr == ("::1", 5060)
    assert Address("127.0.0.1").uri_host == "127.0.0.1"


@pytest.mark.parametrize(
    "text",
    [
        *("", "192.0.2.7", "192.0.2.7:", "192.0.2.7:0", "192.0.2.7:99999", "192.0.2.7:x", "192.0.2.7:" + "9" * 5000),
        *("192.0.2.7 : 5060", "192.0.2.7:5060 ", "pbx:5060"),
        *("::1:5060", "[::1]", "[::1:5060", "[::g]:5060", "[192.0.2.7]:5060"),
    ],
)
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected IPv4:port or \[IPv6\]:port, as in 192\.0\.2\.7:5060 or .*; "):
        Address.parse(text)


def test_one_family_may_be_asked_for() -> None:
    with pytest.raises(ValueError, match=r"expected IPv4:port, as in 192\.0\.2\.7:5060; got '\[::1\]:5060', an IPv6"):
        Address.parse("[::1]:5060", family="ipv4")
    with pytest.raises(ValueError, match=r"expected \[IPv6\]:port, as in \[2001:db8::7\]:5060; got '127\.0\.0\.1:1'"):
        Address.parse("127.0.0.1:1", family="ipv6")


@pytest.mark.parametrize("address", [Address("127.0.0.1", 0), Address("127.0.0.1", 0, "tcp"), Address("::1", 0, "wss")])
def test_a_socket_of_an_address_is_of_its_family_and_transport(address: Address) -> None:
    with address.open_socket() as one:
        one.bind(address.sockaddr)
        assert one.type == (socket.SOCK_DGRAM if address.transport == "udp" else socket.SOCK_STREAM)
        bound = Address.of(one.getsockname(), address.transport)
    assert (bound.host, bound.transport) == (address.host, address.transport)
    assert bound.port


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("pbx.example", ("pbx.example", None)),
        ("pbx.example:5062", ("pbx.example", 5062)),
        ("192.0.2.7 : 5060", ("192.0.2.7", 5060)),
        ("[2001:db8::7]", ("2001:db8::7", None)),
        ("[2001:db8::7]:5061", ("2001:db8::7", 5061)),
    ],
)
def test_the_host_and_port_of_a_header(text: str, parts: tuple[str, int | None]) -> None:
    assert split_host_port(text) == parts


@pytest.mark.parametrize("text", ["", ":5060", "::1", "a b", "host:port", "[::1", "a;b"])
def test_what_is_no_host_and_port(text: str) -> None:
    with pytest.raises(ValueError, match="expected host or host:port"):
        split_host_port(text)


def test_the_family_of_a_host() -> None:
    assert [family_of(host) for host in ("::1", "[::1]", "127.0.0.1", "localhost")] == ["ipv6", "ipv6", "ipv4", None]
