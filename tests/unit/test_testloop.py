"""pytest's items in the order of their verdicts."""

from __future__ import annotations

import concurrent.futures
from concurrent.futures import Future

import pytest

from harness.run import item_order as testloop
from harness.run.item_order import as_they_come


def test_they_come_as_their_verdicts_do() -> None:
    verdicts: dict[str, Future[None]] = {name: Future() for name in "abc"}
    verdicts["b"].set_result(None)
    coming = as_they_come(["none", *"abc"], verdicts.get, lambda: False, lambda: None)
    assert next(coming) == ["none", "b"]
    verdicts["c"].set_exception(ValueError("the device could not be used"))
    assert next(coming) == ["c"]
    verdicts["a"].cancel()
    verdicts["a"].set_running_or_notify_cancel()
    assert list(coming) == [["a"], []]


def test_while_calls_are_made_they_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testloop, "TICK_S", 0.01)
    verdicts: dict[str, Future[None]] = {name: Future() for name in "abc"}
    calling, ticks = [True], []

    def tick() -> None:
        ticks.append(True)
        if len(ticks) == 1:
            verdicts["c"].set_result(None)
        calling[0] = len(ticks) < 3

    coming = as_they_come(list("abc"), verdicts.get, lambda: calling[0], tick)
    assert next(coming) == ["c"]
    assert len(ticks) == 3
    for name in "ba":
        verdicts[name].set_result(None)
    assert list(coming) == [["a", "b"], []]


def test_nobody_is_kept_waiting_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testloop, "LATE_S", 0.05)
    done: Future[None] = Future()
    done.set_result(None)
    never: Future[None] = Future()
    coming = as_they_come(["a", "b"], {"a": done, "b": never}.get, lambda: True, lambda: None)
    with concurrent.futures.ThreadPoolExecutor() as threads:
        assert threads.submit(next, coming).result(timeout=5) == ["a"]
