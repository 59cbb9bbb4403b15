"""Whatever reaches a socket of the suite is kept: when a drive is over, and at the backup address."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from harness.device import load_profile
from harness.device.spec import DeviceSpec
from harness.drive.bench import Bench
from harness.drive.station import Station
from harness.endpoints.sipp.binary import find_sipp
from harness.errors import SetupError
from harness.judge.silence import silent
from harness.live.progress import Progress
from harness.model.flow import Flow
from harness.model.plan import Answer, Endpoint, Plan, Response
from harness.model.windows import Window
from harness.net.loopback import LoopbackPool
from harness.paths import ROOT
from harness.store.record import record_of, with_messages, without_messages
from suites.invariants.test_account import test_no_call_comes_when_its_drive_is_over as late_rule

WINDOW = Window("test", 1.0, "enough for a test")
DECLINED = Endpoint("callee", "callee", (Answer((Response(603),)),))
DEADLINE_S = 20.0


def driven(
    folder: Path, fault: str, play: Callable[[Station], Coroutine[Any, Any, Flow]], backup: str = "true"
) -> Flow:
    """What ``play`` returns, played at the station of the reference device with ``fault``."""
    folder.mkdir(exist_ok=True)
    profile = folder / "device.toml"
    text = (ROOT / "harness/devices/reference/device.toml").read_text("utf-8").partition("[variant.")[0]
    profile.write_text(text.replace("backup = true", f"backup = {backup}"))

    async def run() -> Flow:
        spec = DeviceSpec("reference", load_profile(profile), (fault,))
        async with (
            Bench.open(folder, find_sipp()) as bench,
            Station(spec, bench, WINDOW, Progress(1, WINDOW)) as station,
        ):
            return await play(station)

    return asyncio.run(run())


def test_a_call_that_comes_when_its_drive_is_over_is_kept(tmp_path: Path) -> None:
    async def play(station: Station) -> Flow:
        flow = await station.drive(Plan((DECLINED,), watched=False), "uac")
        assert len(flow.select("INVITE", received=True)) == 1
        deadline = time.monotonic() + DEADLINE_S
        while len((completed := station.completed(flow)).late) < 3:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        return completed

    flow = driven(tmp_path, "redials_after_1s", play)
    invite, refusal, ack = flow.late
    assert (invite.method, refusal.status, ack.method) == ("INVITE", 480, "ACK")
    assert [event.number for event in flow.late] == [len(flow.events) + 1 + at for at in range(3)]
    [finding] = late_rule(flow)
    assert finding.code == "calls-when-over"
    assert with_messages(without_messages(flow), record_of(flow), "it") == flow


@pytest.mark.parametrize("fixed", [False, True])
def test_what_comes_to_the_backup_counts_in_every_plan(tmp_path: Path, fixed: bool) -> None:
    pool = LoopbackPool()
    address = pool.lease()

    async def play(station: Station) -> Flow:
        return await station.drive(Plan((DECLINED,)), "uac")

    flow = driven(tmp_path, "tries_backup_after_603", play, backup=f'"{address}"' if fixed else "true")
    pool.close()
    assert not flow.plan.uses_backup
    assert len(flow.select("INVITE", at="backup", received=True)) == 1
    assert not fixed or flow.seat("backup").address == address
    finding = silent(flow, code="redialled", after=flow.select(status=603)[0], expected="nothing", means="")
    assert (finding.outcome, finding.code) == ("violated", "redialled")


def test_a_backup_address_that_cannot_be_had_is_told(tmp_path: Path) -> None:
    async def play(station: Station) -> Flow:
        return await station.drive(Plan((DECLINED,)), "uac")

    with pytest.raises(SetupError, match=r"nobody can listen at the device's backup address 192\.0\.2\.7:5060"):
        driven(tmp_path, "no_ack", play, backup='"192.0.2.7:5060"')
