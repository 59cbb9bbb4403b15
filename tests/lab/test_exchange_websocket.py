"""The exchange as the server of a phone in a browser: the phone's own WebSocket is the only way to it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from test_exchange import TOKEN, _pool
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from harness.endpoints.tap.loop import TapLoop
from harness.errors import DeviceError
from harness.lab.exchange import Exchange
from harness.lab.pings import RegisteredPings
from harness.lab.registrar import Account, Registrar
from harness.net.address import Address

REGISTER = (
    "REGISTER sip:x SIP/2.0\r\nVia: SIP/2.0/WS a.invalid;branch=z9hG4bK{number}\r\nFrom: <sip:100@x>;tag=1\r\n"
    "To: <sip:100@x>\r\nCall-ID: r\r\nCSeq: {number} REGISTER\r\nContact: <sip:abc@a.invalid;transport=ws>\r\n"
    "Expires: 600\r\nContent-Length: 0\r\n\r\n"
)


@asynccontextmanager
async def exchanging() -> AsyncIterator[Exchange]:
    taps = TapLoop()
    address = replace(_pool().lease(), transport="ws")
    exchange = await Exchange.open([address], Registrar(Account("100")), TOKEN, lambda _at: None, taps)
    try:
        yield exchange
    finally:
        await exchange.close()
        taps.close()


@asynccontextmanager
async def browser(exchange: Exchange) -> AsyncIterator[ClientConnection]:
    subprotocols = [Subprotocol("sip")]
    async with connect(f"ws://{exchange.address}/", subprotocols=subprotocols, compression=None) as phone:
        yield phone


async def registers(phone: ClientConnection, number: int = 1) -> None:
    await phone.send(REGISTER.format(number=number))
    async with asyncio.timeout(5):
        assert str(await phone.recv()).startswith("SIP/2.0 200")


async def answers_options(phone: ClientConnection) -> None:
    async for message in phone:
        via = re.search(r"\r\n(Via: .*?)\r\n", str(message))
        assert via is not None
        await phone.send(f"SIP/2.0 100 Trying\r\n{via[1]}\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n")
        await phone.send(f"SIP/2.0 404 Not Found\r\n{via[1]}\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n")


def test_a_phone_is_registered_from_its_own_end_and_asked_over_its_websocket() -> None:
    async def main() -> None:
        async with exchanging() as exchange, browser(exchange) as phone:
            await registers(phone)
            source = await exchange.registration(5.0)
            assert source == Address.of(phone.local_address, "ws")
            answering = asyncio.ensure_future(answers_options(phone))
            assert await RegisteredPings(exchange).ping(source, 5.0) == "SIP/2.0 404 Not Found"
            assert await RegisteredPings(exchange).ping(source, 5.0) == "SIP/2.0 404 Not Found"
            answering.cancel()

    asyncio.run(main())


def test_a_silent_phone_and_one_that_has_gone_give_no_sign_and_one_that_comes_back_does() -> None:
    async def main() -> None:
        async with exchanging() as exchange:
            pings = RegisteredPings(exchange)
            async with browser(exchange) as phone:
                await registers(phone)
                source = await exchange.registration(5.0)
                assert await pings.ping(source, 0.2) is None
            asking = asyncio.ensure_future(pings.ping(source, 10.0, t1=0.05))
            assert not await pings.refused_by(source, 0.1)
            async with browser(exchange) as phone:
                await registers(phone, 2)
                answering = asyncio.ensure_future(answers_options(phone))
                assert await asking == "SIP/2.0 404 Not Found"
                answering.cancel()

    asyncio.run(main())


def test_without_a_registration_nobody_is_asked() -> None:
    async def main() -> None:
        async with exchanging() as exchange:
            assert await RegisteredPings(exchange).ping(exchange.address, 0.1, t1=0.02) is None
            with pytest.raises(DeviceError, match="no REGISTER came"):
                await exchange.registration(0.1)

    asyncio.run(main())
