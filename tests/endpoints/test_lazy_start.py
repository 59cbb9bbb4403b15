"""An endpoint that nothing reaches costs no process; one that something reaches answers all the same."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from sipp_peer import Device, Record, address, answering, hosting, order, run

from harness.endpoints.tap.loop import TapLoop
from harness.errors import SippError
from harness.model.places import Places
from harness.model.plan import Answer, Endpoint, Response
from harness.net.sockets import inode_of
from harness.system import clock

BUSY = Answer((Response(486),), ())


def sipps() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if child.name() == "sipp"]


@run
async def test_a_guard_that_is_never_called_starts_no_sipp_and_listens_all_the_same(tmp_path: Path) -> None:
    async with answering(tmp_path, BUSY, at_once=False) as (device, guard):
        assert inode_of(guard.own)
        assert guard.seat.evidence().bound_at == pytest.approx(clock.now(), abs=5)
        device.send("\r\n\r\n")
        device.send("GET / HTTP/1.1")
        async with asyncio.timeout(10):
            while not guard.record.unreadable:  # noqa: ASYNC110 - it is a list
                await asyncio.sleep(0.005)
        guard.seat.rest()
        guard.seat.wake()
        guard.seat.hang_up("nobody")
        assert not sipps()
    assert not list(os.scandir(tmp_path))
    assert not inode_of(guard.own)


@run
async def test_the_first_message_starts_it_and_is_answered(tmp_path: Path) -> None:
    async with answering(tmp_path, BUSY, Answer((Response(603),), ()), at_once=False) as (device, guard):
        device.request("INVITE", call="a")
        assert (await device.get()).status == 486
        device.request("INVITE", call="b")
        assert (await device.get()).status == 603
        assert len(sipps()) == 1
    assert [event.status or event.method for event in guard.events] == ["INVITE", 486, "INVITE", 603]


@run
async def test_an_invite_and_its_copies_before_sipp_is_there_are_one_question(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((Response(180),)), Answer((Response(603),), ()), at_once=False) as (
        device,
        guard,
    ):
        branch = device.request("INVITE", call="a")
        for _ in range(3):
            device.request("INVITE", call="a", branch=branch)
        other = device.request("INVITE", call="b")
        asked = device.request("OPTIONS", call="c")
        for _ in range(3):
            device.request("OPTIONS", call="c", branch=asked)
        got = [await device.get() for _ in range(3)]
        assert {(response.status, response.branch) for response in got} == {(180, branch), (603, other), (200, asked)}
        assert await device.hears_nothing(0.4)
    assert [event.call_id for event in guard.record.received()] == [*"aaaabcccc"], "all of them are recorded"


def test_a_seat_that_ends_while_its_sipp_starts_leaves_nothing(tmp_path: Path) -> None:
    @run
    async def body() -> None:
        async with answering(tmp_path, BUSY, at_once=False) as (device, guard):
            device.request("INVITE", call="a")
            await guard.record.until(lambda: bool(guard.events))
        assert not sipps()
        assert not inode_of(guard.own)

    body()


def broken(folder: Path) -> Path:
    program = folder / "sipp"
    program.write_text("#!/bin/sh\necho it is a bad day >&2\nexit 1\n")
    program.chmod(0o755)
    return program


@run
async def test_a_sipp_that_cannot_start_is_the_harnesss_trouble_and_the_guard_still_records(tmp_path: Path) -> None:
    own, record = address(), Record()
    device = Device(own)
    async with hosting(tmp_path) as host:
        host.sipp = replace(host.sipp, path=broken(tmp_path))
        ordered = order("guard", own, Places("1"), record, device.own, at_once=False)
        guard = await host.answer(Endpoint("guard", "guard", (BUSY,)), ordered, frozenset())
        device.request("INVITE", call="a")
        async with asyncio.timeout(10):
            while "could not answer" not in guard.trouble:  # noqa: ASYNC110 - nothing announces it
                await asyncio.sleep(0.005)
        assert guard.trouble.startswith("the endpoint guard could not answer: SIPp test-guard ended with status 1")
        assert "it is a bad day" in guard.trouble
        device.request("INVITE", call="b")
        await record.until(lambda: len(record.events) == 2)
        await guard.stop()
        assert guard.evidence().lost_at is None
    device.close()
    assert [event.call_id for event in record.events] == ["a", "b"]


@run
async def test_an_endpoint_that_must_answer_at_once_and_cannot_is_an_error_and_no_socket(tmp_path: Path) -> None:
    own = address()
    async with hosting(tmp_path) as host:
        host.sipp = replace(host.sipp, path=broken(tmp_path))
        ordered = order("callee", own, Places("1"), Record(), address())
        with pytest.raises(SippError, match="it is a bad day"):
            await host.answer(Endpoint("callee", "callee", (BUSY,)), ordered, frozenset())
        assert not inode_of(own)


@run
async def test_what_is_asked_of_the_taps_by_who_has_been_cancelled_is_not_done() -> None:
    taps, done, going_on = TapLoop(), [], asyncio.Event()
    go = asyncio.get_running_loop()

    def busy() -> None:
        go.call_soon_threadsafe(going_on.set)
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.2), go).result()

    first = asyncio.create_task(taps.do(busy))
    await going_on.wait()
    second = asyncio.create_task(taps.do(lambda: done.append("second")))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    assert await taps.do(lambda: "still there") == "still there"
    assert not done
    with pytest.raises(ZeroDivisionError):
        await taps.do(lambda: 1 // 0)
    taps.close()
