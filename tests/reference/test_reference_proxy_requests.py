"""The reference device as a proxy: which requests and responses it forwards, and which it does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sip_bench import Bench
from sip_caller import own, registered, request, vias

Play = Callable[..., None]


def test_an_unreachable_target_is_a_503_at_once(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        caller, device = await bench.peer(), await bench.device(role="proxy")
        for uri, branch in (("sip:700@127.0.31.99:9", "b1"), ("sip:700@h.example", "b2")):
            caller.send(request("INVITE", uri, caller, branch=branch), device.address)
        finals = await caller.until("500", 2)
        assert {final.branch for final in finals} == {"z9hG4bKb1", "z9hG4bKb2"}

    play(scenario)


@pytest.mark.parametrize(
    ("method", "uri", "extra", "code"),
    [
        ("INVITE", "{callee}", "Max-Forwards: 0", "483"),
        ("INVITE", "{callee}", "Max-Forwards: abc", "400"),
        ("INVITE", "{callee}", "Proxy-Require: fancy", "420"),
        ("INVITE", "mailto:x@y", "X: y", "416"),
        ("INVITE", "{unknown}", "X: y", "404"),
        ("INVITE", "{known}", "X: y", "480"),
        ("OPTIONS", "sip:{device}", "X: y", "200"),
        ("OPTIONS", "{callee}", "Require: fancy", "200"),
        ("CANCEL", "{callee}", "X: y", "481"),
    ],
)
def test_requests_are_validated(play: Play, method: str, uri: str, extra: str, code: str) -> None:
    async def scenario(bench: Bench) -> None:
        callee, caller, device = await bench.peer(), await bench.peer(), await bench.device(role="proxy")
        await registered(caller, device, f"<sip:x@{callee.uri}>;expires=0")
        text = uri.format(
            callee=f"sip:1@{callee.uri}",
            unknown=own(device, "1"),
            known=own(device),
            device="{}:{}".format(*device.address),
        )
        caller.send(request(method, text, caller, extra), device.address)
        await caller.until(code, 2 if code == "200" else 1)
        assert len(callee.heard) == (text.endswith(callee.uri) and code == "200")

    play(scenario)


def test_a_request_that_comes_back_is_a_loop(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        caller, device = await bench.peer(), await bench.device(role="proxy")
        await registered(caller, device, f"<{own(device)};x=1>")
        await registered(caller, device, f"<{own(device)}>", user="800")
        caller.send(request("INVITE", own(device, "800"), caller), device.address)
        await caller.until("482")

    play(scenario)


def test_stray_and_forged_responses_are_dropped(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        callee = await bench.peer("180 Ringing")
        caller, device = await bench.peer(), await bench.device(role="proxy")
        caller.send(request("INVITE", f"sip:700@{callee.uri}", caller), device.address)
        invite = (await callee.until("INVITE"))[0]
        await caller.until("180")
        callee.answer(invite, "603 Decline", change=lambda text: text.replace("z9hG4bK", "z9hG4bKx", 1))
        callee.answer(invite, "603 Decline", change=lambda text: text.replace("1 INVITE", "1 BYE"))
        callee.answer(invite, "603 Decline", change=lambda text: text.replace(f"Via: {vias(invite)[1]}\n", ""))
        await bench.quiet()
        assert not caller.of("603")
        assert not callee.of("ACK")
        callee.answer(invite, "603 Decline")
        await caller.until("603")

    play(scenario)


def test_a_silent_target_of_a_message_leads_to_no_408(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.timers = type(bench.timers)(t1=0.004, t2=0.02, t4=0.02, d=0.3)
        callee = await bench.peer(script=lambda _: [])
        caller, device = await bench.peer(), await bench.device(role="proxy")
        caller.send(request("MESSAGE", f"sip:700@{callee.uri}", caller), device.address)
        await callee.until("MESSAGE")
        await bench.quiet(0.3, 0.6)
        assert not caller.heard

    play(scenario)
