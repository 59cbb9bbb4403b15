"""Starting SIPps, losing them, and leaving none behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from sipp_peer import Device, Record, address, answering, hosting, order, run, started

from harness.endpoints.sipp.answer_scenario import render_answer
from harness.endpoints.sipp.readiness import Readiness
from harness.endpoints.tap.port import PortTaken
from harness.errors import SippError
from harness.model.places import Places
from harness.model.plan import Answer, Endpoint, Response
from harness.net.address import Address
from harness.net.sockets import inode_of

REPOSITORY = Path(__file__).parents[2]


def scenario(own: Address) -> str:
    return render_answer(Endpoint("callee", "callee", (Answer((Response(486),), ()),)), Places("1"), own)


def slack(pid: int) -> int:
    return int(Path(f"/proc/{pid}/timerslack_ns").read_text())


@run
async def test_it_is_ready_when_it_says_so_and_gone_when_it_has_been_stopped(tmp_path: Path) -> None:
    own = address()
    assert not inode_of(own)
    process = await started("callee", scenario(own), own, tmp_path)
    assert inode_of(own)
    assert process.bound_at == pytest.approx(time.time(), abs=1)
    assert slack(process.pid) == 20_000_000
    process.rest()
    assert slack(process.pid) == 100_000_000
    process.wake()
    assert slack(process.pid) == 20_000_000
    await process.stop()
    assert not inode_of(own)
    assert not psutil.pid_exists(process.pid)
    assert (process.lost_at, process.ended_at is not None) == (None, True)
    await process.stop()


@run
async def test_one_that_must_not_be_late_hardly_sleeps(tmp_path: Path) -> None:
    own = address()
    process = await started("callee", scenario(own), own, tmp_path, exact=True)
    assert slack(process.pid) == 2_000_000
    process.rest()
    process.wake()
    assert slack(process.pid) == 2_000_000
    await process.stop()


@run
async def test_one_that_calls_is_awake_sooner_and_nobody_else_sleeps_longer(tmp_path: Path) -> None:
    before, own = slack(os.getpid()), address()
    process = await started("caller", scenario(own), own, tmp_path, peer=address())
    assert slack(process.pid) == 5_000_000
    await process.stop()
    assert slack(os.getpid()) == before


@run
async def test_a_taken_port_is_told_apart(tmp_path: Path) -> None:
    own = address()
    first = await started("first", scenario(own), own, tmp_path)
    with pytest.raises(PortTaken, match=str(own)):
        await started("second", scenario(own), own, tmp_path)
    assert inode_of(own)
    await first.stop()


@run
async def test_a_scenario_that_sipp_refuses_is_an_error_with_its_words(tmp_path: Path) -> None:
    own = address()
    with pytest.raises(SippError, match="ended with status") as caught:
        await started("bad", scenario(own).replace("<jump", "<bump"), own, tmp_path)
    assert "bump" in str(caught.value)
    assert not isinstance(caught.value, PortTaken)


@run
async def test_an_address_that_is_not_ours_is_an_error(tmp_path: Path) -> None:
    own = Address("192.0.2.1")
    with pytest.raises(SippError):
        await started("elsewhere", scenario(own), own, tmp_path)


@run
async def test_one_that_dies_is_reported_and_its_tap_still_records(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((Response(486),), ())) as (device, callee):
        [pid] = _sipps()
        assert callee.seat.trouble == ""
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(10):
            while not callee.seat.trouble:  # noqa: ASYNC110 - nothing announces it
                await asyncio.sleep(0.005)
        assert callee.seat.trouble == "the SIPp at callee ended unexpectedly (status -9)"
        for call in ("a", "b"):
            device.request("INVITE", call=call)
        await callee.record.until(lambda: len(callee.events) == 2)
        assert callee.seat.evidence().lost_at is None, "the socket is still there"
        callee.seat._actor._process = None  # so that the end of the test does not complain


@run
async def test_one_that_does_not_mind_sigterm_is_killed(tmp_path: Path) -> None:
    own = address()
    process = await started("callee", scenario(own), own, tmp_path)
    os.kill(process.pid, signal.SIGSTOP)
    await process.stop()
    assert process.status == -signal.SIGKILL
    assert process.lost_at is None


@run
async def test_sixty_seats_at_once_all_answer(tmp_path: Path) -> None:
    """More than SIPp has control ports on one address."""
    record, places, began = Record(), Places("1"), time.monotonic()
    device = Device(address())
    endpoint = Endpoint("callee", "callee", (Answer((Response(486),), ()),))
    async with hosting(tmp_path) as host:
        orders = [order(f"e{number}", address(), places, record, device.own) for number in range(60)]
        seats = await asyncio.gather(*(host.answer(endpoint, one, frozenset()) for one in orders))
        started_in = time.monotonic() - began
        for seat in seats:
            device.peer = seat.own
            device.request("INVITE", call=f"call-{seat.name}")
        await record.until(lambda: len(record.sent()) == 60)
        await asyncio.gather(*(seat.stop() for seat in seats))
        assert {seat.trouble for seat in seats} == {""}
    device.close()
    assert started_in < 10
    assert {event.seat for event in record.received()} == {event.seat for event in record.sent()}
    assert {event.source for event in record.sent()} == {seat.own for seat in seats}


@run
async def test_what_a_sipp_said_last_is_heard_before_its_seat_has_ended(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((Response(486),), ())) as (device, callee):
        device.request("INVITE", call="a")
        await device.get()
    assert [event.direction for event in callee.events] == ["received", "sent"]


def _sipps() -> list[int]:
    return [child.pid for child in psutil.Process().children() if child.name() == "sipp"]


def test_no_sipp_outlives_its_parent(tmp_path: Path) -> None:
    own = address()
    program = f"""
import asyncio, sys
sys.path[:0] = [{str(REPOSITORY)!r}, {str(Path(__file__).parent)!r}]
from pathlib import Path
from sipp_peer import started
from test_sipp_process import scenario
from harness.net.address import Address
async def main():
    own = Address({own.host!r})
    process = await started("orphan", scenario(own), own, Path({str(tmp_path)!r}))
    print(process.pid, flush=True)
    await process.wait()
asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    assert psutil.pid_exists(pid)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 5
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not psutil.pid_exists(pid)
    assert not inode_of(own)


@run
async def test_readiness_is_of_the_process_that_was_asked_about(tmp_path: Path) -> None:
    own = address()
    device = Device(own, own)
    with pytest.raises(TimeoutError):
        await Readiness().bound(own, 1, 0.05)
    await Readiness().bound(own, os.getpid(), 0.05)
    with pytest.raises(TimeoutError):
        await Readiness().bound(replace(own, transport="tcp"), os.getpid(), 0.05)
    device.close()
