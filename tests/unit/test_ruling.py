"""What a ruling makes of findings: levels, claims, and what only warns."""

from __future__ import annotations

import dataclasses

import pytest

from harness.model.finding import Finding
from harness.model.verdict import Verdict
from harness.requirements.catalogue import Catalogue
from harness.requirements.ruling import Mode, Ruling

FAIL, WARN, PASS = Verdict.FAIL, Verdict.WARN, Verdict.PASS
ROW = dataclasses.replace(Catalogue.load()["RFC3261-8.1.3.4-14"], on_violation="warn", fail_if_claimed="")
LETTER, SEMANTICS = ROW, dataclasses.replace(ROW, verdict_profile="semantics")


@pytest.mark.parametrize(
    ("row", "mode", "at_least", "cost"),
    [
        (LETTER, "certification", Verdict.NONE, WARN),
        (LETTER, "certification", FAIL, FAIL),
        (LETTER, "letter", FAIL, FAIL),
        (SEMANTICS, "certification", Verdict.NONE, WARN),
        (SEMANTICS, "certification", FAIL, FAIL),
        (SEMANTICS, "letter", Verdict.NONE, PASS),
        (SEMANTICS, "letter", FAIL, WARN),
    ],
)
def test_at_least_weighs_a_step_less_by_the_letter(row, mode: Mode, at_least: Verdict, cost: Verdict):
    said = Finding(row.id, "violated", "wrong", at_least=at_least)
    assert Ruling(mode).rule(said, row, {}).verdict is cost


def test_at_least_says_nothing_of_what_was_not_violated():
    for outcome, verdict in (("satisfied", PASS), ("unseen", Verdict.INCONCLUSIVE)):
        said = Finding(ROW.id, outcome, "wrong", at_least=FAIL)  # type: ignore[arg-type]
        assert Ruling().rule(said, ROW, {}).verdict is verdict
