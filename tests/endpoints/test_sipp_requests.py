"""What a caller does beyond a plain call: other methods, other headers, odd ACKs."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from sipp_peer import calling, run

from harness.endpoints.sipp import call_scenario
from harness.endpoints.sipp.call_scenario import render_call
from harness.errors import PlanError
from harness.model.places import Places
from harness.model.plan import Call
from harness.net.address import Address


@pytest.mark.parametrize("method", ["MESSAGE", "OPTIONS", "WHATEVER"])
def test_a_request_of_another_method_is_sent_until_its_final_response(tmp_path: Path, method: str) -> None:
    @run
    async def body() -> None:
        async with calling(tmp_path, Call(method=method)) as (device, _):
            request = await device.get()
            assert (request.method, request.header("CSeq")) == (method, f"1 {method}")
            assert request.header("Content-Length") == "0"
            device.respond(request, "100 Trying", tag="")  # which the device must not send
            assert (await device.copy()).raw == request.raw
            device.respond(request, "302 Moved", "Contact: <sip:1@192.0.2.1>")
            assert await device.hears_nothing(1.2)

    body()


@run
async def test_the_request_is_dressed_as_the_plan_says(tmp_path: Path) -> None:
    headers = ("Require: 100rel, [x]", "Supported: 100rel", "X-Where: {token}@{device}", "Route: <sip:{device};lr>")
    vias = ("SIP/2.0/UDP {callee};branch=z9hG4bKa;received=192.0.2.1", "SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKb")
    call = Call(headers=headers, vias=vias, from_params=";x=[1];y", max_forwards=0)
    async with calling(tmp_path, call) as (device, caller):
        invite = await device.get()
        assert invite.header("Require") == "100rel, [x]"
        assert invite.headers("Supported") == ("100rel",)
        assert invite.header("X-Where") == f"123@{device.own}"
        assert invite.headers("Via")[1:] == (
            f"SIP/2.0/UDP {caller.own};branch=z9hG4bKa;received=192.0.2.1",
            "SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKb",
        )
        assert (invite.header("Max-Forwards"), len(invite.headers("Contact"))) == ("0", 1)
        assert (invite.header("From") or "").endswith(";x=[1];y")
        device.respond(invite, "483 Too Many Hops")
        ack = await device.get()
        assert (len(ack.headers("Via")), ack.header("Max-Forwards")) == (1, "70")
        assert ack.header("From") == invite.header("From")
        assert ack.header("Route") == f"<sip:{device.own};lr>"
        assert ack.header("Require") is None


@run
async def test_a_refusal_is_never_acknowledged(tmp_path: Path) -> None:
    async with calling(tmp_path, Call(acks=0)) as (device, _):
        invite = await device.get()
        device.respond(invite, "603 Decline")
        assert await device.hears_nothing(0.7)
        device.respond(invite, "603 Decline")
        assert await device.hears_nothing(0.3)


@run
async def test_the_second_copy_is_acknowledged(tmp_path: Path) -> None:
    async with calling(tmp_path, Call(ack_copy=2)) as (device, _):
        invite = await device.get()
        device.respond(invite, "603 Decline")
        assert await device.hears_nothing(0.7)
        device.respond(invite, "603 Decline")
        ack = await device.get()
        assert (ack.method, ack.branch, ack.to_tag) == ("ACK", invite.branch, "dut")
        device.respond(invite, "603 Decline")
        assert (await device.copy()).raw == ack.raw
        assert await device.hears_nothing(0.4)


@run
async def test_three_acks(tmp_path: Path) -> None:
    async with calling(tmp_path, Call(acks=3)) as (device, _):
        invite = await device.get()
        began = time.monotonic()
        device.respond(invite, "603 Decline")
        ack = await device.get()
        assert ack.method == "ACK"
        for _ in range(2):
            assert (await device.copy()).raw == ack.raw
        assert time.monotonic() - began > 0.39
        device.respond(invite, "603 Decline")
        assert (await device.copy()).raw == ack.raw
        assert await device.hears_nothing(0.6)


@pytest.mark.parametrize("acks", [0, 1, 2])
def test_a_late_cancel_goes_out_between_the_refusal_and_its_ack(tmp_path: Path, acks: int) -> None:
    @run
    async def body() -> None:
        async with calling(tmp_path, Call(act="cancel_late", acks=acks)) as (device, _):
            invite = await device.get()
            device.respond(invite, "180 Ringing")
            began = time.monotonic()
            device.respond(invite, "603 Decline")
            cancel = await device.get()
            assert (cancel.method, cancel.branch, cancel.request_uri) == ("CANCEL", invite.branch, invite.request_uri)
            device.respond(cancel, "200 OK", tag=";tag=other")
            if acks:
                ack = await device.get()
                assert (ack.method, ack.branch, ack.to_tag) == ("ACK", invite.branch, "dut")
                assert time.monotonic() - began > 0.29
            for _ in range(acks - 1):
                assert (await device.copy()).raw == ack.raw
            assert await device.hears_nothing(0.7)

    body()


@pytest.mark.parametrize("acks", [0, 1])
def test_a_copy_of_the_invite_is_sent_between_the_refusal_and_its_ack(tmp_path: Path, acks: int) -> None:
    @run
    async def body() -> None:
        async with calling(tmp_path, Call(act="repeat", acks=acks)) as (device, caller):
            invite = await device.get()
            device.respond(invite, "302 Moved", "Contact: <sip:1@192.0.2.1>")
            assert (await device.copy()).raw == invite.raw
            device.respond(invite, "302 Moved", "Contact: <sip:1@192.0.2.1>")
            if acks:
                assert (await device.get()).method == "ACK"
            assert await device.hears_nothing(0.7)
        first, copy, *acknowledged = caller.record.sent()
        assert copy.time - first.time > 0.09
        assert len(acknowledged) == acks

    body()


@run
async def test_a_second_refusal_does_not_keep_the_copy_from_being_sent(tmp_path: Path) -> None:
    async with calling(tmp_path, Call(act="repeat")) as (device, _):
        invite = await device.get()
        device.respond(invite, "603 Decline")
        await asyncio.sleep(0.03)
        device.respond(invite, "603 Decline")
        assert (await device.copy()).raw == invite.raw
        assert (await device.get()).method == "ACK"


@run
async def test_a_late_copy_of_the_invite_comes_after_the_ack(tmp_path: Path) -> None:
    async with calling(tmp_path, Call(act="repeat_late")) as (device, _):
        invite = await device.get()
        device.respond(invite, "603 Decline")
        assert (await device.get()).method == "ACK"
        began = time.monotonic()
        assert (await device.copy()).raw == invite.raw
        assert time.monotonic() - began > 0.2
        assert await device.hears_nothing(0.7)


@run
async def test_another_call_with_the_same_identifiers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.endpoints.sipp.call_scenario.AGAIN_MS", 600)
    async with calling(tmp_path, Call(act="again")) as (device, _):
        invite = await device.get()
        began = time.monotonic()
        device.respond(invite, "302 Moved", "Contact: <sip:1@192.0.2.1>")
        ack = await device.get()
        assert (ack.method, ack.branch) == ("ACK", invite.branch)
        again = await device.get()
        assert time.monotonic() - began > 0.59
        assert (again.call_id, again.from_tag, again.cseq_number) == (invite.call_id, invite.from_tag, 1)
        assert again.branch != invite.branch
        device.respond(again, "482 Loop Detected", tag=";tag=other")
        ack = await device.get()
        assert (ack.method, ack.branch, ack.to_tag) == ("ACK", again.branch, "other")
        assert await device.hears_nothing(0.6)


@run
@pytest.mark.parametrize("status", ["302 Moved", "200 OK"])
async def test_another_call_with_the_next_number(tmp_path: Path, status: str) -> None:
    async with calling(tmp_path, Call(act="renumbered")) as (device, _):
        invite = await device.get()
        contact = "Contact: <sip:1@192.0.2.1>"
        device.respond(invite, "302 Moved", contact)
        ack = await device.get()
        assert (ack.method, ack.branch, ack.cseq_number) == ("ACK", invite.branch, 1)
        second = await device.get()
        assert (second.method, second.call_id, second.from_tag) == ("INVITE", invite.call_id, invite.from_tag)
        assert (second.cseq_number, second.to_tag) == (2, None)
        assert second.branch != invite.branch
        device.respond(second, status, contact, tag=";tag=other")
        ack = await device.get()
        assert (ack.method, ack.to_tag, ack.cseq_number) == ("ACK", "other", 2)
        assert (ack.branch == second.branch) == (status != "200 OK")
        assert await device.hears_nothing(0.6)


@run
async def test_a_cancel_says_why(tmp_path: Path) -> None:
    why = "Reason: SIP;cause=603;text=[x]"
    async with calling(tmp_path, Call(act="cancel", cancel_headers=(why,))) as (device, _):
        invite = await device.get()
        assert invite.header("Reason") is None
        device.respond(invite, "180 Ringing")
        device.respond(invite, "180 Ringing")  # a copy right behind: it must not be in the way
        cancel = await device.get()
        assert (cancel.method, cancel.header("Reason")) == ("CANCEL", "SIP;cause=603;text=[x]")
        device.respond(cancel, "200 OK")
        device.respond(invite, "487 Request Terminated")
        ack = await device.get()
        assert (ack.method, ack.header("Reason")) == ("ACK", None)


def test_another_invite_follows_with_the_same_identifiers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_scenario, "AGAIN_MS", 400)

    @run
    async def body() -> None:
        async with calling(tmp_path, Call(act="again")) as (device, _):
            first = await device.get()
            device.respond(first, "302 Moved", "Contact: <sip:1@192.0.2.1>")
            assert (await device.get()).branch == first.branch
            second = await device.get()
            assert second.method == "INVITE"
            assert second.branch != first.branch
            for name in ("Call-ID", "From", "CSeq"):
                assert second.header(name) == first.header(name)
            device.respond(second, "482 Merged", tag=";tag=two")
            ack = await device.get()
            assert (ack.method, ack.branch, ack.to_tag) == ("ACK", second.branch, "two")
            assert await device.hears_nothing(0.7)

    body()


@run
async def test_an_answered_call_is_ended_where_nobody_else_would(tmp_path: Path) -> None:
    async with calling(tmp_path, Call(), hangs_up=True) as (device, _):
        invite = await device.get()
        device.respond(invite, "200 OK", f"Contact: <sip:dut@{device.own}>")
        assert [(await device.get()).method, (await device.get()).method] == ["ACK", "BYE"]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (Call(to="sip:{nobody}"), "nobody"),
        (Call(to="sip:{request_uri}"), "only an answer knows"),
        (Call(headers=("X: a\r\nY: b",)), "line break"),
        (Call(method="NO METHOD"), "no method"),
        (Call(method="MESSAGE", act="cancel"), "no call that one could cancel"),
        (Call(from_params="x"), "semicolon"),
        (Call(acks=-1), "0 or more"),
        (Call(act="repeat", ack_copy=2), "first copy"),
    ],
)
def test_a_call_that_cannot_be_is_refused(call: Call, says: str) -> None:
    places = Places("1", {"callee": Address("127.0.40.1")}, Address("127.0.40.2"))
    with pytest.raises(PlanError, match=says):
        render_call(call, places, Address("127.0.40.3"))


@run
async def test_a_refusal_just_ahead_of_the_answer_to_the_cancel_is_acknowledged(tmp_path: Path) -> None:
    """SIPp takes a step of its scenario at a time, and the second message would make it forget the first."""
    async with calling(tmp_path, Call(act="cancel")) as (device, _):
        invite = await device.get()
        device.respond(invite, "180 Ringing")
        cancel = await device.get()
        assert await device.hears_nothing(0.3), "the caller sleeps"
        device.respond(invite, "487 Request Terminated")
        device.respond(cancel, "200 OK")
        assert (await device.get()).method == "ACK"
