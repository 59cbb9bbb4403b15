"""A caller that is asked who it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from sipp_peer import Device, calling, run

from harness.model.plan import Call
from harness.sip.digest import Challenger
from harness.sip.message import SipMessage

CREDENTIALS = ("200", "a [secret] \\ of ours")


def challenge(device: Device, request: SipMessage, status: str, challenger: Challenger) -> None:
    name = "WWW" if status.startswith("401") else "Proxy"
    device.respond(request, status, f"{name}-Authenticate: {challenger.challenge()}")


async def answered(device: Device, first: SipMessage) -> SipMessage:
    """The request that follows a challenge; for an INVITE the ACK has to come first."""
    if first.method == "INVITE":
        ack = await device.get()
        assert (ack.method, ack.branch, ack.cseq_number) == ("ACK", first.branch, first.cseq_number)
    return await device.get()


@pytest.mark.parametrize("status", ["401 Unauthorized", "407 Proxy Authentication Required"])
@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
def test_a_challenge_is_answered_once_and_the_call_goes_on(tmp_path: Path, method: str, status: str) -> None:
    @run
    async def body() -> None:
        challenger = Challenger(*CREDENTIALS, "lab")
        async with calling(tmp_path, Call(method=method), credentials=CREDENTIALS) as (device, caller):
            first = await device.get()
            assert first.header("Authorization") is None
            challenge(device, first, status, challenger)
            again = await answered(device, first)
            header = "Authorization" if status.startswith("401") else "Proxy-Authorization"
            assert challenger.accepts(again.header(header) or "", method)
            assert (again.method, again.cseq_number, again.call_id) == (method, 2, first.call_id)
            assert (again.from_tag, again.branch != first.branch) == (first.from_tag, True)
            device.respond(again, "603 Decline")
            if method == "INVITE":
                ack = await device.get()
                assert (ack.method, ack.branch, ack.cseq_number) == ("ACK", again.branch, 2)
            # A copy of the challenge that comes late is acknowledged, and changes nothing more.
            challenge(device, first, status, challenger)
            if method == "INVITE":
                assert (await device.copy()).branch == first.branch
            assert await device.hears_nothing(0.6)
        assert CREDENTIALS[1] not in caller.seat.evidence().scenario

    body()


@run
async def test_a_second_challenge_is_the_end(tmp_path: Path) -> None:
    challenger = Challenger("200", "another", "lab")
    async with calling(tmp_path, Call(), credentials=CREDENTIALS) as (device, _):
        first = await device.get()
        challenge(device, first, "407 Proxy Authentication Required", challenger)
        again = await answered(device, first)
        challenge(device, again, "407 Proxy Authentication Required", challenger)
        ack = await device.get()
        assert (ack.method, ack.branch) == ("ACK", again.branch)
        assert await device.hears_nothing(0.7)


@run
async def test_an_answered_call_is_ended_after_a_challenge(tmp_path: Path) -> None:
    challenger = Challenger(*CREDENTIALS, "lab")
    async with calling(tmp_path, Call(act="hangup"), credentials=CREDENTIALS) as (device, _):
        first = await device.get()
        challenge(device, first, "401 Unauthorized", challenger)
        again = await answered(device, first)
        device.respond(again, "200 OK", f"Contact: <sip:dut@{device.own}>")
        ack, bye = await device.get(), await device.get()
        assert [ack.header("CSeq"), bye.header("CSeq")] == ["2 ACK", "4 BYE"]
        device.respond(bye, "200 OK")
