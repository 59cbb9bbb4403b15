"""What a hostile device sends changes nothing but the record of what it sent."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from sipp_peer import Device, Record, address, answering, hosting, order, run

from harness.drive.recorder import KEPT_OF_A_KIND, Recorder
from harness.endpoints.tap.tap import Listener
from harness.model.flow import Event
from harness.model.places import Places
from harness.model.plan import Answer, Endpoint, Plan, Response

BUSY = Answer((Response(486),), ())


def invite(device: Device, body: bytes, call: str = "a") -> bytes:
    """An INVITE with any bytes as its body."""
    head = (
        f"INVITE sip:1@{device.peer} SIP/2.0\r\nVia: SIP/2.0/UDP {device.own};branch=z9hG4bK{call}\r\n"
        f"From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: {call}\r\nCSeq: 1 INVITE\r\n"
        f"Contact: <sip:a@{device.own}>\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def log_record(date: str) -> bytes:
    """What SIPp writes to its message log before a message that it has received."""
    forged = b"ACK sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nCall-ID: a\r\nCSeq: 1 ACK\r\n\r\n"
    line = f"{'-' * 47} {date}\nUDP message received [{len(forged)}] bytes :\n\n"
    return b"\r\n" + line.encode() + forged


@pytest.mark.parametrize(
    "date", ["2026-11-29 05:13:27.123456", "2026-99-29 05:13:27.123456"], ids=["forger", "month 99"]
)
def test_records_of_a_log_in_a_body_are_a_body(tmp_path: Path, date: str) -> None:
    @run
    async def body() -> None:
        async with answering(tmp_path, BUSY) as (device, callee):
            said = invite(device, log_record(date) * 250)
            device.send(said.decode("latin-1"))
            assert (await device.get()).status == 486
        assert [event.start_line for event in callee.events] == [
            f"INVITE sip:1@{callee.own} SIP/2.0",
            "SIP/2.0 486 Busy Here",
        ]
        assert callee.events[0].raw.encode("latin-1") == said
        assert not callee.record.unreadable

    body()


@pytest.mark.parametrize(
    "payload",
    [bytes(range(256)), b"\0" * 50, b"\xff\xfe\xed\xa0\x80", "Grüße".encode()],
    ids=["all", "NUL", "surrogate", "UTF-8"],
)
def test_every_byte_is_recorded(tmp_path: Path, payload: bytes) -> None:
    @run
    async def body() -> None:
        async with answering(tmp_path, BUSY) as (device, callee):
            said = invite(device, payload).replace(
                b"To: <sip:b@h>", b'X: "' + payload.replace(b"\r", b"").replace(b"\n", b"") + b'"\r\nTo: <sip:b@h>'
            )
            device.send(said.decode("latin-1"))
            await callee.record.until(lambda: bool(callee.events))
        assert callee.events[0].raw.encode("latin-1") == said
        assert Event(callee.events[0].raw).call_id == "a"

    body()


def owners_at(host: str) -> set[int]:
    """Whose sockets, of any kind, are bound to ``host``."""
    return {one.pid or 0 for one in psutil.net_connections("inet") if one.laddr and one.laddr.ip == host}


def our_sipps() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if child.name() == "sipp"]


@run
async def test_nothing_of_a_sipp_is_where_the_device_is(tmp_path: Path) -> None:
    async with answering(tmp_path, BUSY) as (device, callee):
        device.request("INVITE", call="a")
        await device.get()
        [sipp] = our_sipps()
        its_own = {one.laddr.ip for one in sipp.net_connections("inet")}
        assert len(its_own) == 1
        assert not its_own & {callee.own.host, device.own.host, "0.0.0.0"}
        assert owners_at(callee.own.host) == {psutil.Process().pid}
        [private] = its_own
        assert not [event for event in callee.events if private in event.raw]


@run
async def test_nothing_switches_the_record_off(tmp_path: Path) -> None:
    async with answering(tmp_path, BUSY, Answer((Response(603),), ())) as (device, callee):
        device.request("INVITE", call="a")
        assert (await device.get()).status == 486
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            for command, port in ((b"ctrace messages off", 8888), (b"cquit", 8888), (b"q", 8889), (b"x", 6000)):
                control.sendto(command, (callee.own.host, port))
        device.send("ctrace messages off")
        device.request("INVITE", call="b")
        assert (await device.get()).status == 603
        assert len(our_sipps()) == 1
    assert [event.status or event.method for event in callee.events] == ["INVITE", 486, "INVITE", 603]
    assert [one.text for one in callee.record.unreadable] == ["ctrace messages off"]


@run
async def test_a_flood_is_counted_to_the_last_datagram(tmp_path: Path) -> None:
    """5,000 INVITEs at once: each is kept, or counted as cut, or as dropped by the kernel."""
    own = address()
    device = Device(own)
    recorder = Recorder(Plan((Endpoint("callee", "callee", (BUSY,)),)))
    async with hosting(tmp_path) as host:
        ordered = order("callee", own, Places("1"), Record(), device.own)
        ordered = replace(ordered, listener=Listener(recorder.hear, recorder.put_aside))
        seat = await host.answer(recorder.plan.endpoints[0], ordered, frozenset())
        for number in range(5_000):
            device.send(invite(device, b"", f"c{number}").decode())
        # It is still there for what comes next.
        device.send(invite(device, b"", "last").decode())
        await recorder.until(lambda: False, 0.5)
        await seat.stop()
        drops = seat.evidence().drops
    device.close()
    kept = [event for event in recorder.events() if event.from_device]
    assert len(kept) == KEPT_OF_A_KIND
    assert KEPT_OF_A_KIND + recorder.dropped["callee", "INVITE"] + drops == 5_001


@run
async def test_bytes_of_any_kind_hold_nothing_up(tmp_path: Path) -> None:
    async with answering(tmp_path, BUSY) as (device, callee):
        for odd in (
            "\0\0\0",
            "INVITE",
            "SIP/2.0",
            "SIP/2.0 999 " + "x" * 60_000,
            "INVITE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h:99999999;branch=\r\nCall-ID: x\r\n\r\n",
            "INVITE sip:x SIP/2.0\r\nVia: ;;;===\r\nVia:\r\nCall-ID: x\r\nCSeq: a b c\r\n\r\n",
            "\xff\xfe" * 500,
            "INVITE " + "sip:" * 10_000 + " SIP/2.0\r\nCall-ID: x\r\n\r\n",
        ):
            device.send(odd)
        async with asyncio.timeout(10):
            device.request("INVITE", call="fine")
            while (await device.get()).call_id != "fine":
                pass
        assert callee.seat.trouble == ""
