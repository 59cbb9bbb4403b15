"""A phone that calls a number which belongs to no plan: it is seen at the exchange, and nothing is silent then."""

from __future__ import annotations

from pathlib import Path

from tests.run.suite import run_suite

FINAL = "suites/uac/test_decline_is_final.py::test_decline_is_final"
KNOWN = "suites/invariants/test_account.py::test_every_call_belongs_to_a_drive"


def test_a_call_to_an_unknown_number_is_shown_and_leaves_silence_unproven(tmp_path: Path) -> None:
    done = run_suite(tmp_path, "--device=reference-phone", "--fault=redials_other_number", FINAL, KNOWN)
    told = {record["purpose"]: record for record in done.records}
    decline = told["uac/decline_is_final/decline_is_final"]
    assert decline["verdict"] == "inconclusive", done.output
    assert "came to the exchange meanwhile, and whose call it was is not known" in decline["reason"]
    strange = told["invariants/account/every_call_belongs_to_a_drive"]
    assert strange["verdict"] == "warn", done.output
    assert [row["code"] for row in strange["requirements"]] == ["call-to-unknown-number"]
