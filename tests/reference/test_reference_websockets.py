"""The reference device over WebSockets, and its faults there: each shows, and not without the fault."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from harness.devices.reference.binding import bind
from harness.devices.reference.console import Orders
from harness.devices.reference.device import Device
from harness.devices.reference.faults import fault_named
from harness.devices.reference.misbehaviour import behaviour_with
from harness.devices.reference.roles import ROLES
from harness.devices.reference.sip_uri import Address
from harness.devices.reference.stream import Contexts
from harness.net.authority import Authority

HOST, CALLEE = "127.0.30.10", "127.0.31.10"
SIP = [Subprotocol("sip")]
OPTIONS = (
    "OPTIONS sip:7@127.0.30.10 SIP/2.0\r\nVia: SIP/2.0/WS abc.invalid;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
    "From: <sip:a@b>;tag=f\r\nTo: <sip:7@127.0.30.10>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


@asynccontextmanager
async def device(
    *faults: str, role: str = "uas", transport: str = "ws", contexts: Contexts | None = None
) -> AsyncIterator[tuple[Device, Address]]:
    bound = {transport: bind(HOST, 0, transport), "udp": bind(HOST, 0)}
    one = Device(tuple(bound.items()), behaviour_with(map(fault_named, faults)), core=ROLES[role], contexts=contexts)
    await one.open()
    try:
        yield one, one.stack.layer.transport.local
    finally:
        for sock in bound.values():
            sock.close()


async def called(one: Device, subprotocols: list[Subprotocol] | None, **more: object) -> list[str]:
    """What a callee hears of a call to it: the subprotocols that are offered, and the INVITE."""
    heard: list[str] = []
    came = asyncio.Event()

    async def take(connection: ServerConnection) -> None:
        assert connection.request is not None
        heard.append(connection.request.headers.get("Sec-WebSocket-Protocol", ""))
        heard.append(str(await connection.recv()))
        via = re.search(r"\r\n(Via: .*?)\r\n", heard[-1])
        assert via is not None
        fields = re.findall(r"(?m)^(?:From|To|Call-ID|CSeq): .*?\r\n", heard[-1])
        await connection.send(f"SIP/2.0 603 Decline\r\n{via[1]}\r\n{''.join(fields)}Content-Length: 0\r\n\r\n")
        heard.append(str(await connection.recv()))
        came.set()

    async with serve(take, CALLEE, 0, subprotocols=subprotocols, **more) as server:  # type: ignore[arg-type]
        port = next(iter(server.sockets)).getsockname()[1]
        Orders(one.stack).call(f"sip:7@{CALLEE}:{port};transport=ws")
        async with asyncio.timeout(5):
            await came.wait()
    return heard


@pytest.mark.parametrize("faults", [(), ("omits_subprotocol",)])
def test_it_names_the_subprotocol_in_its_answer(faults: tuple[str, ...]) -> None:
    async def main() -> None:
        async with device(*faults) as (_, address):
            async with connect(f"ws://{address}/", subprotocols=SIP, compression=None) as caller:
                assert caller.subprotocol == (None if faults else "sip")
                await caller.send(OPTIONS)
                assert str(await caller.recv()).startswith("SIP/2.0 200")
            if not faults:
                with pytest.raises(InvalidStatus, match="400"):
                    async with connect(f"ws://{address}/", compression=None):
                        pass

    asyncio.run(main())


@pytest.mark.parametrize("faults", [(), ("omits_subprotocol",)])
def test_it_names_the_subprotocol_when_it_calls_and_a_refusal_is_acknowledged(faults: tuple[str, ...]) -> None:
    async def main() -> None:
        async with device(*faults, role="ua") as (one, address):
            offered, invite, ack = await called(one, None if faults else SIP)
            assert offered == ("" if faults else "sip")
            assert f"\r\nVia: SIP/2.0/WS {address};" in invite
            assert f"\r\nContact: <sip:reference@{address};transport=ws>" in invite
            assert ack.startswith("ACK ")

    asyncio.run(main())


def test_a_callee_that_does_not_agree_is_not_spoken_to() -> None:
    async def main() -> None:
        ended = asyncio.Event()

        async def take(connection: ServerConnection) -> None:
            with pytest.raises(ConnectionClosed):
                await connection.recv()
            ended.set()

        async with device(role="ua") as (one, _), serve(take, CALLEE, 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            Orders(one.stack).call(f"sip:7@{CALLEE}:{port};transport=ws")
            async with asyncio.timeout(5):
                await ended.wait()

    asyncio.run(main())


@pytest.mark.parametrize("faults", [(), ("plain_via_when_secure",)])
def test_the_via_over_a_secure_websocket(faults: tuple[str, ...], tmp_path: Path) -> None:
    async def main() -> None:
        authority = Authority(tmp_path)
        files = authority.files_for(HOST)
        contexts = Contexts(files["certificate"], files["authority"], behaviour_with(map(fault_named, faults)))
        context = authority.server_context(CALLEE)
        assert isinstance(context, ssl.SSLContext)
        async with device(*faults, role="ua", transport="wss", contexts=contexts) as (one, address):
            _, invite, ack = await called(one, SIP, ssl=context)
            assert f"\r\nVia: SIP/2.0/{'WS' if faults else 'WSS'} {address};" in invite
            assert f"Contact: <sip:reference@{address};transport=ws>" in invite
            assert ack.startswith("ACK ")

    asyncio.run(main())
