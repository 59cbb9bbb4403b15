"""The reference device as a UAC: what it does right."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from sip_bench import Bench

Play = Callable[..., None]


def test_a_302_is_followed_with_the_same_call(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        callee, target = await bench.peer(), await bench.peer("200 OK")
        callee.says("302 Moved\nContact: <sip:Ab%43@{t};x=%3d;method=INVITE?Subject=a>;q=1", t=target.uri)
        device = await bench.device()
        device.do(f"call sip:700@{callee.uri}")
        ack = (await target.until("ACK"))[0]
        first, again = callee.of("INVITE")[0], target.of("INVITE")[0]
        assert again.uri == f"sip:Ab%43@{target.uri};x=%3d"
        assert [again.header(name) for name in ("From", "To", "Call-ID")] == [
            first.header(name) for name in ("From", "To", "Call-ID")
        ]
        assert (first.header("CSeq"), again.header("CSeq")) == ("1 INVITE", "2 INVITE")
        assert again.branch != first.branch
        assert again.body == first.body
        assert again.header("Max-Forwards") == "70"
        refused = callee.of("ACK")[0]
        assert (refused.uri, refused.branch, refused.header("CSeq")) == (first.uri, first.branch, "1 ACK")
        assert refused.header("To").endswith(";tag=peer")
        assert (ack.uri, ack.header("CSeq")) == (f"sip:{target.uri}", "2 ACK")
        assert ack.branch != again.branch

    play(scenario)


def test_targets_are_tried_by_q_and_never_twice(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        callee, a, b, c = [await bench.peer() for _ in range(4)]
        callee.says(
            "302 M\nContact: <mailto:x@y>, <sips:x@{a}>, <sip:x@{a};transport=tcp>, <sip:a@{a}>;q=0.5\n"
            "Contact: <sip:b@{b}>;q=0.9\nContact: <sip:700@{callee}>;q=0.8",
            a=a.uri, b=b.uri, callee=callee.uri,
        )  # fmt: skip
        b.says("301 M\nContact: <sip:c@{c}>;q=0.1, <sip:b@{b}>, <sip:%61@{a}>", a=a.uri, b=b.uri, c=c.uri)
        a.says("486 Busy Here")
        c.says("404 Not Found")
        device = await bench.device()
        device.do(f"call sip:700@{callee.uri}")
        await c.until("ACK")
        await bench.quiet()
        order = sorted((m.time, m.uri) for peer in bench.peers for m in peer.of("INVITE"))
        assert [uri for _, uri in order] == [
            f"sip:700@{callee.uri}", f"sip:b@{b.uri}", f"sip:a@{a.uri}", f"sip:c@{c.uri}",
        ]  # fmt: skip

    play(scenario)


@pytest.mark.parametrize("contact", ["", "\nContact: *", "\nContact: <sip:x@", "\nContact: <http://127.0.31.2/>"])
def test_a_redirection_to_nowhere_fails(play: Play, capsys: pytest.CaptureFixture[str], contact: str) -> None:
    async def scenario(bench: Bench) -> None:
        callee = await bench.peer(f"302 Moved{contact}")
        device = await bench.device()
        device.do(f"call sip:700@{callee.uri}")
        await callee.until("ACK")
        await bench.quiet()
        assert len(callee.of("INVITE")) == 1

    play(scenario)
    assert capsys.readouterr().out.endswith('"event": "failed", "status": 302}\n')


def test_a_6xx_ends_the_whole_call_and_each_copy_is_acknowledged(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        callee, a, b = [await bench.peer() for _ in range(3)]
        callee.says("302 M\nContact: <sip:a@{a}>, <sip:b@{b}>", a=a.uri, b=b.uri)
        a.says(*["603 Decline\nRetry-After: 0\nContact: <sip:{b}>"] * 3, b=b.uri)
        device = await bench.device(backup=b)
        device.do(f"call sip:700@{callee.uri}")
        acks = await a.until("ACK", 3)
        await bench.quiet()
        assert len({ack.text for ack in acks}) == 1
        assert not b.heard

    play(scenario)


@pytest.mark.parametrize("answer", ["503 Service Unavailable", ""])
def test_the_backup_is_tried_when_the_first_hop_fails(play: Play, answer: str) -> None:
    async def scenario(bench: Bench) -> None:
        callee, backup = await bench.peer(), await bench.peer("486 Busy Here")
        bench.timers = type(bench.timers)(t1=0.005, t2=0.02, t4=0.02, d=0.1)
        callee.says(answer)
        device = await bench.device(backup=backup)
        device.do(f"call sip:700@{callee.uri}")
        await backup.until("ACK")
        first, again = callee.of("INVITE")[0], backup.of("INVITE")[0]
        assert (again.uri, again.header("CSeq")) == (first.uri, first.header("CSeq"))
        assert again.branch != first.branch

    play(scenario)


def test_an_unanswered_invite_is_sent_by_timer_a_until_a_provisional_response(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        callee = await bench.peer()
        # The third gap is to be four times the first: 60 ms and 240 ms are told apart on a busy machine, too.
        bench.timers = type(bench.timers)(t1=0.06, t2=4.0, t4=0.1, d=0.1)
        callee.says()
        device = await bench.device()
        device.do(f"call sip:700@{callee.uri}")
        copies = await callee.until("INVITE", 4)
        assert len({copy.text for copy in copies}) == 1
        gaps = [later.time - earlier.time for earlier, later in pairwise(copies)]
        assert gaps[2] > gaps[0]

    play(scenario)


def test_hanging_up_cancels_only_after_a_provisional_response(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        callee, other = await bench.peer(), await bench.peer()
        callee.script = lambda request: [] if request.method == "INVITE" else ["200 OK"]
        device = await bench.device()
        uri = f"sip:700@{callee.uri}"
        device.do(f"call {uri}")
        await callee.until("INVITE")
        device.do(f"hangup {uri}")
        await bench.quiet(0.05, 0.1)
        assert not callee.of("CANCEL")
        callee.says("180 Ringing")
        cancel = (await callee.until("CANCEL"))[0]
        invite = callee.of("INVITE")[0]
        assert (cancel.branch, cancel.header("CSeq"), cancel.uri) == (invite.branch, "1 CANCEL", invite.uri)
        callee.answer(invite, f"302 Moved\nContact: <sip:{other.uri}>")
        await callee.until("ACK")
        await bench.quiet()
        assert not other.heard

    play(scenario)


@pytest.mark.parametrize("faults", [(), ("cancels_after_final",)], ids=["right", "cancels_after_final"])
def test_hanging_up_a_refused_call(play: Play, faults: tuple[str, ...]) -> None:
    async def scenario(bench: Bench) -> None:
        callee = await bench.peer(("180 Ringing", "603 Decline"))
        device = await bench.device(*faults)
        device.do(f"call sip:700@{callee.uri}")
        await callee.until("ACK")
        device.do(f"hangup sip:700@{callee.uri}")
        await bench.quiet()
        assert bool(callee.of("CANCEL")) is bool(faults)

    play(scenario)


def test_an_answer_that_crosses_the_cancel_is_ended(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        callee = await bench.peer(("180 Ringing",))
        device = await bench.device()
        device.do(f"call sip:700@{callee.uri}")
        invite = (await callee.until("INVITE"))[0]
        device.do(f"hangup sip:700@{callee.uri}")
        await callee.until("CANCEL")
        callee.answer(invite, "200 OK")
        callee.answer(invite, "200 OK")
        await callee.until("ACK", 2)
        await callee.until("BYE")

    play(scenario)


def test_a_refused_reinvite_leaves_the_session(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    async def scenario(bench: Bench) -> None:
        callee = await bench.peer("200 OK", "603 Decline")
        device = await bench.device()
        device.do(f"call sip:700@{callee.uri}")
        await callee.until("ACK")
        device.do(f"reinvite sip:700@{callee.uri}")
        await callee.until("ACK", 2)
        await bench.quiet()
        assert "a=sendonly" in callee.of("INVITE")[1].body
        assert not callee.of("BYE")
        device.do(f"hangup sip:700@{callee.uri}")
        bye = (await callee.until("BYE"))[0]
        assert bye.header("CSeq") == "3 BYE"

    play(scenario)
    assert '"event": "reinvited", "status": 603' in capsys.readouterr().out


def test_responses_for_somebody_else_are_dropped(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        callee = await bench.peer("100 Trying")
        device = await bench.device()
        device.do(f"call sip:700@{callee.uri}")
        invite = (await callee.until("INVITE"))[0]
        callee.answer(invite, "603 Decline\nVia: SIP/2.0/UDP 127.0.31.9;branch=z9hG4bKother")
        callee.answer(invite, "603 Decline", change=lambda text: text.replace("1 INVITE", "1 BYE"))
        callee.answer(invite, "603 Decline", change=lambda text: text.replace("z9hG4bK", "z9hG4bKx"))
        callee.answer(invite, "603 Decline", change=lambda text: text.replace("UDP 127.0.30.9", "UDP 127.0.30.8"))
        await bench.quiet()
        assert not callee.of("ACK")
        callee.answer(invite, "603 Decline")
        await callee.until("ACK")

    play(scenario)
