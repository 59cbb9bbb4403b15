"""Messages reach a SIPp no faster than it can take them, and not while it goes on from what it has said itself."""

from __future__ import annotations

import asyncio
import time

from sipp_peer import run

from harness.endpoints.sipp.pace import Pace

STEP_S = 0.05


class Taken:
    """What a receiver has got, and when."""

    def __init__(self) -> None:
        self.messages: list[tuple[bytes, float]] = []
        self._more = asyncio.Event()

    def take(self, data: bytes) -> None:
        self.messages.append((data, time.monotonic()))
        self._more.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.messages) < count:
                self._more.clear()
                await self._more.wait()


@run
async def test_each_message_has_its_time() -> None:
    taken = Taken()
    pace = Pace(taken.take, lambda _data: STEP_S)
    for data in (b"1", b"2", b"3"):
        pace.hand_over(data)
    assert [data for data, _ in taken.messages] == [b"1"]
    await taken.until(3)
    times = [at for _, at in taken.messages]
    assert [data for data, _ in taken.messages] == [b"1", b"2", b"3"]
    assert min(times[1] - times[0], times[2] - times[1]) >= STEP_S * 0.9


@run
async def test_what_it_says_itself_takes_time_as_well() -> None:
    taken = Taken()
    pace = Pace(taken.take, lambda _data: 0.0)
    pace.hand_over(b"INVITE")
    assert len(taken.messages) == 1
    said = time.monotonic()
    pace.said(STEP_S)
    pace.hand_over(b"ACK")
    pace.said(2 * STEP_S)
    assert len(taken.messages) == 1
    await taken.until(2)
    assert taken.messages[1][1] - said >= 2 * STEP_S * 0.9


@run
async def test_a_sipp_that_needs_no_time_gets_everything_at_once() -> None:
    taken = Taken()
    pace = Pace(taken.take, lambda _data: 0.0)
    pace.hand_over(b"INVITE")
    pace.said(0.0)
    pace.hand_over(b"ACK")
    assert [data for data, _ in taken.messages] == [b"INVITE", b"ACK"]
