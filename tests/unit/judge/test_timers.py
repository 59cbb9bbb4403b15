"""T1 and T2 are the device's where its profile declares them: a network of IMS has 2 s and 16 s."""

from __future__ import annotations

import dataclasses

import pytest
from answered_flow import Line
from proxy_flow import said

from harness.judge.answers import first_asked
from harness.judge.copies import given_up, repeated_on_time
from harness.judge.timers import Timers, timers_of
from harness.model.flow import Flow
from suites.answering import REFUSED

IMS = {"t1": 2.0, "t2": 16.0}


def refused(*copies: float, timers: dict[str, float] | None = None) -> Flow:
    line = Line(REFUSED["uas"]).ask().reply(0.01, 603)
    for after in copies:
        line.reply(0.01 + after, 603)
    flow = line.flow(closed=200.0)
    return dataclasses.replace(flow, device={**flow.device, "timers": timers or {}})


@pytest.mark.parametrize(
    ("copies", "timers", "outcome"),
    [
        ((0.5, 1.5, 3.5), {}, "satisfied"),
        ((2.0, 6.0, 14.0), {}, "violated"),
        ((2.0, 6.0, 14.0), IMS, "satisfied"),
        ((0.5, 1.5, 3.5), IMS, "violated"),
        ((2.0,), IMS, "violated"),
    ],
)
def test_copies_come_by_the_declared_times(copies: tuple[float, ...], timers: dict[str, float], outcome: str) -> None:
    flow = refused(*copies, timers=timers)
    assert said([repeated_on_time(flow, first_asked(flow))]) == [outcome]


def test_the_end_is_that_of_the_declared_times() -> None:
    to_the_end = (2.0, 6.0, 14.0, *(30.0 + 16 * number for number in range(7)))
    for timers, outcome in (({}, "violated"), (IMS, "satisfied")):
        flow = refused(*to_the_end, timers=timers)
        assert said([given_up(flow, first_asked(flow))]) == [outcome]


def test_the_times_of_rfc_3261_are_the_usual_ones() -> None:
    usual = timers_of(refused())
    assert (usual.timer_h, usual.until_t2, usual.intervals(5)) == (32.0, 3.5, (0.5, 1.0, 2.0, 4.0, 4.0))
    assert timers_of(refused(timers=IMS)) == Timers(2.0, 16.0)
