"""What an endpoint does with a CANCEL, with calls that are no INVITE, and responses that are wrong on purpose."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sipp_peer import answering, run

from harness.model.plan import Answer, Forgery, Response

RINGS = Response(180)
VIAS = ("Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKbelow", "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKlast")


@run
async def test_a_cancel_is_accepted_and_the_487_comes_when_the_plan_says(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((RINGS,), cancelled_after=0.4)) as (device, _):
        branch = device.request("INVITE", call="a")
        ringing = await device.get()
        began = time.monotonic()
        device.request("CANCEL", call="a", branch=branch)
        accepted = await device.get()
        assert (accepted.status, accepted.cseq_method) == (200, "CANCEL")
        assert accepted.to_tag == ringing.to_tag
        device.request("CANCEL", call="a", branch=branch)
        assert (await device.copy()).raw == accepted.raw
        ended = await device.get()
        assert (ended.status, ended.cseq_method, ended.to_tag) == (487, "INVITE", ringing.to_tag)
        assert time.monotonic() - began > 0.39
        device.ack(branch, ended)
        device.request("CANCEL", call="a", branch=branch)
        assert (await device.copy()).raw == accepted.raw
        assert await device.hears_nothing(0.6)


@run
async def test_a_cancel_is_accepted_and_changes_nothing(tmp_path: Path) -> None:
    late = Response(302, contacts=("<sip:x@{target}>",), after=0.3)
    async with answering(tmp_path, Answer((RINGS, late), cancelled="ignore")) as (device, _):
        branch = device.request("INVITE", call="a")
        await device.get()
        device.request("CANCEL", call="a", branch=branch)
        assert (await device.get()).cseq_method == "CANCEL"
        moved = await device.get()
        assert moved.status == 302
        device.ack(branch, moved)
        assert await device.hears_nothing(0.6)


@run
async def test_a_redirection_crosses_the_cancel(tmp_path: Path) -> None:
    moved = Response(302, contacts=("<sip:x@192.0.2.7>",))
    async with answering(tmp_path, Answer((RINGS,), cancelled="answer", crossing=moved)) as (device, _):
        branch = device.request("INVITE", call="a")
        await device.get()
        device.request("CANCEL", call="a", branch=branch)
        accepted = await device.get()
        assert (accepted.status, accepted.cseq_method) == (200, "CANCEL")
        crossed = await device.get()
        assert (crossed.status, crossed.cseq_method) == (302, "INVITE")
        assert crossed.contact_uris == ("sip:x@192.0.2.7",)
        assert (await device.copy()).raw == crossed.raw
        device.ack(branch, crossed)
        assert await device.hears_nothing(0.6)


@run
async def test_a_response_is_cut_short(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((Response(302, forged="cut_short"), Response(603)))) as (device, _):
        device.request("INVITE", call="a")
        short, whole = await device.get(), await device.get()
        assert (short.status, short.header("Content-Length"), short.body) == (302, "400", "this is not all\r\n")
        assert (whole.status, whole.header("Content-Length")) == (603, "0")


@run
async def test_a_cancel_gets_nothing_at_all(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((RINGS,), cancelled="deaf"), Answer((RINGS,))) as (device, _):
        branch = device.request("INVITE", call="a")
        await device.get()
        device.request("CANCEL", call="a", branch=branch)
        assert await device.hears_nothing(0.6)
        # The next answer is one of the usual kind.
        branch = device.request("INVITE", call="b")
        await device.get()
        device.request("CANCEL", call="b", branch=branch)
        assert {(await device.get()).cseq_method, (await device.get()).cseq_method} == {"CANCEL", "INVITE"}


@run
async def test_an_answer_crosses_the_cancel(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((RINGS,), cancelled="answer", cancelled_after=0.1)) as (device, _):
        branch = device.request("INVITE", call="a")
        ringing = await device.get()
        device.request("CANCEL", call="a", branch=branch)
        assert (await device.get()).cseq_method == "CANCEL"
        answer = await device.get()
        assert (answer.status, answer.cseq_method, answer.to_tag) == (200, "INVITE", ringing.to_tag)
        assert "m=audio" in answer.body
        device.ack("z9hG4bKack", answer)
        bye = await device.get()
        assert bye.method == "BYE"
        device.respond(bye, "200 OK")
        assert await device.hears_nothing(0.6)


@run
async def test_a_body_of_a_refusal_arrives_as_it_is(tmp_path: Path) -> None:
    body = "Moved [to] \\ <b>\r\n\r\n<i>  there </i>\r\n two"
    async with answering(tmp_path, Answer((Response(302, contacts=("<sip:x@{target}>",), body=body),))) as (device, _):
        branch = device.request("INVITE", call="a")
        moved = await device.get()
        assert moved.header("Content-Type") == "text/plain"
        assert int(moved.header("Content-Length") or 0) == len(moved.body)
        assert moved.body.rstrip() == body
        device.ack(branch, moved)


@pytest.mark.parametrize("forged", ["branch", "method", "no_via", "one_via"])
@pytest.mark.parametrize("together", [False, True])
def test_a_forged_response_is_said_once_and_the_true_one_follows(
    tmp_path: Path, forged: Forgery, together: bool
) -> None:
    @run
    async def body() -> None:
        answer = Answer((Response(200, forged=forged), Response(603)))
        async with answering(tmp_path, answer) as (device, endpoint):
            vias = (", ".join(via.removeprefix("Via: ") for via in VIAS),) if together else VIAS
            headers = (f"Via: {vias[0]}",) if together else vias
            branch = device.request("INVITE", call="a", headers=headers)
            stray, final = await device.get(), await device.get()
            assert stray.header("Call-ID") == "a"
            if forged == "no_via":
                assert stray.headers("Via") == ()
            elif forged == "one_via":
                assert len(stray.vias) == 1
                assert stray.branch == branch
            elif forged == "branch":
                assert stray.branch not in (None, branch)
                assert [via.branch for via in stray.vias[1:]] == ["z9hG4bKbelow", "z9hG4bKlast"]
            else:
                assert stray.header("CSeq") == "1 INFO"
            assert final.status == 603
            assert final.branch == branch
            assert len(final.vias) == 3
            device.ack(branch, final)
            assert await device.hears_nothing(0.6)
        assert [event.status for event in endpoint.record.sent()] == [200, 603]

    body()


@run
async def test_a_forged_response_alone_leaves_the_invite_pending(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((RINGS, Response(302, forged="branch")))) as (device, _):
        branch = device.request("INVITE", call="a")
        assert [(await device.get()).status, (await device.get()).status] == [180, 302]
        assert await device.hears_nothing(0.7)
        device.request("CANCEL", call="a", branch=branch)
        got = {(await device.get()).status, (await device.get()).status}
        assert got == {200, 487}


@pytest.mark.parametrize("method", ["MESSAGE", "WHATEVER"])
def test_a_call_that_is_no_invite_gets_the_last_response(tmp_path: Path, method: str) -> None:
    @run
    async def body() -> None:
        moved = Response(302, contacts=("<sip:x@{target}>",), headers=("X-[a]: b",))
        async with answering(tmp_path, Answer((RINGS, moved)), methods=(method,)) as (device, _):
            for call in ("a", "b"):
                device.request(method, call=call, headers=VIAS)
                response = await device.get()
                assert (response.status, response.header("CSeq"), len(response.vias)) == (302, f"1 {method}", 3)
                assert (response.header("X-[a]"), len(response.contact_uris)) == ("b", 1)
                assert response.to_tag
            branch = device.request("INVITE", call="c")
            ringing, last = await device.get(), await device.get()
            assert (ringing.status, last.status) == (180, 302)
            device.ack(branch, last)

    body()


@run
async def test_a_call_that_is_no_invite_gets_nothing_where_the_plan_has_nothing(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer(), methods=("MESSAGE",)) as (device, _):
        device.request("MESSAGE", call="a")
        assert await device.hears_nothing(0.4)
        device.request("SUBSCRIBE", call="b")
        assert (await device.get()).status == 200
