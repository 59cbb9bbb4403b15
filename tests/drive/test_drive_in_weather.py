"""Whole drives with messages lost on purpose: a device that sends again is served, and the flow says what was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import count
from pathlib import Path

from test_drive_stimuli import DECLINED, PHONE

from harness.device import load_profile
from harness.device.spec import DeviceSpec
from harness.drive.bench import Bench
from harness.drive.station import Station
from harness.endpoints.sipp.binary import find_sipp
from harness.live.progress import Progress
from harness.model.flow import Flow
from harness.model.plan import Plan
from harness.model.weather import Forecast, Weather
from harness.model.windows import Window
from harness.store.record import record_of, with_messages, without_messages

WINDOW = Window("test", 1.0, "enough for a test")
CALLS = PHONE.replace("ROLE", "uac").replace("KIND", "ua") + '[stimulus]\nkind = "stdin"\ncall = "call {uri}"\n'


def seed_of(lost: Iterable[int], messages: int = 12) -> Weather:
    """A weather that loses exactly these of the first messages of a drive of DECLINED."""
    for seed in count():
        weather = Weather(loss=0.1, seed=seed)
        forecast = Forecast(weather, f"uac {DECLINED.title} 0")
        if [number for number in range(messages) if not list(forecast.delays())] == list(lost):
            return weather
    raise AssertionError


def drive(folder: Path, weather: Weather, plan: Plan = DECLINED) -> Flow:
    path = folder / "device.toml"
    path.write_text(CALLS)

    async def driven() -> Flow:
        async with (
            Bench.open(folder, find_sipp()) as bench,
            Station(DeviceSpec("toy", load_profile(path)), bench, WINDOW, Progress(1, WINDOW), weather) as station,
            asyncio.timeout(60),
        ):
            return await station.drive(plan, "uac")

    flow = asyncio.run(driven())
    print(flow.troubles, *((event.fate, str(event)) for event in flow.events), sep="\n")
    assert with_messages(without_messages(flow), record_of(flow), "a record") == flow
    assert flow.weather == str(weather)
    return flow


def said(flow: Flow) -> list[tuple[str, str]]:
    """What crossed, and its fate; copies of the refusal that came before the ACK are left out."""
    return [(str(event.method or event.status), event.fate) for event in flow.events]


def test_a_lost_invite_is_sent_again_and_then_answered(tmp_path: Path) -> None:
    flow = drive(tmp_path, seed_of([0]))
    assert not flow.troubles
    assert said(flow)[:4] == [("INVITE", "lost"), ("INVITE", ""), ("603", ""), ("ACK", "")]
    assert flow.events[0].raw == flow.events[1].raw
    assert not flow.lost
    assert flow.watch.opened_at == flow.select(status=603)[-1].time


def test_a_lost_refusal_is_no_event_and_its_copy_is(tmp_path: Path) -> None:
    flow = drive(tmp_path, seed_of([1]))
    assert not flow.troubles
    [lost] = flow.lost
    assert (lost.status, lost.fate, lost.direction, lost.number) == (603, "lost", "sent", 0)
    refused = flow.select(status=603)
    assert refused
    assert lost.raw in {event.raw for event in refused}
    assert all(event.time > lost.time for event in refused)
    assert flow.watch.opened_at == refused[-1].time
    assert flow.select("ACK")


def test_equal_weather_gives_equal_fates(tmp_path: Path) -> None:
    weather = seed_of([0])
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    first, second = (said(drive(tmp_path / folder, weather)) for folder in ("one", "two"))
    assert first[:4] == second[:4]
