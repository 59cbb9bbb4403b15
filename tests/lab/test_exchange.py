"""The exchange between a device and the seats of its drives: real sockets, and real taps behind it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import pytest

from harness.endpoints.host import Kind
from harness.endpoints.tap.loop import TapLoop
from harness.endpoints.tap.routes import Hop, Outlet
from harness.endpoints.tap.tap import Answer, Listener, Tap
from harness.errors import DeviceError, SetupError
from harness.lab.connected import Connected
from harness.lab.exchange import Exchange, Unclaimed
from harness.lab.registrar import Account, Registrar
from harness.model.flow import Event, Seat, Unreadable
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


class TapSeat:
    """A seat at which the test itself acts, behind a real tap."""

    kind: Kind = "callee"
    trouble = ""

    def __init__(self, name: str, own: Address, taps: TapLoop, otherwise: Callable[[Outlet], Hop | None]) -> None:
        """In the taps' thread."""
        self.name = name
        self.got: asyncio.Queue[str] = asyncio.Queue()
        self.events: list[Event] = []
        self._taps = taps
        listener = Listener(taps.heard_by(self.events.append), lambda _unreadable: None)
        self._tap = Tap(name, own, listener, otherwise=otherwise, symmetric=True, fixed=name == "caller")
        self._tap.deliver_to(taps.heard_by(lambda data: self.got.put_nowait(data.decode("latin-1"))))

    @property
    def own(self) -> Address:
        return self._tap.port.address

    @property
    def address(self) -> Address:
        return self.own

    def arrived(self, data: bytes, source: Address, at: float, outlet: Outlet) -> None:
        self._tap.arrived(data, source, at, outlet)

    async def get(self) -> str:
        """The next message that the tap hands on."""
        async with asyncio.timeout(DEADLINE_S):
            return await self.got.get()

    async def says(self, text: str) -> None:
        await self._taps.do(lambda: self._tap.emit(text.encode("latin-1")))

    async def say(self, data: bytes) -> None:
        raise NotImplementedError

    def hang_up(self, call_id: str) -> None:
        raise NotImplementedError

    def rest(self) -> None:
        raise NotImplementedError

    def wake(self) -> None:
        raise NotImplementedError

    async def outlive(self, answer: Answer) -> None:
        raise NotImplementedError

    async def stop(self) -> None:
        await self._taps.do(self._tap.close)

    def evidence(self) -> Seat:
        raise NotImplementedError


@asynccontextmanager
async def lab(
    registrar: Registrar | None = None, *, relays: bool = False, unclaimed: Unclaimed | None = None, trunks: int = 1
) -> AsyncIterator[tuple[Exchange, Party, TapSeat, TapSeat]]:
    """An exchange, a device, and the callee and the target of one drive."""
    taps, known = TapLoop(), registrar or Registrar()
    exchange = await Exchange.open(
        [_pool().lease() for _ in range(trunks)],
        known,
        r"7123\d{4}",
        lambda _at: None,
        taps,
        relays=relays,
        unclaimed=unclaimed or Unclaimed(),
    )
    device = Party()
    callee, target = [await seat(name, exchange, taps) for name in ("callee", "target")]
    exchange.connect(TOKEN, Connected(callee, {exchange.address: callee, target.own: target}))
    try:
        yield exchange, device, callee, target
    finally:
        device.close()
        for one in (callee, target):
            await one.stop()
        await exchange.close()
        taps.close()


async def seat(name: str, exchange: Exchange, taps: TapLoop) -> TapSeat:
    own = _pool().lease()
    return await taps.do(lambda: TapSeat(name, own, taps, lambda _own: exchange.hop_to_device()))


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
        assert await callee.get() == invite
        moved = message("SIP/2.0 302 Moved", device.own)
        await callee.says(moved)
        assert await device.get() == (moved, exchange.address)
        ack = message("ACK sip:somebody@nowhere.test SIP/2.0", device.own)  # by its Call-ID
        device.send(ack, exchange.address)
        assert await callee.get() == ack
    there, back = (device.own, exchange.address), (exchange.address, device.own)
    assert [(event.source, event.destination) for event in callee.events] == [there, back, there]
    assert [event.raw for event in callee.events] == [invite, moved, ack]
    assert [event.time for event in callee.events] == sorted(event.time for event in callee.events)


@run
async def test_each_address_of_a_trunk_leads_to_the_plan_and_back() -> None:
    async with lab(trunks=3) as (exchange, device, callee, _):
        for number, trunk in enumerate(exchange.addresses):
            invite = message(f"INVITE sip:{TOKEN}@{exchange.address} SIP/2.0", device.own, f"c{number}", f"z9{number}")
            device.send(invite, trunk)
            assert await callee.get() == invite
            busy = message("SIP/2.0 486 Busy Here", device.own, f"c{number}", f"z9{number}")
            await callee.says(busy)
            assert await device.get() == (busy, trunk), "from where the call came to"
        device.send(message("OPTIONS sip:h SIP/2.0", device.own), trunk)
        answer, source = await device.get()
        assert (answer.split()[1], source) == ("200", trunk)
    assert [event.destination for event in callee.events if event.from_device] == list(exchange.addresses)
    assert len(set(exchange.addresses)) == 3


@run
async def test_a_phone_is_called_from_the_address_at_which_it_registered() -> None:
    async with lab(trunks=2) as (exchange, device, callee, _):
        contact = f"Contact: <sip:100@{device.own}>"
        device.send(message("REGISTER sip:h SIP/2.0", device.own, "r", "z9hG4bKr", contact), exchange.addresses[1])
        assert (await device.get())[1] == exchange.addresses[1]
        invite = message("INVITE sip:100@h SIP/2.0", callee.own, "call")
        await callee.says(invite)
        assert await device.get() == (invite, exchange.addresses[1])


@run
async def test_a_message_arrives_where_it_arrives_whatever_its_uri_names() -> None:
    async with lab() as (exchange, device, callee, target):
        for uri in (f"sip:{TOKEN}@{target.own}", f"sip:{TOKEN}@h:{target.own.port};maddr={target.own.host}"):
            invite = message(f"INVITE {uri} SIP/2.0", device.own)
            device.send(invite, exchange.address)
            assert await callee.get() == invite
        device.send(invite, target.own)
        assert await target.get() == invite
    assert [event.destination for event in callee.events] == [exchange.address] * 2
    assert [event.destination for event in target.events] == [target.own]


@run
async def test_an_outbound_proxy_passes_on_what_names_another_seat() -> None:
    async with lab(relays=True) as (exchange, device, callee, target):
        invite = message(f"INVITE sip:{TOKEN}@{target.own} SIP/2.0", device.own)
        device.send(invite, exchange.address)
        assert await target.get() == invite
        elsewhere = message(
            f"INVITE sip:{TOKEN}@nowhere.test:{target.own.port};maddr={target.own.host} SIP/2.0", device.own
        )
        device.send(elsewhere, exchange.address)
        assert await target.get() == elsewhere
        # To the address itself: no exchange has to do with it.
        device.send(invite, target.own)
        assert await target.get() == invite
    assert [event.destination for event in target.events] == [exchange.address, exchange.address, target.own]
    assert not callee.events


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
            await callee.says(said)
            assert await party.get() == (said, exchange.address)
        other.close()


@run
async def test_a_request_of_an_endpoint_and_its_response_find_their_way() -> None:
    async with lab() as (exchange, device, callee, _):
        device.send(message(f"INVITE sip:{TOKEN}@h SIP/2.0", device.own), exchange.address)
        await callee.get()
        bye = message("BYE sip:100@10.1.2.3 SIP/2.0", callee.own)
        await callee.says(bye)
        assert await device.get() == (bye, exchange.address)
        okay = message("SIP/2.0 200 OK", callee.own)
        device.send(okay, exchange.address)
        assert await callee.get() == okay


@run
async def test_a_caller_that_has_joined_gets_what_answers_it() -> None:
    async with lab() as (exchange, device, callee, _):
        register = message("REGISTER sip:h SIP/2.0", device.own, "r", "z9hG4bKr", "Contact: <sip:100@10.9.9.9>")
        device.send(register, exchange.address)
        await device.get()
        caller = await seat("caller", exchange, callee._taps)
        exchange.join(TOKEN, caller)
        invite = message("INVITE sip:100@10.9.9.9 SIP/2.0", caller.own, "new", "z9hG4bKnew")
        await caller.says(invite)
        assert await device.get() == (invite, exchange.address)
        ringing = message("SIP/2.0 180 Ringing", caller.own, "new", "z9hG4bKnew")
        device.send(ringing, exchange.address)
        assert await caller.get() == ringing
        await caller.stop()


@run
async def test_keepalives_are_answered_outside_any_plan() -> None:
    async with lab() as (exchange, device, _, _):
        device.send("\r\n\r\n", exchange.address)
        assert (await device.get())[0] == "\r\n"
        device.send("\r\n", exchange.address)  # wants no answer
        device.send(message("OPTIONS sip:h SIP/2.0", device.own), exchange.address)
        assert (await device.get())[0].startswith("SIP/2.0 200 OK\r\n")


@run
async def test_what_was_dialled_for_no_plan_is_refused_and_told() -> None:
    events: list[Event] = []
    unreadable: list[Unreadable] = []
    async with lab(unclaimed=Unclaimed(events.append, unreadable.append)) as (exchange, device, _, _):
        for number in range(2):
            device.send(message(f"INVITE sip:{number}@h SIP/2.0", device.own, f"c{number}"), exchange.address)
            assert (await device.get())[0].startswith("SIP/2.0 404 Not Found\r\n")
        device.send("GET / HTTP/1.1\r\n\r\n", exchange.address)
        device.send(message("NOTIFY sip:100@h SIP/2.0", device.own), exchange.address)
        assert (await device.get())[0].startswith("SIP/2.0 481 ")
    assert [event.request_uri for event in events] == ["sip:0@h", "sip:1@h", "sip:100@h"]
    assert {(event.source, event.destination) for event in events} == {(device.own, exchange.address)}
    assert [(one.text, one.source) for one in unreadable] == [("GET / HTTP/1.1\r\n\r\n", device.own)]


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
            assert await callee.get() == invite

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
        await callee.says(invite)
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
    taken, taps = Party(), TapLoop()
    try:
        with pytest.raises(SetupError, match=rf"the exchange cannot use {taken.own}: {taken.own} \(udp\) is taken"):
            await Exchange.open([taken.own], Registrar(), "x", lambda _: None, taps)
    finally:
        taken.close()
        taps.close()


@run
async def test_a_further_port_that_is_taken_is_told_and_the_first_is_free_again() -> None:
    taken, taps = Party(), TapLoop()
    addresses = [_pool().lease(), taken.own]
    try:
        with pytest.raises(SetupError, match=rf"the exchange cannot use {taken.own}") as told:
            await Exchange.open(addresses, Registrar(), "x", lambda _: None, taps)
        assert told.value.hint.startswith("lab.further_exchanges of the profile")
        await (await Exchange.open(addresses[:1], Registrar(), "x", lambda _: None, taps)).close()
    finally:
        taken.close()
        taps.close()
