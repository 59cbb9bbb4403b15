"""A clock that is set and a machine that sleeps are noticed, told apart, and touch only what was going on."""

from __future__ import annotations

import time

import pytest

from harness.system.timekeeper import Timekeeper

REAL_WALL, REAL_BOOT = time.time, time.clock_gettime


def shift(monkeypatch: pytest.MonkeyPatch, *, wall: float = 0.0, asleep: float = 0.0) -> None:
    """Let the clocks read as if the clock had been set, and the machine been asleep, since before the test."""
    monkeypatch.setattr(time, "time", lambda: REAL_WALL() + wall + asleep)
    monkeypatch.setattr(time, "clock_gettime", lambda which: REAL_BOOT(which) + asleep)


def test_nothing_is_noticed_where_nothing_happens() -> None:
    keeper = Timekeeper()
    began = keeper.look()
    time.sleep(0.3)
    assert keeper.since(began) == ()


@pytest.mark.parametrize("step", [3600.0, -3600.0, 0.5])
def test_a_clock_that_is_set_is_noticed_once(monkeypatch: pytest.MonkeyPatch, step: float) -> None:
    keeper = Timekeeper()
    began = keeper.look()
    shift(monkeypatch, wall=step)
    [one] = keeper.since(began)
    assert (one.kind, one.seconds) == ("clock-set", pytest.approx(step, abs=0.05))
    assert one.sentence.endswith(f"{abs(step):.1f} s {'forward' if step > 0 else 'back'}")
    # What begins afterwards is not touched by it.
    assert keeper.since(keeper.look()) == ()


def test_a_machine_that_slept_was_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Timekeeper()
    began = keeper.look()
    shift(monkeypatch, asleep=90.0)
    [one] = keeper.since(began)
    assert (one.kind, one.seconds) == ("suspended", pytest.approx(90.0, abs=0.05))


def test_a_drive_that_was_over_before_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Timekeeper()
    first = keeper.look()
    assert keeper.since(first) == ()
    second = keeper.look()
    shift(monkeypatch, wall=60.0)
    assert len(keeper.since(second)) == 1
    assert len(keeper.interruptions) == 1
