"""The tap over WebSockets: handshakes of both sides, and what a device may do before, in and after one."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import websockets.asyncio.client
import websockets.asyncio.server
from sipp_peer import run
from stream_taps import INVITE, RESPONSE, Seen, at, connected, connections, tapped
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from harness.endpoints.tap import connection
from harness.endpoints.tap.heard import Heard
from harness.endpoints.tap.stream import StreamPort
from harness.endpoints.tap.tap import Tap
from harness.net.address import Address
from harness.net.authority import Authority
from harness.net.probes import options_ping
from harness.net.streams import Upgrade

SIP = [Subprotocol("sip")]
GONE = "127.0.0.9:5999"


@asynccontextmanager
async def browser(tap: Tap, **more: object) -> AsyncIterator[websockets.asyncio.client.ClientConnection]:
    """A WebSocket with the tap, opened by the library that browsers are tested against."""
    scheme = "wss" if tap.port.address.secure else "ws"
    options = {"subprotocols": SIP, "compression": None, **more}
    async with websockets.asyncio.client.connect(f"{scheme}://{tap.port.address}/x", **options) as one:  # type: ignore[arg-type]
        yield one


async def ended(tap: Tap, number: int = 0) -> str:
    """What went wrong on a connection that is over."""
    async with asyncio.timeout(20):
        while len(connections(tap)) <= number or connections(tap)[number].closed_at is None:  # noqa: ASYNC110 - a fact
            await asyncio.sleep(0.01)
    return connections(tap)[number].trouble


def frame(payload: bytes, opcode: int, *, fin: bool = True) -> bytes:
    """A frame of a client, by hand."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else bytes([0xFF]) + struct.pack("!Q", size)
    return bytes([(0x80 if fin else 0) | opcode]) + length + bytes(4) + payload


HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n"
)


@run
async def test_a_message_goes_each_way_and_the_record_has_its_very_bytes() -> None:
    async with tapped(transport="ws") as (tap, seen):
        async with browser(tap) as phone:
            own = Address.of(phone.local_address, "ws")
            text = INVITE.format(via="abc.invalid", branch=1)
            await phone.send(text)
            await seen.until(1)
            assert (seen.events[0].raw, seen.events[0].source, seen.events[0].transport) == (text, own, "ws")
            tap.emit(RESPONSE.format(via="abc.invalid", branch=1).encode())
            assert await phone.recv() == RESPONSE.format(via="abc.invalid", branch=1)
        assert await ended(tap) == ""
        [one] = connections(tap)
        assert (one.opened_by, one.closed_by, one.handshake) == ("device", "device", None)
        assert one.upgrade == Upgrade(("sip",), "sip", "/x", 101, 1000, "")


@run
async def test_a_request_of_ours_opens_a_websocket_and_what_follows_uses_it() -> None:
    came: asyncio.Queue[str | bytes] = asyncio.Queue()

    async def take(one: websockets.asyncio.server.ServerConnection) -> None:
        async for message in one:
            came.put_nowait(message)

    device = at("ws")
    async with (
        websockets.asyncio.server.serve(take, *device.sockaddr, subprotocols=SIP),
        tapped(device, "ws") as (tap, seen),
    ):
        first, second = (INVITE.format(via=tap.port.address, branch=number) for number in (1, 2))
        tap.emit(first.encode())
        tap.emit(second.encode())
        async with asyncio.timeout(10):
            assert [await came.get(), await came.get()] == [first, second]
        # Not UTF-8: a text frame would be against RFC 6455.
        tap.emit(INVITE.format(via=tap.port.address, branch=3).encode() + b"\xff\xfe")
        async with asyncio.timeout(10):
            assert (await came.get())[-2:] == b"\xff\xfe"  # type: ignore[comparison-overlap]
        [one] = connections(tap)
        assert (one.opened_by, one.peer, one.upgrade) == ("suite", device, Upgrade(("sip",), "sip", "/", 101))
        assert one.established_at is not None
        assert seen.events[0].time >= one.established_at


@run
async def test_the_path_of_a_server_is_asked_for() -> None:
    asked: asyncio.Queue[str] = asyncio.Queue()

    async def take(one: websockets.asyncio.server.ServerConnection) -> None:
        assert one.request is not None
        asked.put_nowait(one.request.path)
        text = await one.recv()
        via = next(line for line in str(text).split("\r\n") if line.startswith("Via: "))
        await one.send(f"SIP/2.0 200 OK\r\n{via}\r\n\r\n")

    device = at("ws")
    async with websockets.asyncio.server.serve(take, *device.sockaddr, subprotocols=SIP):
        port = StreamPort(at("ws"), Heard(lambda *_: None), path="/ws?x=1")
        port.send(INVITE.format(via=GONE, branch=1).encode(), device)
        async with asyncio.timeout(10):
            assert await asked.get() == "/ws?x=1"
        port.close()
        assert await options_ping(device, replace(device, port=0), 5.0, path="/sip") == "SIP/2.0 200 OK"
        assert asked.get_nowait() == "/sip"


@run
async def test_no_connection_is_opened_to_where_a_browser_called_from() -> None:
    async with tapped(transport="ws") as (tap, seen):
        async with browser(tap) as phone:
            own = Address.of(phone.local_address, "ws")
            await phone.send(INVITE.format(via=GONE, branch=1))
            await seen.until(1)
        await ended(tap)
        tap.emit(RESPONSE.format(via=GONE, branch=1).encode())
        assert len(connections(tap)) == 1
        tap.port.send(b"x", own)
        assert "cannot be called there" in await ended(tap, 1)
        assert seen.refused == []


@run
async def test_without_a_subprotocol_it_is_accepted_and_kept_and_with_another_one_refused() -> None:
    async with tapped(transport="ws") as (tap, seen):
        async with browser(tap, subprotocols=None) as phone:
            await phone.send(INVITE.format(via="abc.invalid", branch=1))
            await seen.until(1)
        upgrade = connections(tap)[0].upgrade
        assert upgrade is not None
        assert (upgrade.offered, upgrade.agreed, upgrade.status) == ((), "", 101)
        with pytest.raises(InvalidStatus, match="400"):
            async with browser(tap, subprotocols=[Subprotocol("xmpp"), Subprotocol("mqtt")]):
                pass
        assert "expected the subprotocol sip, got xmpp, mqtt" in await ended(tap, 1)
        assert connections(tap)[1].upgrade == Upgrade(("xmpp", "mqtt"), "", "/x", 400)
        assert connections(tap)[1].established_at is None


@pytest.mark.parametrize(
    ("sent", "trouble", "noise"),
    [
        (b"INVITE sip:1@x SIP/2.0\r\nVia: x\r\n\r\n", "did not receive a valid HTTP request", b"INVITE sip:1@x"),
        (bytes(range(11, 256)) * 36, "WebSocket handshake: ", None),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 2_000, "WebSocket handshake: ", b"GET / HTTP/1.1"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "WebSocket handshake: missing Connection header", b"GET /"),
        (b"POST / HTTP/1.1\r\nHost: x\r\n\r\n", "WebSocket handshake: ", b"POST /"),
        (HANDSHAKE + b"\xff\xff\xff\xff", "WebSocket framing: ", None),
        (HANDSHAKE + b"\x82\x05hello", "WebSocket framing: incorrect masking", None),
        (HANDSHAKE + frame(b"x" * (1 << 20), 2), "a message of more than 262144 bytes", None),
        (HANDSHAKE + frame(b"x" * 200_000, 2, fin=False) * 2, "a message of more than 262144 bytes", b"xxx"),
        (HANDSHAKE + frame(b"", 0), "WebSocket framing: unexpected continuation frame", None),
    ],
)
@run
async def test_what_is_no_websocket_ends_its_connection_alone(sent: bytes, trouble: str, noise: bytes | None) -> None:
    async with tapped(transport="ws") as (tap, seen):
        reader, writer = await connected(tap)
        writer.write(sent)
        assert trouble in await ended(tap)
        with contextlib.suppress(ConnectionError):
            await reader.read()
        assert connections(tap)[0].closed_by == "suite"
        assert seen.events == []
        if noise is not None:
            await seen.until(noise=1)
            assert seen.noise[0].text.startswith(noise.decode())
            assert len(seen.noise[0].text) <= 2_000
        writer.close()
        await _still_listens(tap, seen)


@run
async def test_a_handshake_that_is_never_finished_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HANDSHAKE_S", 0.2)
    async with tapped(transport="ws") as (tap, seen):
        reader, writer = await connected(tap)
        writer.write(HANDSHAKE[:-4])
        assert await reader.read() == b""
        assert await ended(tap) == "WebSocket handshake: not established in time"
        _, silent = await connected(tap)
        assert await ended(tap, 1) == "WebSocket handshake: not established in time"
        _, gone = await connected(tap)
        gone.close()
        assert await ended(tap, 2) == "WebSocket handshake: ended by the device"
        silent.close()
        writer.close()
        await _still_listens(tap, seen)


@run
async def test_a_server_that_is_no_websocket_is_a_fact() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        await reader.read()
        writer.close()

    device = at("ws")
    async with await asyncio.start_server(refuse, *device.sockaddr), tapped(device, "ws") as (tap, seen):
        tap.emit(INVITE.format(via=tap.port.address, branch=1).encode())
        await seen.until(1)
        assert await ended(tap) == "WebSocket handshake: server rejected WebSocket connection: HTTP 404"
        upgrade = connections(tap)[0].upgrade
        assert upgrade is not None
        assert upgrade.status == 404


@run
async def test_fragments_and_single_bytes_make_one_message_and_a_ping_is_answered() -> None:
    async with tapped(transport="ws") as (tap, seen):
        reader, writer = await connected(tap)
        text = INVITE.format(via=GONE, branch=1).encode()
        stream = HANDSHAKE + frame(text[:50], 1, fin=False) + frame(b"here?", 9) + frame(text[50:], 0)
        for byte in stream:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        await seen.until(1)
        assert seen.events[0].raw == text.decode()
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        assert await reader.readexactly(7) == b"\x8a\x05here?"
        writer.close()


@run
async def test_a_flood_of_pings_from_a_device_that_reads_nothing_ends_its_connection_alone() -> None:
    async with tapped(transport="ws") as (tap, seen):
        reader, writer = await connected(tap)
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(HANDSHAKE)
        flood = frame(b"x" * 125, 9) * 1_000
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(60):
                while connections(tap)[:1] == () or connections(tap)[0].closed_at is None:
                    writer.write(flood)
                    await writer.drain()
        assert "that the device does not read" in await ended(tap)
        writer.transport.abort()
        await _still_listens(tap, seen)


@run
async def test_keepalives_are_answered_and_garbage_in_a_frame_is_kept() -> None:
    async with tapped(transport="ws") as (tap, seen):
        async with browser(tap) as phone:
            await phone.send("\r\n\r\n")
            assert await phone.recv() == "\r\n"
            await phone.send(b"\x00\xff\x80 no message")
            await seen.until(noise=1)
            assert seen.noise[0].text == "\x00\xff\x80 no message"
            await phone.send(INVITE.format(via=GONE, branch=1).encode())
            await seen.until(1)
        assert await ended(tap) == ""


@run
async def test_an_end_between_two_messages_is_a_fact_and_half_a_message_is_kept() -> None:
    async with tapped(transport="ws") as (tap, seen):
        async with browser(tap) as phone:
            await phone.send(INVITE.format(via=GONE, branch=1))
            await phone.close(4001, "going home")
        await seen.until(1)
        await ended(tap)
        upgrade = connections(tap)[0].upgrade
        assert upgrade is not None
        assert (upgrade.close_code, upgrade.close_reason) == (4001, "going home")
        _, writer = await connected(tap)
        writer.write(HANDSHAKE + frame(b"INVITE sip:half", 1, fin=False))
        await asyncio.sleep(0)
        writer.close()
        await seen.until(1, noise=1)
        assert seen.noise[0].text == "INVITE sip:half"
        await _still_listens(tap, seen)


@run
async def test_when_a_seat_ends_its_browser_is_told() -> None:
    async with tapped(transport="ws") as (tap, _), browser(tap) as phone:
        tap.close()
        with pytest.raises(ConnectionClosed):
            await phone.recv()
        assert phone.close_code == 1000
        assert connections(tap)[0].closed_by == "suite"


@run
async def test_a_secure_websocket_has_the_facts_of_both_handshakes(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "tls", tmp_path / "keys.log")
    context = ssl.create_default_context(cafile=authority.files_for("127.0.0.1")["authority"])
    async with tapped(transport="wss", authority=authority) as (tap, seen):
        async with browser(tap, ssl=context) as phone:
            await phone.send(INVITE.format(via="abc.invalid", branch=1))
            await seen.until(1)
            assert seen.events[0].transport == "wss"
            [one] = connections(tap)
            assert one.handshake is not None
            assert one.handshake.version == "TLSv1.3"
            assert one.upgrade is not None
            assert one.upgrade.agreed == "sip"
        reader, writer = await connected(tap)
        writer.write(HANDSHAKE)
        assert await reader.readline() == b"HTTP/1.1 101 Switching Protocols\r\n"
        assert connections(tap)[1].trouble == "in clear, where TLS is due"
        assert connections(tap)[1].local.transport == "ws"
        writer.close()


@run
async def test_a_sign_of_life_is_asked_for_over_a_websocket() -> None:
    async def answer(one: websockets.asyncio.server.ServerConnection) -> None:
        asked = await one.recv()
        assert isinstance(asked, str)
        via = next(line for line in asked.split("\r\n") if line.startswith("Via: SIP/2.0/WS "))
        await one.send(f"SIP/2.0 200 OK\r\n{via}\r\nContent-Length: 0\r\n\r\n")

    device = at("ws")
    async with websockets.asyncio.server.serve(answer, *device.sockaddr, subprotocols=SIP):
        assert await options_ping(device, replace(device, port=0), 5.0) == "SIP/2.0 200 OK"


async def _still_listens(tap: Tap, seen: Seen) -> None:
    count = len(seen.events)
    async with browser(tap, ssl=None) as phone:
        await phone.send(INVITE.format(via=GONE, branch=99))
        await seen.until(count + 1)
