"""An endpoint at work: real SIPp, and a device that is a bare socket."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from sipp_peer import Device, address, answering, run, started

from harness.endpoints.sipp.answer_scenario import render_answer
from harness.endpoints.sipp.scenario import HANG_UP
from harness.model.places import Places
from harness.model.plan import Answer, Endpoint, Response
from harness.sip.message import SipMessage

MOVED = Response(302, contacts=("<sip:{token}@{target}>;q=0.9", "<sip:2@{target}>"), headers=("X-Note: [last_To:]",))
BUSY = Response(486)


@run
async def test_a_redirection_copies_what_it_must_and_ends_with_its_ack(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((Response(180), MOVED))) as (device, _):
        branch = device.request(
            "INVITE", call="a", headers=("Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKfar", "Record-Route: <sip:p;lr>")
        )
        ringing, moved = await device.get(), await device.get()
        assert (ringing.status, ringing.reason) == (180, "Ringing")
        assert (moved.status, moved.reason) == (302, "Moved Temporarily")
        assert [via.branch for via in moved.vias] == [branch, "z9hG4bKfar"]
        assert moved.header("From") == f"<sip:dut@{device.own}>;tag=dut"
        assert moved.to_tag
        assert moved.to_tag == ringing.to_tag
        assert (moved.call_id, moved.header("CSeq")) == ("a", "1 INVITE")
        assert moved.headers("Contact") == ("<sip:123@127.0.40.1:5060>;q=0.9", "<sip:2@127.0.40.1:5060>")
        assert moved.header("X-Note") == "[last_To:]"
        assert ringing.header("Record-Route") == "<sip:p;lr>"
        device.ack(branch, moved)
        assert await device.hears_nothing(0.7)


@run
async def test_a_refusal_is_repeated_until_its_own_ack(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((BUSY,))) as (device, _):
        began = time.monotonic()
        branch = device.request("INVITE", call="a")
        first = await device.get()
        device.ack("z9hG4bKother", first)
        second = await device.copy()
        assert time.monotonic() - began > 0.49
        assert second.raw == first.raw
        assert (await device.copy()).raw == first.raw
        assert time.monotonic() - began > 1.49
        device.ack(branch, first)
        assert await device.hears_nothing(0.2)


@run
async def test_a_device_that_acknowledges_every_copy_starts_no_storm(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((MOVED,), copies=(0.2, 0.2))) as (device, callee):
        branch = device.request("INVITE", call="a", cseq=7)
        copies = []
        for get in (device.get, device.copy, device.copy):
            copies.append(await get())
            for _ in range(20):
                device.ack(branch, copies[-1])
        assert await device.hears_nothing(0.6)
        assert {copy.raw for copy in copies} == {copies[0].raw}
        assert copies[2].header("CSeq") == "7 INVITE"
    times = [event.time for event in callee.record.sent()]
    assert [later - earlier for earlier, later in pairwise(times)] == pytest.approx([0.2, 0.2], abs=0.08)


@run
async def test_copies_are_sent_without_any_ack(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((BUSY,), copies=(0.1,))) as (device, _):
        device.request("INVITE", call="a")
        assert (await device.get()).raw == (await device.copy()).raw
        assert await device.hears_nothing(0.7)


@run
async def test_transactions_are_counted_over_all_calls_and_the_cap_ends_them(tmp_path: Path) -> None:
    answers = (Answer((MOVED,)), Answer((Response(603),)), Answer((BUSY,)))
    async with answering(tmp_path, *answers, cap=4) as (device, _):
        branch = device.request("INVITE", call="a")
        first = await device.get()
        device.ack(branch, first)
        device.request("INVITE", call="a", branch=branch)  # a copy: it is not counted
        assert await device.hears_nothing(0.1)
        got = []
        for call in ("a", "b", "b", "c"):
            branch = device.request("INVITE", call=call, cseq=2)
            got.append(await device.get())
            device.ack(branch, got[-1])
        assert [response.status for response in got] == [603, 486, 486, 480]
        assert len({response.to_tag for response in (first, *got)}) == 5


@run
async def test_an_invite_right_behind_an_ack_is_answered(tmp_path: Path) -> None:
    """A device that is redirected to where it has just been sends both within microseconds."""
    async with answering(tmp_path, Answer((MOVED,)), cap=30) as (device, _):
        branch = device.request("INVITE", call="a")
        for cseq in range(2, 22):
            response = await device.get()
            assert response.cseq_number == cseq - 1
            device.ack(branch, response)
            branch = device.request("INVITE", call="a", cseq=cseq)


@run
async def test_an_unacknowledged_answer_does_not_hold_up_the_next_invite(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((MOVED,)), Answer((BUSY,))) as (device, _):
        device.request("INVITE", call="a")
        assert (await device.get()).status == 302
        branch = device.request("INVITE", call="a", cseq=2)
        busy = await device.get()
        assert busy.status == 486
        device.ack(branch, busy)
        assert await device.hears_nothing(0.7)


@run
async def test_a_wait_ends_in_time_whatever_comes(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((Response(183, after=0.2), Response(603, after=0.4)))) as (device, callee):
        branch = device.request("INVITE", call="a")
        disturbing = asyncio.create_task(_disturb(device, branch))
        # A wait that began anew whenever something comes would not end before the disturbance does.
        while (response := await device.any()).status != 603:
            assert not disturbing.done()
        disturbing.cancel()
        device.ack(branch, response)
    began = callee.events[0].time
    when = {event.status: event.time - began for event in callee.record.sent() if event.cseq_method == "INVITE"}
    assert when[183] >= 0.2
    assert when[603] >= 0.6


async def _disturb(device: Device, branch: str) -> None:
    for _ in range(400):
        await asyncio.sleep(0.05)
        device.request("INVITE", call="a", branch=branch)
        device.request("OPTIONS", call="a", cseq=9)
        device.request("SUBSCRIBE", call="a", cseq=10)
        device.request("FOO", call="a", cseq=11)


@run
async def test_a_2xx_is_repeated_until_its_ack_and_then_the_tester_hangs_up(tmp_path: Path) -> None:
    routes = ("Record-Route: <sip:p1;lr>", "Record-Route: <sip:p2;lr>")
    async with answering(tmp_path, Answer((Response(200),))) as (device, _):
        contact = f'Contact: "A;B" <sip:me@{device.own};x=1>;q=1'
        device.request("INVITE", call="a", headers=(contact, *routes))
        ok, again = await device.get(), await device.copy()
        assert ok.raw == again.raw
        assert ok.contact_uris == (f"sip:{device.peer}",)
        assert "m=audio 40000 RTP/AVP 0" in ok.body
        assert len(ok.body) == int(ok.header("Content-Length") or 0)
        device.ack("z9hG4bKack", ok)
        bye = await device.get()
        assert (bye.method, bye.request_uri) == ("BYE", f"sip:me@{device.own};x=1")
        assert bye.header("Route") == "<sip:p1;lr>, <sip:p2;lr>"
        assert (bye.header("From"), bye.header("To")) == (ok.header("To"), ok.header("From"))
        assert bye.call_id == "a"
        assert bye.cseq_method == "BYE"
        device.respond(bye, "100 Trying")
        assert (await device.copy()).raw == bye.raw
        device.ack("z9hG4bKack", ok)
        device.respond(bye, "200 OK")
        device.respond(bye, "200 OK")
        assert await device.hears_nothing(1.2)
        branch = device.request("INVITE", call="a", cseq=2)  # the process goes on
        assert (await device.get()).status == 200
        assert branch


@run
async def test_a_contact_without_brackets_is_dialled_right(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((Response(200),))) as (device, _):
        device.request("INVITE", call="a", headers=("Contact: sip:me@10.1.2.3;expires=5",))
        device.ack("z9hG4bKack", await device.get())
        assert (await device.get()).request_uri == "sip:me@10.1.2.3"


@run
async def test_the_device_hangs_up(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((Response(200),), then="wait")) as (device, _):
        device.request("INVITE", call="a")
        ok = await device.get()
        device.ack("z9hG4bKack", ok)
        assert await device.hears_nothing(0.6)
        device.request("BYE", call="a", cseq=2, to=ok.header("To") or "")
        answer = await device.get()
        assert (answer.status, answer.header("CSeq"), answer.to_tag) == (200, "2 BYE", ok.to_tag)
        assert await device.hears_nothing(0.1)


@run
async def test_the_harness_can_ask_an_endpoint_to_hang_up(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((Response(200),), then="wait")) as (device, callee):
        device.request("INVITE", call="a")
        device.ack("z9hG4bKack", await device.get())
        callee.seat.hang_up("nobody")
        callee.seat.hang_up("a")
        bye = await device.get()
        assert bye.method == "BYE"
        device.respond(bye, "481 Gone")
        assert await device.hears_nothing(0.7)
    assert not [event for event in callee.events if HANG_UP in event.raw]


@run
async def test_reinvites_are_answered_one_by_one(tmp_path: Path) -> None:
    answers = (
        Answer((BUSY,)),
        Answer((Response(200),), then="wait", reinvites=(Response(491), Response(603, headers=("Retry-After: 3",)))),
    )
    async with answering(tmp_path, *answers) as (device, _):
        device.ack(device.request("INVITE", call="x"), await device.get())
        device.request("INVITE", call="a")
        ok = await device.get()
        device.ack("z9hG4bKack", ok)
        for cseq, status in ((2, 491), (3, 603), (4, 603)):
            branch = device.request("INVITE", call="a", cseq=cseq, to=ok.header("To") or "")
            refused = await device.get()
            assert (refused.status, refused.cseq_number, refused.to_tag) == (status, cseq, ok.to_tag)
            device.ack(branch, refused)
        assert refused.header("Retry-After") == "3"
        assert await device.hears_nothing(0.6)
        device.request("BYE", call="a", cseq=5, to=ok.header("To") or "")
        assert (await device.get()).cseq_method == "BYE"


@run
async def test_a_reinvite_is_accepted_where_the_plan_says_nothing(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((Response(200),), then="wait"), Answer((BUSY,))) as (device, _):
        device.request("INVITE", call="a")
        ok = await device.get()
        device.ack("z9hG4bKack", ok)
        device.request("INVITE", call="a", cseq=2, to=ok.header("To") or "")
        again = await device.get()
        assert (again.status, again.to_tag, bool(again.body)) == (200, ok.to_tag, True)
        device.ack("z9hG4bKack2", again)
        assert await device.hears_nothing(0.6)
        device.request("INVITE", call="b")
        assert (await device.get()).status == 486  # re-INVITEs are not counted


@pytest.mark.parametrize("ringing", [(), (Response(180),)], ids=["black hole", "ringing"])
def test_cancel(tmp_path: Path, ringing: tuple[Response, ...]) -> None:
    async def body() -> None:
        async with answering(tmp_path, Answer(ringing), Answer((*ringing, BUSY))) as (device, _):
            branch = device.request("INVITE", call="a")
            tags = {(await device.get()).to_tag for _ in ringing}
            assert await device.hears_nothing(0.3)
            device.request("CANCEL", call="a", branch=branch)
            accepted, terminated = await device.get(), await device.get()
            assert (accepted.status, accepted.header("CSeq")) == (200, "1 CANCEL")
            assert (terminated.status, terminated.header("CSeq")) == (487, "1 INVITE")
            assert {accepted.to_tag, terminated.to_tag, *tags} == {accepted.to_tag}
            assert terminated.branch == branch
            device.ack(branch, terminated)
            assert await device.hears_nothing(0.6)
            branch = device.request("INVITE", call="b")
            for _ in ringing:
                await device.get()
            refused = await device.get()
            device.request("CANCEL", call="b", branch=branch)  # too late
            assert (await device.get()).header("CSeq") == "1 CANCEL"
            assert (await device.copy()).raw == refused.raw

    asyncio.run(body())


@run
async def test_labels_make_tags(tmp_path: Path) -> None:
    answer = Answer(
        (Response(180, tag="a"), Response(180, tag="b"), Response(302, tag="b"), Response(603, tag="a", after=0.1))
    )
    async with answering(tmp_path, answer) as (device, _):
        device.request("INVITE", call="a")
        tags = [(await device.get()).to_tag for _ in range(4)]
        assert tags[0] == tags[3] != tags[1] == tags[2]


@run
async def test_a_to_tag_that_is_there_is_left_alone(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((BUSY,))) as (device, _):
        device.request("INVITE", call="a", to="<sip:123@x>;tag=stale")
        assert (await device.get()).header("To") == "<sip:123@x>;tag=stale"
        device.request("INVITE", call="b", to="<sip:123;tag=no@x>")
        assert (await device.get()).headers("To")[0].startswith("<sip:123;tag=no@x>;tag=callee.")


@run
async def test_strangers_do_no_harm(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((Response(302, contacts=("<{request_uri}>",)),))) as (device, callee):
        device.request("ACK", call="nobody")
        device.request("BYE", call="stray")
        assert (await device.get()).header("CSeq") == "1 BYE"
        device.request("OPTIONS", call="ping")
        assert (await device.get()).header("CSeq") == "1 OPTIONS"
        device.request("REGISTER", call="keepalive")
        assert (await device.get()).header("CSeq") == "1 REGISTER"
        device.request("CANCEL", call="lost")
        assert (await device.get()).header("CSeq") == "1 CANCEL"
        for junk in (
            "hello",
            "\0\1\2",
            "\r\n\r\n",
            "SIP/2.0 299 What\r\nCall-ID: z\r\nCSeq: 1 BYE\r\n\r\n",
            "INVITE sip:x SIP/2.0\r\n\r\n",
        ):
            device.send(junk)
        device.send(
            "SIP/2.0 299 What\r\nVia: SIP/2.0/UDP x;branch=1\r\nFrom: <sip:a@b>;tag=1\r\n"
            "To: <sip:c@d>\r\nCall-ID: z\r\nCSeq: 1 BYE\r\n\r\n"
        )
        device.request("FOO", call="ping")
        for call in ("nobody", "stray", "ping", "keepalive", "lost"):
            branch = device.request("INVITE", call=call, uri="sip:7;x=1@1.2.3.4;y=2")
            moved = await device.get()
            assert (moved.status, moved.contact_uris) == (302, ("sip:7;x=1@1.2.3.4;y=2",))
            device.ack(branch, moved)
        unreadable = [(one.seat, one.text, one.source, one.size) for one in callee.record.unreadable]
    assert unreadable[:2] == [("callee", text, device.own, len(text)) for text in ("hello", "\0\1\2")]
    assert any(text.startswith("INVITE sip:x") for _, text, _, _ in unreadable)


@run
async def test_compact_forms_are_understood(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((Response(200, contact_header="m"),))) as (device, _):
        device.send(
            f"INVITE sip:1@x SIP/2.0\r\nv: SIP/2.0/UDP {device.own};branch=z9hG4bKq\r\nf: <sip:a@b>;tag=1\r\n"
            f"t: <sip:c@d>\r\ni: compact\r\nCSeq: 1 INVITE\r\nm: <sip:me@{device.own}>\r\nl: 0\r\n\r\n"
        )
        ok = await device.get()
        assert (ok.branch, ok.call_id, ok.from_tag) == ("z9hG4bKq", "compact", "1")
        assert ok.to_tag


ODD = [
    '"a [last_To:] [$x] \\ ]]> & < %s {{ \'" <sip:x@y>',
    "<sip:[2001:db8::1]:5060>",
    '"quo\\"te" <sip:x@y?Subject=a%20b&Priority=urgent>',
    "<sip:first@x>,\r\n <sip:second@x>,\r\n\t<sip:third@x>",
    "Grüße <sip:x@y>",
    "</send> <nop/> <!-- --> <sip:x@y>",
    "<sip:" + "y" * 10_000 + "@x>",
]


@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_a_value_reaches_the_wire_as_it_is(tmp_path: Path, value: str) -> None:
    async def body() -> None:
        plain = _braced(value)
        response = Response(302, "" if "\r" in value else plain, contacts=(plain,), headers=(f"X-A: {plain}",))
        async with answering(tmp_path, Answer((response,)), Answer((BUSY,))) as (device, _):
            device.request("INVITE", call="a")
            raw = (await device.get()).raw.encode("latin-1").decode()
            if "\r" not in value:
                assert raw.startswith(f"SIP/2.0 302 {value}\r\n")
            else:
                assert raw.startswith("SIP/2.0 302 \r\n")
            assert f"\r\nContact: {value}\r\n" in raw
            assert f"\r\nX-A: {value}\r\n" in raw
            device.request("INVITE", call="b")  # what follows it still works
            assert (await device.get()).status == 486

    asyncio.run(body())


@run
async def test_two_hundred_contacts(tmp_path: Path) -> None:
    contacts = tuple(f"<sip:{number}@{{target}};some=parameter>;q=0.5" for number in range(200))
    async with answering(tmp_path, Answer((Response(300, contacts=contacts),))) as (device, _):
        device.request("INVITE", call="a")
        assert len((await device.get()).contact_uris) == 200


@run
async def test_tcp(tmp_path: Path) -> None:
    own = replace(address(), transport="tcp")
    answers = (Answer((Response(302, contacts=("<sip:1@x>",)),)), Answer((Response(200),)))
    process = await started(
        "callee", render_answer(Endpoint("callee", "callee", answers), Places("1"), own), own, tmp_path
    )
    reader, writer = await asyncio.open_connection(own.host, own.port)

    def send(method: str, cseq: int, to: str = "<sip:1@x>") -> None:
        writer.write(
            f"{method} sip:1@x SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK{method}{cseq}\r\n"
            f"From: <sip:a@b>;tag=1\r\nTo: {to}\r\nCall-ID: t\r\nCSeq: {cseq} {method}\r\n"
            f"Contact: <sip:a@127.0.0.1;transport=tcp>\r\nContent-Length: 0\r\n\r\n".encode()
        )

    async def get() -> SipMessage:
        async with asyncio.timeout(10):
            head = await reader.readuntil(b"\r\n\r\n")
            message = SipMessage(head.decode())
            return SipMessage(head.decode() + (await reader.read(int(message.header("Content-Length") or 0))).decode())

    send("INVITE", 1)
    assert (await get()).status == 302
    send("INVITE", 2)  # the unacknowledged 302 is not repeated on TCP
    ok = await get()
    assert (ok.status, ok.contact_uris) == (200, (f"sip:{own};transport=tcp",))
    send("ACK", 2, ok.header("To") or "")
    bye = await get()
    assert (bye.method, bye.request_uri) == ("BYE", "sip:a@127.0.0.1;transport=tcp")
    assert bye.vias[0].transport == "TCP"
    writer.close()
    await process.stop()


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
