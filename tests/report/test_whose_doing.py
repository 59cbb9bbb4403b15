"""Whose doing it is that a case is inconclusive, as data; and that equal causes share an entry."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flows import DECLINE, flow, record, ruled

from harness.errors import DeviceError, ProfileError, SetupError
from harness.judge.silence import DROPS, NO_CONTROL, WINDOW
from harness.model.finding import Finding, Party, Ruled
from harness.model.flow import LifeSign, Loss, Trouble
from harness.model.verdict import Verdict
from harness.purposes.doing import doing_of, doing_of_error
from harness.report.causes import by_cause


def unseen(code: str) -> Ruled:
    return Ruled(Finding("RFC3261-21.6-01", "unseen", code), "MUST", Verdict.INCONCLUSIVE, "why")


@pytest.mark.parametrize(
    ("code", "blames", "party"),
    [
        (DROPS, (), "harness"),
        (WINDOW, (), "harness"),
        ("window-too-short", (), "harness"),
        (NO_CONTROL, (), "device"),
        ("not-followed", (), "device"),
        ("no-reinvite", (), "profile"),
        ("not-followed", ("device",), "device"),
        ("not-followed", ("stimulus",), "profile"),
        (NO_CONTROL, ("device", "harness"), "harness"),
    ],
)
def test_codes_and_troubles_name_it(code: str, blames: tuple[Any, ...], party: Party) -> None:
    troubled = replace(flow(), troubles=tuple(Trouble(blame, "x") for blame in blames))
    assert doing_of(Verdict.INCONCLUSIVE, [unseen(code)], 1, [troubled]) == party
    assert doing_of(Verdict.PASS, [unseen(code)], 1, [troubled]) == ""


def test_the_last_drive_counts_and_a_lost_device_is_its_own_doing() -> None:
    disturbed = replace(flow(), troubles=(Trouble("harness", "x"),))
    assert doing_of(Verdict.INCONCLUSIVE, [unseen("not-followed")], 2, [disturbed, flow()]) == "device"
    lost = replace(flow(), loss=Loss(1.0, "closed its port", ""))
    assert doing_of(Verdict.INCONCLUSIVE, [unseen(DROPS)], 1, [lost]) == "device"


def test_a_flow_that_is_too_short_is_the_harness_s_unless_the_device_gave_no_sign_of_life() -> None:
    watched = replace(flow(), plan=DECLINE)
    assert watched.plan.watched
    alive = replace(watched, life=LifeSign(1.0, "OPTIONS"))
    assert doing_of(Verdict.INCONCLUSIVE, [unseen("not-proven")], 1, [alive]) == "harness"
    assert doing_of(Verdict.INCONCLUSIVE, [unseen("not-proven")], 1, [replace(watched, life=None)]) == "device"


def test_a_flow_that_contradicts_itself_is_a_bug_of_the_harness() -> None:
    wrong = replace(flow(), transport="tcp")
    assert doing_of(Verdict.INCONCLUSIVE, [unseen("not-followed")], 1, [wrong]) == "harness"


def test_errors_before_a_drive_name_it() -> None:
    assert doing_of_error(DeviceError("x", "y")) == "device"
    assert doing_of_error(ProfileError("x", "y")) == "profile"
    assert doing_of_error(SetupError("x", "y")) == doing_of_error(ValueError()) == "harness"


def test_one_cause_is_one_entry_whatever_the_numbers_and_the_guard() -> None:
    proof = [
        record(
            Verdict.INCONCLUSIVE,
            f"uac/p{number}",
            ruled(
                Verdict.INCONCLUSIVE, outcome="unseen", code=NO_CONTROL, unproven=f"not seen to reach guard{number}'s"
            ),
        )
        for number in range(3)
    ]
    others = [record(Verdict.INCONCLUSIVE, f"uac/o{number}", reason="not repeatable") for number in range(2)]
    fails = [record(Verdict.FAIL, f"uac/f{number}", ruled(Verdict.FAIL)) for number in range(3)]
    groups = by_cause([others[0], proof[0], fails[0], proof[1], others[1], fails[1], proof[2], fails[2]])
    assert [len(group) for group in groups] == [1, 3, 1, 1, 1, 1]
    assert groups[1] == tuple(proof)
    mixed = [replace(one, doing=doing) for one, doing in zip(proof, ("device", "harness", "device"), strict=True)]
    assert [len(group) for group in by_cause(mixed)] == [1, 1, 1]
