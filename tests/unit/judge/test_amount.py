"""One extra call and an endless loop do not read alike."""

from __future__ import annotations

import re

import pytest
from redirect_flow import Try, drive

from harness.judge.amount import amount
from harness.judge.attempts import tries
from harness.model.plan import Plan
from suites.plans import callee, refuse


@pytest.mark.parametrize(
    ("calls", "says"),
    [
        (2, ""),
        (4, r"; 3 such INVITEs in 0\.2 s, and none in the last 5\.\d s of the window"),
        (42, r"; 41 such INVITEs in 4\.0 s, stopped only by the suite, which answers 480 after 20 calls to callee"),
    ],
)
def test_amount_of_calls_and_what_ended_them(calls: int, says: str) -> None:
    flow = drive(Plan((callee(refuse(603)),)), *(Try(call_id=f"c{number}") for number in range(calls)))
    assert re.fullmatch(says, amount(flow, tries(flow)[1:]))
