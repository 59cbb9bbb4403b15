"""What an observation costs: the catalogue's ruling, applied to a finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness.model.finding import Finding, Ruled
from harness.model.verdict import Verdict
from harness.requirements.catalogue import Row

Mode = Literal["certification", "letter"]

_BASE = {
    "fail": Verdict.FAIL,
    "warn": Verdict.WARN,
    "info": Verdict.PASS,
    "not_scored": Verdict.PASS,
    "inconclusive": Verdict.INCONCLUSIVE,
}


@dataclass(frozen=True)
class Ruling:
    """How the contested rows are read in this run."""

    mode: Mode = "certification"
    """``letter``, the RFCs alone: what rests on the meaning of 6xx, or on no RFC at all, weighs one step less."""
    strict: bool = False
    """A violated SHOULD is a fail, not a warning."""

    def rule(self, finding: Finding, row: Row, pics: Mapping[str, bool]) -> Ruled:
        """The verdict of ``finding`` about ``row`` for a device with ``pics``, and why in one line."""
        if finding.outcome == "satisfied":
            return Ruled(finding, row.level, Verdict.PASS, finding.note or finding.actual)
        if finding.outcome == "unseen":
            return Ruled(finding, row.level, Verdict.INCONCLUSIVE, finding.actual)
        verdict = max(min(self._cost(row, pics), finding.at_most), self._weighed(finding.at_least, row))
        return Ruled(finding, row.level, verdict, finding.actual)

    def _cost(self, row: Row, pics: Mapping[str, bool]) -> Verdict:
        cost = _BASE[row.on_violation]
        if row.fail_if_claimed and pics.get(row.fail_if_claimed) and self.mode == "certification":
            return Verdict.FAIL
        if self.strict and cost is Verdict.WARN and row.optional_only:
            cost = Verdict.FAIL
        return self._weighed(cost, row)

    def _weighed(self, cost: Verdict, row: Row) -> Verdict:
        """``cost`` in this run's mode: by the letter a row of semantics, or of a profile, weighs one step less."""
        if self.mode == "letter" and row.verdict_profile in ("semantics", "profile"):
            return {Verdict.FAIL: Verdict.WARN, Verdict.WARN: Verdict.PASS}.get(cost, cost)
        return cost
