"""Where messages of the tester go: responses by RFC 3261 18.2.2 and RFC 3581, requests to where the call came from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sipp_peer import Device, Record, _pool, address, run

from harness.endpoints.tap.routes import MOST, Hop, Outlet, Routes
from harness.endpoints.tap.tap import Tap
from harness.net.address import Address
from harness.sip.message import SipMessage


@dataclass
class Scene:
    """A tap, three sockets of a device at one host, and one at another host."""

    tap: Tap
    record: Record
    device: Device
    """At which the tester's own requests arrive."""
    second: Device
    other: Device
    delivered: list[bytes]

    async def asked(self, device: Device, text: str) -> None:
        """Have ``device`` say ``text``, which reaches the tap."""
        known = len(self.record.received())
        device.send(text)
        await self.record.until(lambda: len(self.record.received()) > known)

    def answer(self, text: str, status: str = "486 Busy Here") -> None:
        """Have whoever acts behind the tap answer the request ``text``."""
        lines = [line for line in text.split("\r\n") if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
        self.tap.emit("\r\n".join([f"SIP/2.0 {status}", *lines, "", ""]).encode("latin-1"))


@asynccontextmanager
async def scene(*, fixed: bool = False, symmetric: bool = False) -> AsyncIterator[Scene]:
    record, delivered, own = Record(), [], address()
    device = Device(own)
    second, other = Device(own, _pool().beside(device.own)), Device(own)
    tap = Tap(
        "callee",
        own,
        record.listener,
        otherwise=lambda outlet: Hop(outlet, device.own),
        fixed=fixed,
        symmetric=symmetric,
    )
    tap.deliver_to(delivered.append)
    try:
        yield Scene(tap, record, device, second, other, delivered)
    finally:
        tap.close()
        for one in (device, second, other):
            one.close()


def request(method: str, *vias: str, call: str = "c", cseq: str = "") -> str:
    lines = [f"{method} sip:1@h SIP/2.0", *(f"Via: {via}" for via in vias), "From: <sip:a@h>;tag=1", "To: <sip:b@h>"]
    return "\r\n".join([*lines, f"Call-ID: {call}", f"CSeq: {cseq or f'1 {method}'}", "", ""])


@run
async def test_with_rport_a_response_goes_to_the_port_that_the_request_came_from() -> None:
    async with scene() as on:
        invite = request("INVITE", "SIP/2.0/UDP 10.1.2.3:9;branch=z9hG4bKa;rport")
        await on.asked(on.second, invite)
        on.answer(invite)
        assert (await on.second.get()).status == 486
        [sent] = on.record.sent()
        assert (sent.source, sent.destination) == (on.tap.port.address, on.second.own)


@run
async def test_without_rport_it_goes_to_the_port_of_the_via_at_the_address_of_the_source() -> None:
    async with scene() as on:
        # The host of the Via is not where it came from: that is what `received` is for (18.2.1).
        invite = request("INVITE", f"SIP/2.0/UDP 10.1.2.3:{on.device.own.port};branch=z9hG4bKa")
        await on.asked(on.second, invite)
        on.answer(invite)
        assert (await on.device.get()).status == 486


@run
async def test_without_a_port_it_goes_to_5060() -> None:
    async with scene() as on:
        invite = request("INVITE", "SIP/2.0/UDP phone.example;branch=z9hG4bKa")
        await on.asked(on.second, invite)
        on.answer(invite)
        [sent] = on.record.sent()
        assert sent.destination == Address(on.second.own.host, 5060)


@pytest.mark.parametrize("more", ["", ";rport", ";rport;received=10.1.2.3"])
def test_maddr_comes_first(more: str) -> None:
    """RFC 3261 18.2.2; RFC 3581 4 speaks of a Via without maddr."""

    @run
    async def body() -> None:
        async with scene() as on:
            via = f"SIP/2.0/UDP 10.1.2.3:{on.other.own.port};maddr={on.other.own.host};branch=z9hG4bKa{more}"
            invite = request("INVITE", via)
            await on.asked(on.second, invite)
            on.answer(invite)
            assert (await on.other.get()).status == 486

    body()


@pytest.mark.parametrize("maddr", ["phone.invalid", "\xff\xfe", "x" * 300, "", "<broadcast>", "127.1", "1.2.3.4\0"])
def test_a_maddr_that_is_no_address_is_never_looked_up(maddr: str) -> None:
    @run
    async def body() -> None:
        async with scene() as on:
            invite = request("INVITE", f"SIP/2.0/UDP 10.1.2.3;maddr={maddr};branch=z9hG4bKa;rport")
            await on.asked(on.second, invite)
            on.answer(invite)
            assert (await on.second.get()).status == 486

    body()


@pytest.mark.parametrize("together", [False, True], ids=["lines", "one line"])
def test_the_topmost_of_several_vias_counts(together: bool) -> None:
    @run
    async def body() -> None:
        async with scene() as on:
            vias = [f"SIP/2.0/UDP h:{on.device.own.port};branch=z9hG4bKa", "SIP/2.0/UDP h:1;branch=z9hG4bKb;rport"]
            invite = request("INVITE", *([", ".join(vias)] if together else vias))
            await on.asked(on.second, invite)
            on.answer(invite)
            assert (await on.device.get()).status == 486

    body()


@run
async def test_a_folded_via_is_read() -> None:
    async with scene() as on:
        invite = request("INVITE", "SIP / 2.0 / UDP\r\n 10.1.2.3\r\n\t; rport\r\n ;branch=z9hG4bKa")
        await on.asked(on.second, invite)
        on.tap.emit(b"SIP/2.0 486 Busy\r\nv: SIP/2.0/UDP h;branch=z9hG4bKa\r\ni: c\r\nCSeq: 1 INVITE\r\n\r\n")
        assert (await on.second.get()).status == 486


@run
async def test_each_port_of_a_device_gets_the_responses_to_its_own_requests() -> None:
    async with scene() as on:
        asked = []
        for device, branch in ((on.second, "z9hG4bKa"), (on.other, "z9hG4bKb")):
            asked.append(request("INVITE", f"SIP/2.0/UDP 10.1.2.3;branch={branch};rport"))
            await on.asked(device, asked[-1])
        for invite in asked:
            on.answer(invite)
        assert (await on.second.get()).branch == "z9hG4bKa"
        assert (await on.other.get()).branch == "z9hG4bKb"


@run
async def test_behind_a_nat_the_via_says_nothing() -> None:
    async with scene(symmetric=True) as on:
        invite = request("INVITE", f"SIP/2.0/UDP h:9;maddr={on.other.own.host};branch=z9hG4bKa")
        await on.asked(on.second, invite)
        on.answer(invite)
        assert (await on.second.get()).status == 486


@run
async def test_a_response_with_a_forged_branch_goes_where_the_call_came_from() -> None:
    async with scene() as on:
        invite = request("INVITE", f"SIP/2.0/UDP h:{on.device.own.port};branch=z9hG4bKa")
        await on.asked(on.second, invite)
        on.answer(invite.replace("z9hG4bKa", "z9hG4bKof-nobody"))
        assert (await on.second.get()).branch == "z9hG4bKof-nobody"
        on.tap.emit(b"SIP/2.0 200 OK\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n")  # without any Via
        assert (await on.second.get()).status == 200


@run
async def test_a_request_of_an_endpoint_goes_where_its_call_came_from_last() -> None:
    async with scene() as on:
        await on.asked(on.second, request("INVITE", "SIP/2.0/UDP h;branch=z9hG4bKa"))
        on.tap.emit(request("BYE", f"SIP/2.0/UDP {on.tap.port.address};branch=z9hG4bKours").encode())
        assert (await on.second.get()).method == "BYE"
        await on.asked(on.other, request("ACK", "SIP/2.0/UDP h;branch=z9hG4bKb", cseq="1 ACK"))
        on.tap.emit(request("INFO", f"SIP/2.0/UDP {on.tap.port.address};branch=z9hG4bKours2").encode())
        assert (await on.other.get()).method == "INFO"
        on.tap.emit(request("OPTIONS", f"SIP/2.0/UDP {on.tap.port.address};branch=z9hG4bKours3", call="new").encode())
        assert (await on.device.get()).method == "OPTIONS"


@run
async def test_an_ack_says_nothing_of_where_responses_go() -> None:
    async with scene() as on:
        invite = request("INVITE", "SIP/2.0/UDP h;branch=z9hG4bKa;rport")
        await on.asked(on.second, invite)
        await on.asked(on.other, request("ACK", "SIP/2.0/UDP h;branch=z9hG4bKa;rport", cseq="1 ACK"))
        on.answer(invite)
        assert (await on.second.get()).status == 486


@run
async def test_every_request_of_a_caller_goes_to_the_device_and_its_responses_where_they_belong() -> None:
    async with scene(fixed=True) as on:
        own = f"SIP/2.0/UDP {on.tap.port.address}"
        on.tap.emit(request("INVITE", f"{own};branch=z9hG4bKa").encode())
        assert (await on.device.get()).method == "INVITE"
        bye = request("BYE", "SIP/2.0/UDP h;branch=z9hG4bKb;rport")
        await on.asked(on.second, bye)
        on.answer(bye, "200 OK")
        assert (await on.second.get()).status == 200
        on.tap.emit(request("ACK", f"{own};branch=z9hG4bKc", cseq="1 ACK").encode())
        assert (await on.device.get()).method == "ACK"


@run
async def test_what_a_device_sends_is_handed_on_as_it_is_and_its_responses_say_nothing_of_ways() -> None:
    async with scene() as on:
        ringing = "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKours\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n"
        await on.asked(on.other, ringing)
        assert on.delivered == [ringing.encode()]
        on.tap.emit(request("CANCEL", "SIP/2.0/UDP h;branch=z9hG4bKours").encode())
        assert (await on.device.get()).method == "CANCEL"


@run
async def test_keepalives_are_no_evidence_and_a_sign_of_the_device() -> None:
    async with scene() as on:
        for keepalive in ("\r\n\r\n", "\r\n", "\0", " "):
            on.device.send(keepalive)
        on.device.send("nonsense")
        await on.asked(on.device, request("OPTIONS", "SIP/2.0/UDP h;branch=z9hG4bKa"))
        assert len(on.record.device_at) == 6
        assert [one.text for one in on.record.unreadable] == ["nonsense"]
        assert len(on.record.events) == len(on.delivered) == 1


@run
async def test_nonsense_of_any_length_is_kept_by_its_beginning() -> None:
    async with scene() as on:
        on.device.send("\xff" * 60_000)
        await on.asked(on.device, request("OPTIONS", "SIP/2.0/UDP h;branch=z9hG4bKa"))
        [one] = on.record.unreadable
        assert (one.text, one.size, one.source, one.seat) == ("\xff" * 2_000, 60_000, on.device.own, "callee")


class Nowhere:
    """An outlet that sends nothing: what is asked is where it would."""

    address = Address("127.0.0.1")
    is_open = True

    def towards(self, to: Address) -> Outlet:
        return self

    def once_open(self, do: Callable[[], None]) -> None:
        raise NotImplementedError

    def send(self, data: bytes, to: Address) -> float:
        raise NotImplementedError


def routes() -> tuple[Routes, Outlet]:
    outlet: Outlet = Nowhere()
    return Routes(outlet, lambda own: Hop(own, Address("127.0.0.9"))), outlet


def test_the_last_transactions_of_a_flood_are_the_ones_that_are_known() -> None:
    ways, outlet = routes()
    for number in range(MOST + 10):
        via = f"SIP/2.0/UDP h;branch=z{number};rport"
        ways.came(SipMessage(request("INVITE", via, call=f"c{number}")), outlet, Address("127.0.0.2", number + 1))

    def to(number: int) -> Address | None:
        said = f"SIP/2.0 486 X\r\nVia: SIP/2.0/UDP h;branch=z{number}\r\nCall-ID: c{number}\r\n\r\n"
        hop = ways.hop(SipMessage(said))
        return hop.to if hop else None

    assert to(MOST + 9) == Address("127.0.0.2", MOST + 10)
    assert to(10) == Address("127.0.0.2", 11)
    assert to(9) == Address("127.0.0.9")
    assert len(ways._by_branch) == len(ways._by_call) == MOST
    assert ways.knows("c10")
    assert not ways.knows("c9")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(["SIP/2.0/UDP", " ", "h", ":", "99999", "5", ";", "rport", "maddr=", "=", ",", "[", '"']))
    | st.text(max_size=40)
)
@example("SIP/2.0/UDP h:99999")
@example("SIP/2.0/UDP h:0;maddr=[")
@example('SIP/2.0/UDP [::1]:\u0665;x=";";=;;')
def test_no_via_is_too_odd(parts: list[str] | str) -> None:
    ways, outlet = routes()
    source = Address("127.0.0.2", 7000)
    message = SipMessage(request("INVITE", "".join(parts)))
    ways.came(message, outlet, source)
    hop = ways.hop(SipMessage("SIP/2.0 486 X\r\nCall-ID: c\r\n\r\n"))
    assert hop
    assert 0 < hop.to.port < 65536


# --- requests in a dialog (12.2.1.1)


def in_dialog(method: str, uri: str, branch: str, *more: str) -> str:
    lines = [f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/UDP h;branch={branch}", *more, "From: <sip:a@h>;tag=1"]
    return "\r\n".join([*lines, "To: <sip:b@h>;tag=2", "Call-ID: c", f"CSeq: 1 {method}", "", ""])


@pytest.mark.parametrize("fixed", [False, True], ids=["answers", "calls"])
def test_a_request_in_a_dialog_goes_to_the_port_that_the_device_gave_in_its_contact(fixed: bool) -> None:
    @run
    async def body() -> None:
        async with scene(fixed=fixed) as on:
            second = f"sip:x@{on.second.own}"
            on.tap.emit(in_dialog("BYE", second, "z9hG4bK1").encode())
            assert (await on.second.get()).method == "BYE"
            on.tap.emit(
                in_dialog("BYE", "sip:x@10.1.2.3", "z9hG4bK2", f'Route: "a, b" <{second};lr>, <sip:h>').encode()
            )
            assert (await on.second.get()).branch == "z9hG4bK2"
            # A Contact at another host may be anything at all; a name would have to be looked up.
            for number, elsewhere in enumerate(("sip:x@10.1.2.3:9", "sip:x@phone.example", "tel:1", "sip:x@[:9"), 3):
                on.tap.emit(in_dialog("BYE", elsewhere, f"z9hG4bK{number}").encode())
                assert (await on.device.get()).branch == f"z9hG4bK{number}"

    body()


@run
async def test_the_ack_of_a_refusal_and_a_cancel_go_where_their_invite_went() -> None:
    async with scene(fixed=True) as on:
        second = f"sip:x@{on.second.own}"
        on.tap.emit(in_dialog("INVITE", second, "z9hG4bK1").replace(";tag=2", "").encode())
        assert (await on.device.get()).method == "INVITE"
        for method in ("ACK", "CANCEL"):
            on.tap.emit(in_dialog(method, second, "z9hG4bK1").encode())
            assert (await on.device.get()).method == method
        on.tap.emit(in_dialog("ACK", second, "z9hG4bK2").encode())
        assert (await on.second.get()).method == "ACK"


@run
async def test_behind_a_nat_the_contact_says_nothing() -> None:
    async with scene(fixed=True, symmetric=True) as on:
        on.tap.emit(in_dialog("BYE", f"sip:x@{on.second.own}", "z9hG4bK1").encode())
        assert (await on.device.get()).method == "BYE"
