"""A pass rests on something: a message, or what was seen."""

from __future__ import annotations

from harness.judge.say import NO_GROUNDS, satisfied


def test_pass_that_names_nothing_is_none() -> None:
    assert (satisfied(note="it was fine").outcome, satisfied().code) == ("unseen", NO_GROUNDS)
    assert satisfied("silent for 5 s").outcome == "satisfied"
