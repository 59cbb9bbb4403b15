"""The reference device as a proxy: what it does right."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sip_bench import Bench, Driven
from sip_caller import acknowledge, own, registered, request, vias
from sip_peer import Peer

Play = Callable[..., None]

RICH = (
    '302 Anders\nContact: "A, B" <sip:x@{t};y=1>;q=0.5;expires=60, <sip:z@{t}>;foo=bar\nm: <tel:+15>\n'
    "Expires: 30\nDiversion: <sip:700@x>;reason=unconditional\nX-Unknown:  a ,b\nRetry-After: 5"
)


async def forked(
    bench: Bench, *answers: str, faults: tuple[str, ...] = (), role: str = "proxy"
) -> tuple[Peer, Driven, list[Peer]]:
    """A caller, a proxy, and callees that are all registered with the same q; the call is made."""
    caller, device = await bench.peer("200 OK"), await bench.device(*faults, role=role)
    callees = [await bench.peer([one for one in answer.split("|") if one]) for answer in answers]
    await registered(caller, device, *(f"<sip:c{number}@{callee.uri}>" for number, callee in enumerate(callees)))
    caller.send(request("INVITE", own(device), caller), device.address)
    return caller, device, callees


@pytest.mark.parametrize("role", ["proxy", "recursing-proxy"])
def test_an_outbound_proxy_relays_a_302_as_it_is(play: Play, role: str) -> None:
    async def scenario(bench: Bench) -> None:
        callee, target = await bench.peer(), await bench.peer("200 OK")
        callee.says(RICH, t=target.uri)
        caller, device = await bench.peer(), await bench.device(role=role)
        uri = f"sip:700@{callee.uri}"
        caller.send(
            request("INVITE", uri, caller, "Max-Forwards: 10", "Via: SIP/2.0/UDP far;branch=z9hG4bKfar", "X-Own: 1"),
            device.address,
        )
        moved = (await caller.until("302"))[0]
        invite, ack = callee.of("INVITE")[0], (await callee.until("ACK"))[0]
        assert (invite.uri, invite.header("Max-Forwards"), invite.header("X-Own")) == (uri, "9", "1")
        assert invite.header("CSeq") == "1 INVITE"
        assert [via.split(";")[0] for via in vias(invite)] == [
            "SIP/2.0/UDP {}:{}".format(*device.address), f"SIP/2.0/UDP {caller.uri}", "SIP/2.0/UDP far",
        ]  # fmt: skip
        assert (vias(ack), ack.uri, ack.header("To")) == (vias(invite)[:1], invite.uri, moved.header("To"))
        assert vias(moved) == vias(invite)[1:]
        sent = callee_lines(RICH.format(t=target.uri))
        assert [line for line in moved.text.split("\r\n") if line in sent] == sent
        assert not target.heard
        acknowledge(caller, device, moved, branch="b")
        await bench.quiet()
        assert len(callee.of("ACK")) == 1

    play(scenario)


def callee_lines(template: str) -> list[str]:
    return [line.replace(":  ", ": ") for line in template.split("\n")[1:]]


def test_a_call_through_it_is_answered_acknowledged_and_ended(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        callee = await bench.peer(("100 Trying", "180 Ringing", "200 OK"))
        caller, device = await bench.peer(), await bench.device(role="proxy")
        uri = f"sip:700@{callee.uri}"
        caller.send(request("INVITE", uri, caller), device.address)
        answer = (await caller.until("200"))[0]
        assert [m.code for m in caller.heard] == [100, 180, 200]
        assert not caller.heard[0].header("To").endswith("tag=peer")
        to = answer.header("To")
        caller.send(request("ACK", uri, caller, to=to, branch="ack"), device.address)
        assert (await callee.until("ACK"))[0].header("CSeq") == "1 ACK"
        caller.send(request("BYE", uri, caller, to=to, number=2, branch="bye"), device.address)
        await caller.until("200", 2)

    play(scenario)


def test_equal_q_forks_and_a_6xx_waits_for_the_cancelled(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        caller, _, (first, second, third) = await forked(
            bench, "180 Ringing", "603 Decline\nRetry-After: 7", "100 Trying"
        )
        cancels = [(await peer.until("CANCEL"))[0] for peer in (first, third)]
        for peer, cancel in zip((first, third), cancels, strict=True):
            invite = peer.of("INVITE")[0]
            assert (cancel.branch, cancel.uri, vias(cancel)) == (invite.branch, invite.uri, vias(invite)[:1])
        await bench.quiet()
        assert not caller.of("603")
        first.answer(first.of("INVITE")[0], "487 Request Terminated")
        await first.until("ACK")
        assert not caller.of("603")
        third.answer(third.of("INVITE")[0], "302 M\nContact: <sip:x@127.0.0.1>")
        declined = (await caller.until("603"))[0]
        assert (declined.header("Retry-After"), declined.header("To").endswith("tag=peer")) == ("7", True)
        assert len(second.of("ACK")) == 1

    play(scenario)


def test_different_q_is_tried_one_after_another_and_not_after_a_6xx(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        caller, device = await bench.peer(), await bench.device(role="proxy")
        a, b, c = await bench.peer("486 Busy"), await bench.peer("600 Busy Everywhere"), await bench.peer("200 OK")
        await registered(caller, device, f"<sip:a@{a.uri}>;q=1.0,<sip:c@{c.uri}>;q=0.2", f"<sip:b@{b.uri}>;q=0.5")
        caller.send(request("INVITE", own(device), caller), device.address)
        await caller.until("600")
        assert a.of("INVITE")[0].time < b.of("INVITE")[0].time
        await bench.quiet()
        assert not c.heard

    play(scenario)


@pytest.mark.parametrize(
    ("answers", "relayed"),
    [
        (("302 M\nContact: <sip:x@h>", "407 Auth", "603 Decline"), "603"),
        (("603 Decline", "302 M\nContact: <sip:x@h>", "486 Busy"), "603"),
        (("486 Busy", "302 M\nContact: <sip:x@h>", "503 Down"), "302"),
        (("503 Down",), "500"),
        (("404 Not Found", "486 Busy"), "404"),
        (("503 Down", "486 Busy"), "486"),
    ],
)  # fmt: skip
def test_the_best_response_goes_upstream(play: Play, answers: tuple[str, ...], relayed: str) -> None:
    async def scenario(bench: Bench) -> None:
        caller, device, _ = await forked(bench, *answers)
        final = (await caller.until(relayed))[0]
        acknowledge(caller, device, final, branch="b")
        await bench.quiet()
        assert {m.code for m in caller.heard if m.code > 200} == {int(relayed)}

    play(scenario)


def test_an_answer_that_crosses_the_cancel_goes_upstream_alone(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        caller, _, (first, second) = await forked(bench, "180 Ringing", "603 Decline")
        await first.until("CANCEL")
        first.answer(first.of("INVITE")[0], "200 OK")
        first.answer(first.of("INVITE")[0], "200 OK")
        await caller.until("200", 3)
        await bench.quiet()
        assert not caller.of("603")
        assert second.of("ACK")

    play(scenario)


def test_an_answer_cancels_the_others(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        caller, _, (first, _) = await forked(bench, "180 Ringing", "180 Ringing|200 OK")
        await caller.until("200", 2)
        cancel = (await first.until("CANCEL"))[0]
        assert 'cause=200;text="Call completed elsewhere"' in cancel.header("Reason")

    play(scenario)


def test_a_cancel_waits_for_a_provisional_response(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.timers = type(bench.timers)(t1=0.1, t2=0.4, t4=0.1)
        caller, _, (first, second) = await forked(bench, "", "603 Decline")
        await second.until("ACK")
        await bench.quiet(0.05, 0.1)
        assert not first.of("CANCEL")
        first.says("183 Progress")
        first.answer(first.of("INVITE")[0], "183 Progress")
        await first.until("CANCEL")
        await caller.until("183")

    play(scenario)


def test_provisional_responses_pass_while_a_final_one_is_stored(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        caller, _, (first, second) = await forked(bench, "", "302 M\nContact: <sip:x@h>")
        await second.until("ACK")
        for text in ("100 Trying", "180 Ringing", "183 Progress"):
            first.answer(first.of("INVITE")[0], text)
        await caller.until("183")
        assert caller.of("180")
        assert len(caller.of("100")) == 1

    play(scenario)


def test_the_cancel_of_a_caller_is_passed_on_with_its_reason(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        caller, device, callees = await forked(bench, "180 Ringing", "180 Ringing")
        await caller.until("180", 2)
        reason = 'SIP;cause=603;text="Declined elsewhere"'
        caller.send(request("CANCEL", own(device), caller, f"Reason: {reason}"), device.address)
        assert (await caller.until("200", 2))[1].header("CSeq") == "1 CANCEL"
        for callee in callees:
            assert (await callee.until("CANCEL"))[0].header("Reason") == reason
            callee.answer(callee.of("INVITE")[0], "487 Request Terminated")
        await caller.until("487")

    play(scenario)


def test_a_cancelled_branch_without_final_is_given_up(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.timers = type(bench.timers)(t1=0.004, t2=0.02, t4=0.02, d=0.3)
        caller, _, (first, _) = await forked(bench, "180 Ringing", "603 Decline")
        await first.until("CANCEL")
        assert not caller.of("603")
        await caller.until("603")

    play(scenario)


def test_a_branch_that_rings_too_long_is_cancelled(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.timers = type(bench.timers)(t1=0.004, t2=0.02, t4=0.02, d=0.3, c=0.1)
        caller, _, (first,) = await forked(bench, "180 Ringing")
        await first.until("CANCEL")
        await caller.until("408")

    play(scenario)
