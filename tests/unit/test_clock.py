"""The clock of a run: nothing that is done to the machine's clock moves it."""

from __future__ import annotations

import time

import pytest

from harness.system import clock

HOUR_S = 3600.0


def test_it_shows_the_time_of_day() -> None:
    assert clock.now() == pytest.approx(time.time(), abs=1)


@pytest.mark.parametrize("step", [HOUR_S, -HOUR_S, 30.0, -0.5])
def test_a_step_of_the_machines_clock_is_none_of_the_runs(monkeypatch: pytest.MonkeyPatch, step: float) -> None:
    real, before = time.time, clock.now()
    monkeypatch.setattr(time, "time", lambda: real() + step)
    assert 0 <= clock.now() - before < 1
    # The kernel's stamps step with it: what counts is their age.
    assert clock.of_kernel(time.time() - 0.25) == pytest.approx(clock.now() - 0.25, abs=0.1)


@pytest.mark.parametrize("age", [HOUR_S, 61.0, -0.001, -HOUR_S])
def test_a_stamp_of_an_impossible_age_is_now(age: float) -> None:
    assert clock.of_kernel(time.time() - age) == pytest.approx(clock.now(), abs=0.1)


def test_a_stamp_of_a_datagram_that_waited_is_its_arrival() -> None:
    assert clock.of_kernel(time.time() - 50.0) == pytest.approx(clock.now() - 50.0, abs=0.1)


@pytest.mark.parametrize(("before", "after"), [(0.05, 0.0), (0.0, 0.05)])
@pytest.mark.parametrize("interruptions", [1, 5])
def test_another_threads_turn_between_the_two_clocks_moves_no_message(
    monkeypatch: pytest.MonkeyPatch, before: float, after: float, interruptions: int
) -> None:
    real, turns = time.time, [(before, after)] * interruptions

    def interrupted() -> float:
        waits = turns.pop() if turns else (0.0, 0.0)
        time.sleep(waits[0])
        told = real()
        time.sleep(waits[1])
        return told

    stamp, arrived = real(), clock.now()
    monkeypatch.setattr(time, "time", interrupted)
    assert clock.of_kernel(stamp) == pytest.approx(arrived, abs=0.02)
