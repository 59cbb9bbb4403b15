"""What a drive holds, a slot of the device, addresses, room, a SIPp, is given back before somebody waits for it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import psutil
import pytest
from test_drive_through import BOUND, OURS, WINDOW, callee, profile_of

from harness.device import load_profile
from harness.device.spec import DeviceSpec
from harness.drive.bench import Bench
from harness.drive.station import Station
from harness.endpoints.sipp.binary import find_sipp
from harness.endpoints.sipp.host import SippHost, SippSeat
from harness.errors import SetupError
from harness.live.progress import Progress
from harness.model.flow import Flow
from harness.model.plan import Answer, Call, Endpoint, Plan, Response
from harness.net.address import Address
from harness.net.loopback import LoopbackPool
from harness.net.pool import LabPool
from harness.net.sockets import inode_of

GUARD = Endpoint("guard", "guard", (Answer((Response(480),)),))
STAYS_UP = Endpoint("callee", "callee", (Answer((Response(180), Response(200)), then="wait"),))


def drive(folder: Path, oddity: str, *plans: Plan, lab: str = "registrar = true", max_calls: int = 1) -> list[Flow]:
    """The flows of ``plans``, side by side, and in less than a minute."""
    profile = load_profile(profile_of(folder, oddity, lab=lab, max_calls=max_calls))

    async def driven() -> list[Flow]:
        async with (
            Bench.open(folder, find_sipp()) as bench,
            Station(DeviceSpec("odd", profile), bench, WINDOW, Progress(1, WINDOW)) as station,
            asyncio.timeout(60),
        ):
            return list(await asyncio.gather(*(station.drive(plan, "proxy") for plan in plans)))

    return asyncio.run(driven())


def test_a_call_that_stays_up_keeps_no_slot_from_the_sign_of_life(tmp_path: Path) -> None:
    [flow] = drive(tmp_path, "no_options", Plan((STAYS_UP,), (OURS,), bindings=BOUND))
    assert not flow.troubles
    assert flow.life is not None, "a plain call needs the only slot"
    assert flow.life.at > flow.watch.closed_at


def test_a_call_that_cannot_be_ended_keeps_no_slot_from_the_next(tmp_path: Path) -> None:
    plan = Plan((callee(Response(200)),), (OURS, OURS), bindings=BOUND, watched=False)
    [flow] = drive(tmp_path, "unreachable", plan)
    assert len(flow.calls) == 2
    assert flow.select("BYE", at="callee", received=False), "which nobody answers"


def test_drives_that_fill_a_lab_leave_room_for_a_sign_of_life(tmp_path: Path) -> None:
    pool = LoopbackPool()
    lab = f'registrar = true\ntester = "{pool.lease().host}"\nports = "20000-20007"'
    plans = [Plan((callee(Response(status)),), (OURS,), bindings=BOUND) for status in (603, 600)]
    try:
        flows = drive(tmp_path, "no_options", *plans, lab=lab, max_calls=10)
    finally:
        pool.close()
    # To a user whom it registered: the REGISTER is the first that it answers.  The drive that is late hears that call.
    how = [flow.life.how if flow.life else "" for flow in flows]
    assert "it answered a plain call: SIP/2.0 200 OK" in how
    assert set(how) <= {"it answered a plain call: SIP/2.0 200 OK", "it sent a message after the window"}


def test_a_plan_for_which_there_never_is_room_is_a_mistake_of_the_set_up(tmp_path: Path) -> None:
    pool = LoopbackPool()
    lab = f'registrar = true\ntester = "{pool.lease().host}"\nports = "20000-20004"'
    try:
        with pytest.raises(SetupError, match=r"this plan needs 2 of lab\.tester .*, and there are 1"):
            drive(tmp_path, "none", Plan((callee(Response(603)),), (OURS,), bindings=BOUND), lab=lab)
    finally:
        pool.close()


def test_addresses_of_a_drive_that_came_to_nothing_are_leased_again(tmp_path: Path) -> None:
    pool = LoopbackPool()
    lab = f'registrar = true\ntester = "{pool.lease().host}"\nports = "20000-20009"'
    moved = Response(302, contacts=("<sip:9{token}@{target.host}>",))  # a port that a lab of one address has not
    target = Endpoint("target", "target", (Answer((Response(200),)),))
    profile = load_profile(profile_of(tmp_path, "none", lab=lab))

    async def driven() -> tuple[list[int], Flow]:
        async with (
            Bench.open(tmp_path, find_sipp()) as bench,
            Station(DeviceSpec("odd", profile), bench, WINDOW, Progress(1, WINDOW)) as station,
        ):
            named = station.context.lab.pool.pool
            assert isinstance(named, LabPool)
            free = [len(named)]
            for _ in range(4):
                flow = await station.drive(Plan((callee(moved), target), (OURS,), bindings=BOUND), "proxy")
                assert "this plan needs port 5060" in flow.troubles[0].text
                free.append(len(named))
            plan = Plan((callee(Response(603)),), (OURS,), bindings=BOUND, watched=False)
            flow = await station.drive(plan, "proxy")
            free.append(len(named))
            return free, flow

    try:
        free, flow = asyncio.run(driven())
    finally:
        pool.close()
    assert len(set(free)) == 1
    assert not flow.troubles


def test_a_drive_that_is_cancelled_while_it_takes_its_seats_leaves_no_sipp_and_no_tap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile, answer = load_profile(profile_of(tmp_path, "none")), SippHost.answer

    async def driven() -> None:
        bound, never = asyncio.Event(), asyncio.Event()

        async def slow(host: SippHost, endpoint: Endpoint, *rest: Any) -> SippSeat:
            if endpoint is GUARD:
                await never.wait()
            taken = await answer(host, endpoint, *rest)
            taps.append(taken.own)
            bound.set()
            return taken

        monkeypatch.setattr(SippHost, "answer", slow)
        async with (
            Bench.open(tmp_path, find_sipp()) as bench,
            Station(DeviceSpec("odd", profile), bench, WINDOW, Progress(1, WINDOW)) as station,
        ):
            plan = Plan((callee(Response(603)), GUARD), (Call(),))
            drive = asyncio.create_task(station.drive(plan, "proxy"))
            async with asyncio.timeout(20):
                await bound.wait()
            drive.cancel()
            await asyncio.gather(drive, return_exceptions=True)
            assert not [one for one in psutil.Process().children(recursive=True) if one.name() == "sipp"]

    taps: list[Address] = []
    asyncio.run(driven())
    assert [inode_of(own) for own in taps] == [0]
