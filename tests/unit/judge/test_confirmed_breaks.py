"""What breaks an invariant is a fail if two drives of one plan show it, and only then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from redirect_flow import Try, drive

from harness.model.flow import Flow, Loss
from harness.model.verdict import Verdict
from harness.purposes.discovery import all_purposes
from harness.purposes.everywhere import Heard, Overall, overall
from harness.requirements.catalogue import Catalogue
from harness.requirements.ruling import Ruling
from suites.plans import DECLINE

ROW = "RFC3261-21.6-01"
INVARIANT = next(one for one in all_purposes().values() if one.name.endswith("/no_call_again_after_any_6xx"))


def judged(*flows: Flow, final: bool = True) -> Overall:
    rows: Sequence[str] = INVARIANT.requirements
    return overall(INVARIANT, rows, Heard(tuple(flows)), Catalogue.load(), Ruling("certification"), final=final)


def redials(identifier: str) -> Flow:
    return replace(drive(DECLINE, Try(), Try(call_id="c2")), id=identifier)


def test_a_break_in_one_drive_is_driven_again_and_no_fail_before() -> None:
    seen = judged(redials("f1"), final=False)
    assert seen.again == (DECLINE,)
    assert judged(redials("f1")).verdict is Verdict.INCONCLUSIVE
    assert judged(redials("f1"), redials("f2")).verdict is Verdict.FAIL


def test_a_drive_in_which_the_device_was_lost_confirms_nothing() -> None:
    lost = replace(redials("f2"), loss=Loss(1.0, "answered nothing for 5 s", ""))
    for final in (False, True):
        seen = judged(redials("f1"), lost, final=final)
        assert seen.verdict is Verdict.INCONCLUSIVE
        assert seen.again == ()
        assert seen.reason.startswith("not repeatable: ")
