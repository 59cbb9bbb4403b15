"""A caller at work: real SIPp, and a device that is a bare socket."""

from __future__ import annotations

from pathlib import Path

import pytest
from sipp_peer import calling, run

from harness.model.plan import Call

ROUTES = ("Record-Route: <sip:p1;lr>", "Record-Route: <sip:p2;lr>")


@run
async def test_a_call_is_offered_accepted_and_ended_by_the_device(tmp_path: Path) -> None:
    async with calling(tmp_path, Call()) as (device, caller):
        invite = await device.get()
        assert (invite.method, invite.request_uri) == ("INVITE", f"sip:123@{device.own}")
        assert invite.from_uri == f"sip:caller@{caller.own.host}"
        assert invite.header("Subject")
        assert "a=sendrecv" in invite.body
        assert len(invite.body) == int(invite.header("Content-Length") or 0)
        device.respond(invite, "100 Trying", tag="")
        device.respond(invite, "183 Progress")
        device.respond(invite, "180 Ringing")
        contact = f'Contact: "A" <sip:dut@{device.own};x=1>'
        device.respond(invite, "200 OK", contact, *ROUTES)
        ack = await device.get()
        assert (ack.method, ack.request_uri) == ("ACK", f"sip:dut@{device.own};x=1")
        assert ack.header("Route") == "<sip:p2;lr>, <sip:p1;lr>"
        assert ack.header("CSeq") == "1 ACK"
        assert ack.branch != invite.branch
        device.respond(invite, "200 OK", contact, *ROUTES)
        assert (await device.copy()).raw == ack.raw
        for method in ("OPTIONS", "INFO", "INVITE"):
            device.request(method, call=invite.call_id, cseq=5)
            assert (await device.get()).header("CSeq") == f"5 {method}"
        device.request("BYE", call=invite.call_id, cseq=6)
        assert (await device.get()).header("CSeq") == "6 BYE"
        assert await device.hears_nothing(0.2)


@pytest.mark.parametrize("status", [302, 380, 404, 487, 503, 603, 699])
def test_any_refusal_is_acknowledged_and_every_copy_too(tmp_path: Path, status: int) -> None:
    @run
    async def body() -> None:
        # 699 is registered nowhere: the plan says that it may come back.
        async with calling(tmp_path, Call(), statuses=[699]) as (device, caller):
            invite = await device.get()
            for get in (device.get, device.copy):
                device.respond(invite, f"{status} No", f"Contact: <sip:2@{device.own}>")
                ack = await get()
                assert (ack.method, ack.request_uri, ack.branch) == ("ACK", invite.request_uri, invite.branch)
                assert ack.to_tag == "dut"
            device.respond(invite, "200 Late", f"Contact: <sip:late@{device.own}>", tag=";tag=late")
            late = await device.get()
            assert (late.request_uri, late.to_tag) == (f"sip:late@{device.own}", "late")
            assert await device.hears_nothing(0.3)  # no second call
            device.request("INVITE", call="stranger")
            assert await device.hears_nothing(0.1)
        assert any(event.call_id == "stranger" for event in caller.events)

    body()


@pytest.mark.parametrize("status", ["200 OK", "603 Decline"])
def test_a_reinvite_is_sent_once_and_acknowledged(tmp_path: Path, status: str) -> None:
    @run
    async def body() -> None:
        async with calling(tmp_path, Call(act="reinvite")) as (device, _):
            contact = f"Contact: <sip:dut@{device.own}>"
            invite = await device.get()
            device.respond(invite, "200 OK", contact)
            ack, reinvite = await device.get(), await device.get()
            assert (ack.method, reinvite.method) == ("ACK", "INVITE")
            assert (reinvite.request_uri, reinvite.to_tag) == (f"sip:dut@{device.own}", "dut")
            assert reinvite.header("CSeq") == "2 INVITE"
            assert "a=sendonly" in reinvite.body
            device.respond(reinvite, status, contact)
            ack = await device.get()
            assert (ack.method, ack.header("CSeq")) == ("ACK", "2 ACK")
            assert (ack.branch == reinvite.branch) == (status != "200 OK")
            device.respond(invite, "200 OK", contact)
            assert (await device.copy()).header("CSeq") == "1 ACK"
            assert await device.hears_nothing(0.3)

    body()


@run
async def test_cancel_while_it_rings(tmp_path: Path) -> None:
    async with calling(tmp_path, Call(act="cancel")) as (device, _):
        invite = await device.get()
        device.respond(invite, "180 Ringing")
        cancel = await device.get()
        assert (cancel.method, cancel.request_uri, cancel.branch) == ("CANCEL", invite.request_uri, invite.branch)
        assert (cancel.header("CSeq"), cancel.to_tag) == ("1 CANCEL", None)
        device.respond(cancel, "200 OK")
        device.respond(invite, "180 Ringing")
        device.respond(invite, "487 Request Terminated")
        ack = await device.get()
        assert (ack.method, ack.branch) == ("ACK", invite.branch)
        assert await device.hears_nothing(0.6)


@run
async def test_hang_up(tmp_path: Path) -> None:
    async with calling(tmp_path, Call(act="hangup")) as (device, _):
        invite = await device.get()
        device.respond(invite, "200 OK", f"Contact: <sip:dut@{device.own}>", *ROUTES)
        ack, bye = await device.get(), await device.get()
        assert (ack.method, bye.method, bye.request_uri) == ("ACK", "BYE", f"sip:dut@{device.own}")
        assert bye.header("Route") == "<sip:p2;lr>, <sip:p1;lr>"
        assert (await device.copy()).raw == bye.raw
        device.respond(bye, "200 OK")
        assert await device.hears_nothing(0.6)


@run
async def test_an_invite_is_repeated_until_something_comes(tmp_path: Path) -> None:
    async with calling(tmp_path, Call()) as (device, _):
        invite, again = await device.get(), await device.copy()
        assert invite.raw == again.raw
        device.respond(invite, "100 Trying", tag="")
        assert await device.hears_nothing(1.2)
