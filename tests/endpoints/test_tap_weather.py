"""What the tap does to messages on purpose: it is done, it is recorded, and it comes again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sipp_peer import Device, Record, address, run

from harness.endpoints.tap.routes import Hop
from harness.endpoints.tap.tap import Tap
from harness.model.flow import Fate
from harness.model.weather import Forecast, Weather
from harness.system import clock

MESSAGES = 40


@dataclass
class Scene:
    tap: Tap
    record: Record
    device: Device
    delivered: list[bytes]

    def fates(self, direction: str) -> list[Fate]:
        return [event.fate for event in self.record.events if event.direction == direction]


@asynccontextmanager
async def scene(weather: Weather) -> AsyncIterator[Scene]:
    own, record, delivered = address(), Record(), []
    device = Device(own)
    tap = Tap(
        "callee",
        own,
        record.listener,
        otherwise=lambda outlet: Hop(outlet, device.own),
        forecast=Forecast(weather, "a drive"),
    )
    tap.deliver_to(delivered.append)
    try:
        yield Scene(tap, record, device, delivered)
    finally:
        tap.close()
        device.close()


def message(number: int) -> str:
    via = f"Via: SIP/2.0/UDP h;branch=z{number};rport"
    return f"OPTIONS sip:h SIP/2.0\r\n{via}\r\nCall-ID: c{number}\r\nCSeq: {number} OPTIONS\r\n\r\n"


async def arrivals(weather: Weather) -> tuple[list[Fate], list[bytes]]:
    async with scene(weather) as on:
        for number in range(MESSAGES):
            on.device.send(message(number))
        await on.record.until(lambda: len(on.record.events) == MESSAGES)
        # Whatever is late comes within its longest delay.
        wanted = sum({"lost": 0, "copied": 2}.get(event.fate, 1) for event in on.record.events)
        async with asyncio.timeout(10):
            while len(on.delivered) < wanted:  # noqa: ASYNC110 - it is a list
                await asyncio.sleep(0.005)
        return on.fates("received"), list(on.delivered)


@run
async def test_what_arrives_is_lost_with_a_seed_and_recorded_all_the_same() -> None:
    fates, delivered = await arrivals(Weather(loss=0.3, seed=3))
    assert set(fates) == {"", "lost"}
    assert delivered == [message(number).encode() for number, fate in enumerate(fates) if not fate]
    assert await arrivals(Weather(loss=0.3, seed=3)) == (fates, delivered)
    assert (await arrivals(Weather(loss=0.3, seed=4)))[0] != fates


async def departures(weather: Weather) -> tuple[list[Fate], list[str]]:
    async with scene(weather) as on:
        for number in range(MESSAGES):
            on.tap.emit(message(number).encode())
        got = []
        while not await _nothing(on.device, got):
            pass
        return on.fates("sent"), got


async def _nothing(device: Device, got: list[str]) -> bool:
    try:
        async with asyncio.timeout(0.3):
            got.append((await device.any()).raw)
    except TimeoutError:
        return True
    return False


@run
async def test_what_is_sent_is_lost_with_a_seed_and_said_to_be() -> None:
    fates, got = await departures(Weather(loss=0.3, seed=3))
    assert set(fates) == {"", "lost"}
    assert got == [message(number) for number, fate in enumerate(fates) if not fate]
    assert await departures(Weather(loss=0.3, seed=3)) == (fates, got)


@run
async def test_copies_arrive_twice_in_both_directions() -> None:
    fates, delivered = await arrivals(Weather(copies=1))
    assert set(fates) == {"copied"}
    assert delivered == [message(number).encode() for number in range(MESSAGES) for _ in range(2)]
    fates, got = await departures(Weather(copies=1))
    assert fates == ["", "copied"] * MESSAGES, "a copy is a packet of its own"
    assert got == [message(number) for number in range(MESSAGES) for _ in range(2)]


@run
async def test_a_delayed_message_has_the_time_at_which_it_crossed() -> None:
    async with scene(Weather(delay=0.2)) as on:
        on.tap.emit(message(1).encode())
        assert not on.record.events, "it is not there yet"
        await on.device.get()
        on.device.send(message(2))
        await on.record.until(lambda: len(on.record.events) == 2)
        assert not on.delivered
        async with asyncio.timeout(10):
            while not on.delivered:  # noqa: ASYNC110 - it is a list
                await asyncio.sleep(0.005)
        assert [(event.direction, event.fate) for event in on.record.events] == [
            ("sent", "delayed"),
            ("received", "delayed"),
        ]


@run
async def test_a_reordered_message_goes_30_ms_later() -> None:
    async with scene(Weather(reorder=1)) as on:
        began = clock.now()
        on.tap.emit(message(1).encode())
        await on.device.get()
        assert 0.029 < on.record.events[0].time - began < 0.3


@run
async def test_a_reordered_message_is_overtaken() -> None:
    fates, got = await departures(Weather(reorder=0.2, seed=1))
    assert set(fates) == {"", "delayed"}
    late = [text for text, sent in zip(got, map(message, range(MESSAGES)), strict=True) if text != sent]
    assert late
    assert sorted(got) == sorted(map(message, range(MESSAGES)))
    fates, delivered = await arrivals(Weather(reorder=0.2, seed=1))
    assert delivered != [message(number).encode() for number in range(MESSAGES)]
    assert len(delivered) == MESSAGES


@run
async def test_what_is_on_its_way_when_the_tap_closes_never_crosses() -> None:
    async with scene(Weather(delay=0.1, seed=5)) as on:
        for number in range(5):
            on.tap.emit(message(number).encode())
        on.tap.close()
        assert await on.device.hears_nothing(0.3)
        assert not on.record.events
