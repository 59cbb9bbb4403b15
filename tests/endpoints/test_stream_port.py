"""The tap over a stream: connections, what is sent on which, and what a device may do to one."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from sipp_peer import run
from stream_taps import INVITE, RESPONSE, at, connected, connections, tapped

from harness.endpoints.tap import stream
from harness.endpoints.tap.heard import Heard
from harness.endpoints.tap.port import PortTaken
from harness.endpoints.tap.stream import MOST_OPEN, StreamPort
from harness.errors import SetupError
from harness.net.address import Address
from harness.net.authority import Authority


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by RST."""
    own: socket.socket = writer.get_extra_info("socket")
    own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@run
async def test_messages_in_one_segment_and_a_message_in_many_are_recorded_alike() -> None:
    async with tapped() as (tap, seen):
        _, writer = await connected(tap)
        own = Address.of(writer.get_extra_info("sockname"), "tcp")
        several = "".join(INVITE.format(via=own, branch=number) for number in range(3))
        writer.write(several.encode())
        await seen.until(3)
        for byte in INVITE.format(via=own, branch=3):
            writer.write(byte.encode())
            await writer.drain()
            await asyncio.sleep(0)
        await seen.until(4)
        assert [event.call_id for event in seen.events] == ["c0", "c1", "c2", "c3"]
        assert {(event.source, event.destination, event.transport) for event in seen.events} == {
            (own, tap.port.address, "tcp")
        }
        assert "".join(event.raw for event in seen.events[:3]) == several
        writer.close()


@run
async def test_a_response_goes_back_on_the_connection_of_its_request() -> None:
    async with tapped() as (tap, seen):
        (first, one), (second, two) = await connected(tap), await connected(tap)
        one.write(INVITE.format(via="127.0.0.9:5999", branch=1).encode())
        two.write(INVITE.format(via="127.0.0.9:5999", branch=2).encode())
        await seen.until(2)
        tap.emit(RESPONSE.format(via="127.0.0.9:5999", branch=2).encode())
        assert (await second.readline()).startswith(b"SIP/2.0 603")
        assert seen.events[-1].destination == Address.of(two.get_extra_info("sockname"), "tcp")
        tap.emit(RESPONSE.format(via="127.0.0.9:5999", branch=1).encode())
        assert (await first.readline()).startswith(b"SIP/2.0 603")
        one.close()
        two.close()


@pytest.mark.parametrize("ends", [lambda writer: writer.transport.abort(), lambda writer: writer.write_eof()])
@run
async def test_when_its_connection_is_gone_or_half_closed_the_response_goes_to_the_port_of_the_via(
    ends: Callable[[asyncio.StreamWriter], None],
) -> None:
    accepted: asyncio.Queue[bytes] = asyncio.Queue()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.put_nowait(await reader.readline())
        writer.close()

    device = at()
    server = await asyncio.start_server(take, *device.sockaddr)
    async with server, tapped() as (tap, seen):
        _, writer = await connected(tap, local_addr=(device.host, 0))
        writer.write(INVITE.format(via=device, branch=1).encode())
        await seen.until(1)
        ends(writer)
        while connections(tap)[0].closed_at is None:  # noqa: ASYNC110 - a fact, not an event
            await asyncio.sleep(0.01)
        tap.emit(RESPONSE.format(via=device, branch=1).encode())
        assert (await asyncio.wait_for(accepted.get(), 10)).startswith(b"SIP/2.0 603")
        gone, opened = connections(tap)
        assert (gone.opened_by, gone.closed_by) == ("device", "device")
        assert (opened.opened_by, opened.peer) == ("suite", device)
        assert seen.events[-1].source == opened.local


@run
async def test_requests_for_one_address_share_a_connection_and_another_address_gets_its_own() -> None:
    counted: list[int] = []

    async def take(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        counted.append(1)
        await reader.read()

    device, other = at(), at()
    async with await asyncio.start_server(take, *device.sockaddr), await asyncio.start_server(take, *other.sockaddr):
        port = StreamPort(at(), Heard(lambda *_: None))
        for _ in range(3):
            port.send(b"x", device)
        port.send(b"x", other)
        while sum(counted) < 2:  # noqa: ASYNC110 - a fact, not an event
            await asyncio.sleep(0.01)
        assert [one.peer for one in port.connections] == [device, other]
        port.close()
        assert {one.closed_by for one in port.connections} == {"suite"}


@run
async def test_a_closed_port_is_told_and_kept() -> None:
    nobody = at()
    async with tapped(nobody) as (tap, seen):
        tap.emit(INVITE.format(via=tap.port.address, branch=1).encode())
        await seen.until(1, refused=1)
        assert seen.refused == [nobody]
        assert "refused" in connections(tap)[0].trouble
        assert connections(tap)[0].established_at is None


@run
async def test_a_reset_between_two_messages_is_a_fact_and_the_seat_goes_on() -> None:
    async with tapped() as (tap, seen):
        plain = socket.create_connection(tap.port.address.sockaddr)
        plain.sendall(INVITE.format(via="127.0.0.9:5999", branch=1).encode() + b"INVITE sip:half")
        await seen.until(1)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        plain.close()
        await seen.until(1, noise=1)
        assert seen.noise[0].text == "INVITE sip:half"
        assert (connections(tap)[0].closed_by, connections(tap)[0].trouble) == ("device", "reset by the device")
        _, writer = await connected(tap)
        writer.write(INVITE.format(via="127.0.0.9:5999", branch=2).encode())
        await seen.until(2)
        writer.close()


@run
async def test_a_header_of_a_megabyte_ends_its_connection_alone() -> None:
    async with tapped() as (tap, seen):
        reader, writer = await connected(tap)
        writer.write(b"INVITE sip:1@x SIP/2.0\r\nX: " + b"a" * (1 << 20))
        await seen.until(noise=1)
        assert seen.noise[0].size > 1 << 18
        assert len(seen.noise[0].text) == 2_000
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        assert connections(tap)[0].closed_by == "suite"
        assert "message of more than" in connections(tap)[0].trouble


@run
async def test_a_thousand_connections_are_too_many_and_the_first_ones_stay() -> None:
    async with tapped() as (tap, seen):
        opened = [await connected(tap) for _ in range(1_000)]
        troubles = [one for one in connections(tap) if "connections at one time" in one.trouble]
        assert len(connections(tap)) - len(troubles) == MOST_OPEN
        opened[0][1].write(INVITE.format(via="127.0.0.9:5999", branch=1).encode())
        await seen.until(1)
        for _, writer in opened:
            writer.transport.abort()


@run
async def test_keepalives_are_answered_and_are_no_messages() -> None:
    async with tapped() as (tap, seen):
        reader, writer = await connected(tap)
        writer.write(b"\r\n\r\n")
        assert await reader.readexactly(2) == b"\r\n"
        assert seen.events == []
        assert seen.noise == []
        writer.close()


@run
async def test_a_taken_port_and_a_foreign_address() -> None:
    port = StreamPort(at(), Heard(lambda *_: None))
    with pytest.raises(PortTaken, match="taken by another program"):
        StreamPort(port.address, Heard(lambda *_: None))
    with pytest.raises(SetupError, match="cannot be bound"):
        StreamPort(Address("192.0.2.1", 5060, "tcp"), Heard(lambda *_: None))
    port.close()
    StreamPort(port.address, Heard(lambda *_: None)).close()


@run
async def test_tls_keeps_what_was_agreed_and_writes_its_keys(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "tls", tmp_path / "keys.log")
    files = authority.files_for("127.0.0.1")
    context = ssl.create_default_context(cafile=files["authority"])
    async with tapped(transport="tls", authority=authority) as (tap, seen):
        host = tap.port.address.host
        with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
            await connected(tap, ssl=context, server_hostname="127.0.0.77")
        _, writer = await connected(tap, ssl=context, server_hostname=host)
        writer.write(INVITE.format(via="127.0.0.9:5999", branch=1).encode())
        await seen.until(1)
        assert seen.events[0].transport == "tls"
        refused, agreed = connections(tap)
        assert refused.handshake is None
        assert refused.trouble.startswith("TLS handshake: ")
        assert agreed.handshake
        assert agreed.handshake.version == "TLSv1.3"
        writer.close()
    assert "CLIENT_HANDSHAKE_TRAFFIC_SECRET" in (tmp_path / "keys.log").read_text()


@run
async def test_what_comes_in_clear_to_a_tls_port_is_recorded_as_such_and_answered_there(tmp_path: Path) -> None:
    async with tapped(transport="tls", authority=Authority(tmp_path)) as (tap, seen):
        reader, writer = await connected(tap)
        invite = INVITE.format(via="127.0.0.9:5999", branch=1)
        writer.write(invite.encode())
        await seen.until(1)
        assert (seen.events[0].raw, seen.events[0].transport) == (invite, "tcp")
        tap.emit(RESPONSE.format(via="127.0.0.9:5999", branch=1).encode())
        assert (await reader.readline()).startswith(b"SIP/2.0 603")
        (one,) = connections(tap)
        assert (one.trouble, one.handshake) == ("in clear, where TLS is due", None)
        assert seen.events[1].transport == one.peer.transport == "tcp"
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await seen.until(2, noise=1)
        assert seen.noise[0].text.startswith("GET / HTTP/1.1")
        writer.close()


@run
async def test_a_handshake_that_is_never_begun_or_never_finished_ends_by_our_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HANDSHAKE_S", 0.2)
    async with tapped(transport="tls", authority=Authority(tmp_path)) as (tap, seen):
        _, silent = await connected(tap)
        _, half = await connected(tap)
        half.write(b"\x16\x03\x01\x02\x00\x01")
        while any(one.closed_at is None for one in connections(tap)) or len(connections(tap)) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert {(one.closed_by, one.trouble) for one in connections(tap)} == {
            ("suite", "TLS handshake: not established in time")
        }
        assert seen.events == []
        silent.close()
        half.close()


@run
async def test_a_reset_in_the_handshake_and_one_between_two_messages_over_tls_are_facts(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.create_default_context(cafile=authority.files_for("127.0.0.1")["authority"])
    async with tapped(transport="tls", authority=authority) as (tap, seen):
        _, broken = await connected(tap)
        broken.write(b"\x16\x03\x01")
        await broken.drain()
        _reset(broken)
        _, writer = await connected(tap, ssl=context, server_hostname=tap.port.address.host)
        writer.write(INVITE.format(via="127.0.0.9:5999", branch=1).encode())
        await seen.until(1)
        _reset(writer)
        while any(one.closed_at is None for one in connections(tap)) or len(connections(tap)) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert [(one.closed_by, one.trouble) for one in connections(tap)] == [
            ("device", "TLS handshake: reset by the device"),
            ("device", "reset by the device"),
        ]
        _, later = await connected(tap, ssl=context, server_hostname=tap.port.address.host)
        later.write(INVITE.format(via="127.0.0.9:5999", branch=2).encode())
        await seen.until(2)
        later.close()


@run
async def test_a_header_of_a_megabyte_over_tls_ends_its_connection_alone(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.create_default_context(cafile=authority.files_for("127.0.0.1")["authority"])
    async with tapped(transport="tls", authority=authority) as (tap, seen):
        _, writer = await connected(tap, ssl=context, server_hostname=tap.port.address.host)
        writer.write(b"INVITE sip:1@x SIP/2.0\r\nX: " + b"x" * 1_000_000)
        await seen.until(noise=1)
        (one,) = connections(tap)
        assert one.closed_by == "suite"
        assert "a message of more than" in one.trouble
        _, later = await connected(tap, ssl=context, server_hostname=tap.port.address.host)
        later.write(INVITE.format(via="127.0.0.9:5999", branch=1).encode())
        await seen.until(1)
        later.close()
        writer.transport.abort()


@run
async def test_a_thousand_connections_without_a_handshake_leave_room_for_the_next_one(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.create_default_context(cafile=authority.files_for("127.0.0.1")["authority"])
    async with tapped(transport="tls", authority=authority) as (tap, seen):
        many = [await connected(tap) for _ in range(1_000)]
        for _, writer in many:
            writer.transport.abort()
        while sum(one.closed_at is None for one in connections(tap)):  # noqa: ASYNC110 - a fact, not an event
            await asyncio.sleep(0.01)
        assert any("more than" in one.trouble for one in connections(tap))
        _, later = await connected(tap, ssl=context, server_hostname=tap.port.address.host)
        later.write(INVITE.format(via="127.0.0.9:5999", branch=1).encode())
        await seen.until(1)
        later.close()


@run
async def test_garbage_before_the_handshake_and_an_old_version_are_facts(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with tapped(transport="tls", authority=authority) as (tap, seen):
        _, writer = await connected(tap)
        writer.write(b"\x80\x2e\x01\x03garbage\r\n\r\n")
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        with pytest.warns(DeprecationWarning, match="TLSv1"):
            old.maximum_version = ssl.TLSVersion.TLSv1
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await connected(tap, ssl=old)
        while any(one.closed_at is None for one in connections(tap)):  # noqa: ASYNC110 - a fact, not an event
            await asyncio.sleep(0.01)
        assert all(one.trouble.startswith("TLS handshake: ") for one in connections(tap))
        assert seen.events == []
        context = ssl.create_default_context(cafile=authority.files_for("127.0.0.1")["authority"])
        _, later = await connected(tap, ssl=context, server_hostname=tap.port.address.host)
        later.write(INVITE.format(via="127.0.0.9:5999", branch=1).encode())
        await seen.until(1)
        writer.close()
        later.close()
