"""The exchange between a device and the endpoints of its drives: real sockets on both sides."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import pytest

from harness.errors import DeviceError, SetupError
from harness.lab.exchange import MOST_UNCLAIMED, Exchange, Line
from harness.lab.registrar import Account, Registrar
from harness.net.address import Address
from harness.net.loopback import LoopbackPool

TOKEN = "71230001"
DEADLINE_S = 10.0


@cache
def _pool() -> LoopbackPool:
    return LoopbackPool()


class Party:
    """A UDP socket at an address of its own."""

    def __init__(self, address: Address | None = None) -> None:
        self.own = address or _pool().lease()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self.own.host, self.own.port))
        self._socket.setblocking(False)

    def send(self, text: str, to: Address) -> None:
        self._socket.sendto(text.encode("latin-1"), (to.host, to.port))

    async def get(self) -> tuple[str, Address]:
        async with asyncio.timeout(DEADLINE_S):
            data, source = await asyncio.get_running_loop().sock_recvfrom(self._socket, 65536)
        return data.decode("latin-1"), Address(*source)

    def close(self) -> None:
        self._socket.close()


@asynccontextmanager
async def lab(registrar: Registrar | None = None) -> AsyncIterator[tuple[Exchange, Party, Party, Party]]:
    """An exchange, a device, and the callee and the target of one drive."""
    alive: list[float] = []
    exchange = Exchange(_pool().lease(), registrar or Registrar(), r"7123\d{4}", alive.append)
    device, callee, target = Party(), Party(), Party()
    exchange.connect(TOKEN, Line(callee.own, {exchange.address: callee.own, target.own: target.own}))
    try:
        yield exchange, device, callee, target
    finally:
        for party in (device, callee, target):
            party.close()
        exchange.close()


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def body() -> None:
        asyncio.run(test())

    body.__name__, body.__doc__ = test.__name__, test.__doc__
    return body


def message(start: str, at: Address, call: str = "c", branch: str = "z9hG4bK1", *lines: str) -> str:
    method = start.split()[0] if not start.startswith("SIP") else "INVITE"
    head = [start, f"Via: SIP/2.0/UDP {at};branch={branch}", "From: <sip:100@x>;tag=1", "To: <sip:x@y>"]
    return "\r\n".join([*head, f"Call-ID: {call}", f"CSeq: 1 {method}", *lines, "", ""])


@run
async def test_a_call_goes_to_its_plan_and_back_unchanged() -> None:
    async with lab() as (exchange, device, callee, _):
        invite = message(f"INVITE sip:9{TOKEN}@{exchange.address} SIP/2.0", device.own)
        device.send(invite, exchange.address)
        assert await callee.get() == (invite, exchange.address)
        moved = message("SIP/2.0 302 Moved", device.own)
        callee.send(moved, exchange.address)
        assert await device.get() == (moved, exchange.address)
        ack = message("ACK sip:somebody@nowhere.test SIP/2.0", device.own)  # by its Call-ID
        device.send(ack, exchange.address)
        assert await callee.get() == (ack, exchange.address)


@run
async def test_a_redirected_call_goes_to_the_address_in_its_uri() -> None:
    async with lab() as (exchange, device, _, target):
        invite = message(f"INVITE sip:{TOKEN}@{target.own} SIP/2.0", device.own)
        device.send(invite, exchange.address)
        assert (await target.get())[0] == invite
        elsewhere = message(
            f"INVITE sip:{TOKEN}@nowhere.test:{target.own.port};maddr={target.own.host} SIP/2.0", device.own
        )
        device.send(elsewhere, exchange.address)
        assert (await target.get())[0] == elsewhere


@run
async def test_responses_go_to_the_port_that_the_request_came_from() -> None:
    """Behind a NAT neither Via nor Contact says where a phone is; and a gateway calls from more than one port."""
    async with lab() as (exchange, device, callee, _):
        other = Party(_pool().beside(device.own))
        inside = Address("10.1.2.3")
        for party, branch in ((device, "z9hG4bKa"), (other, "z9hG4bKb")):
            party.send(message(f"INVITE sip:{TOKEN}@h SIP/2.0", inside, "same", branch), exchange.address)
            await callee.get()
        for party, branch in ((device, "z9hG4bKa"), (other, "z9hG4bKb")):
            said = message("SIP/2.0 603 Decline", inside, "same", branch)
            callee.send(said, exchange.address)
            assert (await party.get())[0] == said
        other.close()


@run
async def test_a_request_of_an_endpoint_and_its_response_find_their_way() -> None:
    async with lab() as (exchange, device, callee, _):
        device.send(message(f"INVITE sip:{TOKEN}@h SIP/2.0", device.own), exchange.address)
        await callee.get()
        bye = message("BYE sip:100@10.1.2.3 SIP/2.0", callee.own)
        callee.send(bye, exchange.address)
        assert (await device.get())[0] == bye
        okay = message("SIP/2.0 200 OK", callee.own)
        device.send(okay, exchange.address)
        assert (await callee.get())[0] == okay


@run
async def test_keepalives_are_answered_outside_any_plan() -> None:
    async with lab() as (exchange, device, _, _):
        device.send("\r\n\r\n", exchange.address)
        assert (await device.get())[0] == "\r\n"
        device.send("\r\n", exchange.address)  # wants no answer
        device.send(message("OPTIONS sip:h SIP/2.0", device.own), exchange.address)
        assert (await device.get())[0].startswith("SIP/2.0 200 OK\r\n")


@run
async def test_what_nobody_has_dialled_for_a_plan_is_refused_and_remembered() -> None:
    async with lab() as (exchange, device, _, _):
        for number in range(MOST_UNCLAIMED + 5):
            device.send(message(f"INVITE sip:{number}@h SIP/2.0", device.own, f"c{number}"), exchange.address)
            assert (await device.get())[0].startswith("SIP/2.0 404 Not Found\r\n")
        assert exchange.unclaimed[:2] == ["sip:0@h", "sip:1@h"]
        assert len(exchange.unclaimed) == MOST_UNCLAIMED
        device.send(message("NOTIFY sip:100@h SIP/2.0", device.own), exchange.address)
        assert (await device.get())[0].startswith("SIP/2.0 481 ")


@run
async def test_a_plan_that_is_over_is_over() -> None:
    async with lab() as (exchange, device, _, _):
        exchange.disconnect(TOKEN)
        device.send(message(f"INVITE sip:{TOKEN}@h SIP/2.0", device.own), exchange.address)
        assert (await device.get())[0].startswith("SIP/2.0 480 This Test Is Over\r\n")


@pytest.mark.parametrize(
    "garbage",
    [
        "\0\0\0",
        "INVITE",
        "SIP/2.0",
        "INVITE sip:x SIP/2.0\r\n\r\n",
        "\xff\xfe" * 500,
        "REGISTER x SIP/2.0\r\n\r\n",
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h:99999999;branch=\r\n\r\n",
        "INVITE sip:h:99999 SIP/2.0\r\nVia: x\r\n\r\n",
    ],
)
def test_garbage_holds_nothing_up(garbage: str) -> None:
    @run
    async def body() -> None:
        async with lab() as (exchange, device, callee, _):
            device.send(garbage, exchange.address)
            invite = message(f"INVITE sip:{TOKEN}@h SIP/2.0", device.own)
            device.send(invite, exchange.address)
            assert (await callee.get())[0] == invite

    body()


@run
async def test_a_registration_is_waited_for_and_its_absence_told() -> None:
    async with lab(Registrar(Account("100", "secret"))) as (exchange, device, _, _):
        with pytest.raises(DeviceError, match=r"did not register at .* within 0\.05 s: no REGISTER came"):
            await exchange.registration(0.05)
        device.send(message("REGISTER sip:h SIP/2.0", device.own).replace("sip:x@y", "sip:7@y"), exchange.address)
        assert (await device.get())[0].startswith("SIP/2.0 404 ")
        with pytest.raises(DeviceError, match="the user is '7', expected '100'"):
            await exchange.registration(0.05)


@run
async def test_a_registered_phone_is_called_where_it_registered_from() -> None:
    async with lab() as (exchange, device, callee, _):
        contact = "Contact: <sip:100@10.9.9.9>"
        device.send(message("REGISTER sip:h SIP/2.0", device.own, "r", "z9hG4bKr", contact), exchange.address)
        assert (await device.get())[0].startswith("SIP/2.0 200 OK\r\n")
        assert await exchange.registration(DEADLINE_S) == device.own
        invite = message("INVITE sip:100@10.9.9.9 SIP/2.0", callee.own, "new")
        callee.send(invite, exchange.address)
        assert await device.get() == (invite, exchange.address)


@run
async def test_a_phone_that_was_started_again_is_where_it_registers_from_now() -> None:
    async with lab() as (exchange, device, _, _):
        contact, again = "Contact: <sip:100@10.9.9.9>", Party()
        device.send(message("REGISTER sip:h SIP/2.0", device.own, "r", "z9hG4bKr", contact), exchange.address)
        await device.get()
        assert await exchange.registration(DEADLINE_S) == device.own
        exchange.forget()
        with pytest.raises(DeviceError, match="did not register"):
            await exchange.registration(0.05)
        again.send(message("REGISTER sip:h SIP/2.0", again.own, "r2", "z9hG4bKr2", contact), exchange.address)
        assert await exchange.registration(DEADLINE_S) == again.own
        again.close()


@run
async def test_a_port_that_is_taken_is_told() -> None:
    taken = Party()
    with pytest.raises(SetupError, match=rf"the exchange cannot be at {taken.own}: Address already in use"):
        Exchange(taken.own, Registrar(), "x", lambda _: None)
    taken.close()
