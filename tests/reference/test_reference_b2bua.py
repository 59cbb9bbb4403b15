"""The reference device as a B2BUA, and what it answers to requests in general."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sip_bench import Bench, Driven
from sip_caller import acknowledge, request
from sip_peer import Message, Peer

Play = Callable[..., None]


async def calling(bench: Bench, callee: Peer, *extra: str, faults: tuple[str, ...] = ()) -> tuple[Peer, Driven]:
    caller, device = await bench.peer("200 OK"), await bench.device(*faults)
    caller.send(request("INVITE", f"sip:700@{callee.uri}", caller, *extra), device.address)
    return caller, device


def test_a_call_is_bridged_redirected_held_and_ended(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        callee, target = await bench.peer(), await bench.peer("200 OK", "603 Decline")
        callee.says("302 Moved\nContact: <sip:moved@{t}>", t=target.uri)
        caller, device = await calling(bench, callee, "Max-Forwards: 10")
        answer = (await caller.until("200"))[0]
        acknowledge(caller, device, answer)
        await target.until("ACK")
        outgoing = target.of("INVITE")[0]
        assert outgoing.header("Call-ID") != "from-the-caller"
        assert outgoing.header("Max-Forwards") == "9"
        assert not caller.of("302")
        to, uri = answer.header("To"), f"sip:{device.address[0]}"
        caller.send(request("INVITE", uri, caller, to=to, number=2, branch="re"), device.address)
        refused = (await caller.until("603"))[0]
        acknowledge(caller, device, refused, branch="re")
        caller.send(request("INFO", uri, caller, to=to, number=3, branch="info"), device.address)
        await caller.until("200", 2)
        assert not target.of("BYE")
        target.send(backwards("BYE", outgoing, target), device.address)
        await caller.until("BYE")

    play(scenario)


def backwards(method: str, invite: Message, callee: Peer) -> str:
    """Write a request of the callee in the dialog of an INVITE that it got."""
    lines = [
        f"{method} sip:{invite.source[0]} SIP/2.0",
        f"Via: SIP/2.0/UDP {callee.uri};branch=z9hG4bKback{method}",
        f"From: {invite.header('To')};tag=peer",
        f"To: {invite.header('From')}",
        f"Call-ID: {invite.header('Call-ID')}",
        f"CSeq: 1 {method}",
    ]
    return "\n".join([*lines, "", ""])


@pytest.mark.parametrize(
    ("answer", "relayed"),
    [("603 Decline\nRetry-After: 5", "603"), ("486 Busy", "486"), ("699 X", "699"), ("302 M\nContact: *", "480")],
)
def test_a_refusal_is_relayed_until_its_ack(play: Play, answer: str, relayed: str) -> None:
    async def scenario(bench: Bench) -> None:
        callee = await bench.peer(answer)
        caller, device = await calling(bench, callee)
        finals = await caller.until(relayed, 2)
        acknowledge(caller, device, finals[0], branch="b")
        await bench.quiet()
        assert len(callee.of("INVITE")) == 1
        assert finals[0].header("Retry-After") == ("5" if "Retry" in answer else "")

    play(scenario)


def test_relays_and_follows(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        callee, target = await bench.peer(), await bench.peer("200 OK")
        callee.says("302 Moved\nContact: <sip:moved@{t}>", t=target.uri)
        caller, _ = await calling(bench, callee, faults=("relays_and_follows",))
        passed_on = (await caller.until("302"))[0]
        assert passed_on.header("Contact") == f"<sip:moved@{target.uri}>"
        await target.until("INVITE")
        assert not caller.of("200")

    play(scenario)


def test_redirects_to_itself(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        callee, target = await bench.peer(), await bench.peer("200 OK")
        callee.says("302 Moved\nContact: <sip:moved@{t}>", t=target.uri)
        caller, device = await calling(bench, callee, faults=("redirects_to_itself",))
        passed_on = (await caller.until("302"))[0]
        assert passed_on.header("Contact") == "<sip:700@{}:{}>".format(*device.address)
        assert not target.heard

    play(scenario)


def test_hides_603(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        callee, target = await bench.peer(), await bench.peer("603 Decline")
        callee.says("302 Moved\nContact: <sip:moved@{t}>", t=target.uri)
        caller, _ = await calling(bench, callee, faults=("hides_603",))
        await caller.until("503")
        assert not caller.of("603")

    play(scenario)


def test_leaves_caller_ringing(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        callee = await bench.peer("603 Decline")
        caller, _ = await calling(bench, callee, faults=("leaves_caller_ringing",))
        await callee.until("ACK")
        await bench.quiet()
        assert not caller.of("603")
        assert not caller.of("503")

    play(scenario)


def test_a_cancel_is_passed_on(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        callee = await bench.peer(("183 Progress",))
        caller, device = await calling(bench, callee)
        ringing = (await caller.until("183"))[0]
        caller.send(request("CANCEL", f"sip:700@{callee.uri}", caller), device.address)
        assert (await caller.until("200"))[0].header("CSeq") == "1 CANCEL"
        assert (await caller.until("487"))[0].header("To") == ringing.header("To")
        await callee.until("CANCEL")

    play(scenario)


@pytest.mark.parametrize(
    ("method", "extra", "code"),
    [
        ("INVITE", "Max-Forwards: 0", "483"),
        ("INVITE", "Require: fancy", "420"),
        ("OPTIONS", "Max-Forwards: 70", "200"),
        ("BYE", "", "481"),
        ("CANCEL", "", "481"),
        ("SUBSCRIBE", "", "405"),
        ("DANCE", "", "501"),
    ],
)
def test_requests_outside_a_dialog(play: Play, method: str, extra: str, code: str) -> None:
    async def scenario(bench: Bench) -> None:
        caller, device = await bench.peer(), await bench.device()
        lines = [extra] if extra else []
        caller.send(request(method, "sip:700@127.0.31.9", caller, *lines), device.address)
        await caller.until(code)

    play(scenario)


@pytest.mark.parametrize(
    "datagram",
    [
        b"\0\xff",
        b"INVITE",
        b"SIP/2.0 603 Decline\r\n\r\n",
        b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h;self=1\r\n\r\n",
    ],
)
def test_junk_is_dropped_with_one_line(play: Play, capsys: pytest.CaptureFixture[str], datagram: bytes) -> None:
    async def scenario(bench: Bench) -> None:
        caller, device = await bench.peer(), await bench.device()
        caller.transport.sendto(datagram, device.address)
        caller.send(request("OPTIONS", "sip:700@127.0.31.9", caller), device.address)
        await caller.until("200")

    play(scenario)
    assert capsys.readouterr().err.count("\n") == 1
