"""The reference device as a redirect server and as a UAS: what it does right."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sip_bench import Bench, Driven
from sip_caller import acknowledge, own, registered, request
from sip_peer import Peer

Play = Callable[..., None]


async def asking(
    bench: Bench, role: str, user: str, method: str = "INVITE", *extra: str, faults: tuple[str, ...] = ()
) -> tuple[Peer, Driven]:
    """A caller that asks a device for a user; 700 has registered odd Contacts, 701 its own, 702 none any more."""
    caller, device = await bench.peer(), await bench.device(*faults, role=role)
    if role == "redirect":
        odd = "<sip:x@127.0.0.1;lr;method=MESSAGE;y=1>;q=0.5;expires=60", "<sip:z@127.0.0.2:5070>"
        await registered(caller, device, *odd, user="700")
        await registered(caller, device, f"<{own(device, '%3701')};x=1>", user="701")
        await registered(caller, device, "<sip:x@127.0.0.1>;expires=0", user="702")
        caller.heard.clear()
    caller.send(request(method, own(device, user), caller, *extra), device.address)
    return caller, device


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE", "OPTIONS", "FROBNICATE"])
def test_a_redirect_server_redirects_everything(play: Play, method: str) -> None:
    async def scenario(bench: Bench) -> None:
        extra = ("Require: foo", "X-Unknown: 1", "Via: SIP/2.0/UDP far;branch=z9hG4bKfar;odd")
        caller, device = await asking(bench, "redirect", "700", method, *extra)
        moved = (await caller.until("302"))[0]
        assert [m.code for m in caller.heard] == [302]
        assert [line for line in moved.text.split("\r\n") if line.startswith(("Contact", "Via"))] == [
            f"Via: SIP/2.0/UDP {caller.uri};branch=z9hG4bKb",
            "Via: SIP/2.0/UDP far;branch=z9hG4bKfar;odd",
            "Contact: <sip:x@127.0.0.1;y=1>;q=0.5",
            "Contact: <sip:z@127.0.0.2:5070>",
        ]
        assert moved.header("To").startswith(f"<{own(device)}>;tag=")

    play(scenario)


@pytest.mark.parametrize(("user", "code"), [("701", "480"), ("702", "480"), ("703", "404")])
def test_a_redirect_server_without_a_location(play: Play, user: str, code: str) -> None:
    async def scenario(bench: Bench) -> None:
        caller, _ = await asking(bench, "redirect", user)
        assert not (await caller.until(code))[0].header("Contact")

    play(scenario)


@pytest.mark.parametrize(
    ("method", "user", "codes"),
    [
        ("INVITE", "3027", [302]),
        ("INVITE", "6037", [603]),
        ("INVITE", "183027", [180, 302]),
        ("INVITE", "186037", [180, 603]),
        ("INVITE", "4827", [480]),
        ("INVITE", "4047", [404]),
        ("INVITE", "7", [200]),
        ("MESSAGE", "3027", [302]),
        ("MESSAGE", "183027", [302]),
        ("MESSAGE", "6037", [603]),
        ("MESSAGE", "7", [200]),
        ("OPTIONS", "6037", [603]),
        ("OPTIONS", "7", [200]),
        ("FROBNICATE", "3027", [501]),
    ],
)
def test_the_number_says_how_a_call_is_answered(play: Play, method: str, user: str, codes: list[int]) -> None:
    async def scenario(bench: Bench) -> None:
        caller, device = await asking(bench, "uas", user, method)
        final = (await caller.until(str(codes[-1])))[0]
        if method == "INVITE" and codes[-1] > 200:
            acknowledge(caller, device, final, branch="b")
        await bench.quiet()
        assert sorted({m.code for m in caller.heard}) == codes
        assert len({m.header("To") for m in caller.heard}) == 1
        contact = "<sip:93027@{}:{}>" if user == "3027" else "<sip:9183027@{}:{}>"
        assert codes[-1] != 302 or final.header("Contact") == contact.format(device.address[0], device.address[1] + 1)

    play(scenario)


@pytest.mark.parametrize("user", ["1807", "183027", "186037"])
def test_ringing_ends_with_a_487_when_cancelled(play: Play, user: str) -> None:
    async def scenario(bench: Bench) -> None:
        caller, device = await asking(bench, "uas", user)
        ringing = (await caller.until("180"))[0]
        caller.send(request("CANCEL", own(device, user), caller), device.address)
        assert (await caller.until("487"))[0].header("To") == ringing.header("To")
        assert (await caller.until("200"))[0].header("CSeq") == "1 CANCEL"
        await bench.quiet(0.4, 0.6)
        assert {m.code for m in caller.heard} == {180, 200, 487}

    play(scenario)


@pytest.mark.parametrize(("role", "user", "code"), [("uas", "6037", "603"), ("redirect", "700", "302")])
def test_a_final_response_stands(play: Play, role: str, user: str, code: str) -> None:
    async def scenario(bench: Bench) -> None:
        # So late that no copy comes by itself: each is the answer to what is sent here.
        bench.timers = type(bench.timers)(t1=20, t2=20, t4=20)
        caller, device = await asking(bench, role, user)
        first = (await caller.until(code))[0]
        caller.send(request("INVITE", own(device, user), caller), device.address)
        second = (await caller.until(code, 2))[1]
        caller.send(request("CANCEL", own(device, user), caller), device.address)
        assert (await caller.until("200"))[0].header("CSeq") == "1 CANCEL"
        assert first.text == second.text
        for _ in range(3):
            acknowledge(caller, device, first, branch="b")
        heard = len(caller.heard)
        await bench.quiet(0.3, 0.6)
        assert len(caller.heard) == heard

    play(scenario)


def test_an_unacknowledged_final_response_is_given_up(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.timers = type(bench.timers)(t1=0.005, t2=0.02, t4=0.2)
        caller, _ = await asking(bench, "uas", "6037")
        await caller.until("603", 4)
        await bench.quiet(0.1, 2)
        times = [m.time for m in caller.of("603")]
        assert times[-1] - times[0] > 0.2

    play(scenario)


def test_a_uas_refuses_what_it_does_not_understand_and_what_came_twice(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        caller, device = await asking(bench, "uas", "3027", "INVITE", "Require: foo")
        await caller.until("420")
        caller.send(request("INVITE", own(device, "3027"), caller, branch="other"), device.address)
        await caller.until("482")

    play(scenario)
