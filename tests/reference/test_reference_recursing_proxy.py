"""The reference device as a proxy that follows redirections: what it does right."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sip_bench import Bench, Driven
from sip_caller import own, registered, request
from sip_peer import Peer

Play = Callable[..., None]

BODY = "Content-Type: text/plain\nX-Own: 1\nContent-Length: 2\n\nhi"


async def redirecting(bench: Bench, *answers: str, role: str = "recursing-proxy") -> tuple[Peer, Driven, list[Peer]]:
    """A caller, a recursing proxy, a callee that redirects ({a}, {b}: the targets) and the targets."""
    caller, device = await bench.peer("200 OK"), await bench.device(role=role)
    callee = await bench.peer()
    targets = [await bench.peer([one for one in answer.split("|") if one]) for answer in answers[1:]]
    names = {name: target.uri for name, target in zip("abc", targets, strict=False)}
    callee.says(*answers[0].split("|"), callee=callee.uri, device="{}:{}".format(*device.address), **names)
    await registered(caller, device, f"<sip:700@{callee.uri}>")
    caller.send(request("INVITE", own(device), caller, "Max-Forwards: 30", BODY), device.address)
    return caller, device, [callee, *targets]


def test_a_302_is_followed_with_the_request_as_it_came(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        moved = "302 M\nContact: <sip:x%40@{a};foo=1;method=INVITE?Subject=s>"
        caller, _, (callee, target) = await redirecting(bench, moved, "100 Trying|180 Ringing|200 OK")
        await caller.until("200", 2)
        first, again = callee.of("INVITE")[0], target.of("INVITE")[0]
        assert again.uri == f"sip:x%40@{target.uri};foo=1"
        for name in ("From", "To", "Call-ID", "CSeq", "X-Own", "Max-Forwards", "Content-Type"):
            assert again.header(name) == first.header(name)
        assert (again.header("Max-Forwards"), again.body) == ("29", "hi")
        assert again.branch != first.branch
        assert [m.code for m in caller.heard] == [200, 100, 180, 200]

    play(scenario)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (("302 M\nContact: <sip:x@{a}>, <sip:y@{b}>;q=0.5", "404 Not Found", "486 Busy"), "404"),
        (("302 M\nContact: <sip:x@{a}>, <sip:y@{b}>;q=0.5", "503 Down", "486 Busy"), "486"),
        (("302 M\nContact: <sip:700@{callee}>",), "408"),
        (("302 M",), "302"),
        (("302 M\nContact: <tel:+1>",), "302"),
        (("302 M\nContact: <sip:700@{device}>",), "482"),
    ],
)
def test_what_goes_upstream_is_never_an_emptied_redirection(
    play: Play, answers: tuple[str, ...], expected: str
) -> None:
    async def scenario(bench: Bench) -> None:
        caller, _, peers = await redirecting(bench, *answers)
        await caller.until(expected)
        await bench.quiet()
        assert [len({m.branch for m in peer.of("INVITE")}) for peer in peers] == [1] * len(peers)

    play(scenario)


def test_contacts_that_were_tried_are_taken_out(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        moved = '302 M\nContact: <mailto:x@y>, "A" <sip:x@{a}>;q=0.5\nContact: <sip:700@{callee}>\nX-Own: 2'
        caller, _, (_, target) = await redirecting(bench, moved, "486 Busy")
        left = (await caller.until("302"))[0]
        assert [line for line in left.text.split("\r\n") if line.startswith("Contact")] == ["Contact: <mailto:x@y>"]
        assert left.header("X-Own") == "2"
        assert len(target.of("ACK")) == 1

    play(scenario)


def test_a_uri_is_tried_once_however_it_is_written(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        moved = "302 M\nContact: <sip:a@{a};X=1;y=2>;q=0.9, <sip:%61@{a};y=2>;q=0.8, <sip:A@{a}>;q=0.7"
        caller, _, (_, target) = await redirecting(bench, moved, "404 Not Found")
        await caller.until("404")
        assert [m.uri.split("@")[0] for m in target.of("INVITE")] == ["sip:a", "sip:A"]

    play(scenario)


def test_equal_q_is_tried_at_once_and_a_603_ends_it(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        moved = "302 M\nContact: <sip:x@{a}>;q=0.5, <sip:y@{b}>;q=0.5, <sip:z@{c}>;q=0.4"
        caller, _, (_, ringing, _, third) = await redirecting(bench, moved, "180 Ringing", "603 Decline", "200 OK")
        await ringing.until("CANCEL")
        assert not caller.of("603")
        ringing.answer(ringing.of("INVITE")[0], "487 Request Terminated")
        await caller.until("603")
        await bench.quiet()
        assert not third.heard

    play(scenario)


def test_nothing_is_tried_after_a_cancel(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        moved = "302 M\nContact: <sip:x@{a}>;q=0.5, <sip:y@{b}>;q=0.4"
        caller, device, (_, ringing, second) = await redirecting(bench, moved, "180 Ringing", "200 OK")
        await caller.until("180")
        caller.send(request("CANCEL", own(device), caller), device.address)
        await ringing.until("CANCEL")
        ringing.answer(ringing.of("INVITE")[0], "487 Request Terminated")
        await caller.until("487")
        await bench.quiet()
        assert not second.heard

    play(scenario)


def test_an_unreachable_contact_does_not_end_the_search(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        moved = "302 M\nContact: <sip:x@127.0.31.99:9>, <sip:y@{a}>;q=0.4"
        caller, _, (_, target) = await redirecting(bench, moved, "200 OK")
        await target.until("INVITE")
        await caller.until("200", 2)

    play(scenario)


def test_a_proxy_that_does_not_recurse_relays_the_302_of_its_users(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        moved = "302 M\nContact: <sip:x@{a}>"
        caller, _, (_, target) = await redirecting(bench, moved, "200 OK", role="proxy")
        assert (await caller.until("302"))[0].header("Contact") == f"<sip:x@{target.uri}>"
        assert not target.heard

    play(scenario)
