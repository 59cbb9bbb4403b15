"""From all flows of a device to the verdict of an invariant.  Pure: the session and ``replay`` both use it.

A break is confirmed like any fail: the plan in which it was seen is driven again, and only what is seen in both drives
is a fail.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from harness.model.finding import Finding, Ruled
from harness.model.flow import Flow
from harness.model.plan import Plan
from harness.model.verdict import Verdict, combine
from harness.purposes.cut import despite_the_cut
from harness.purposes.evidence_check import no_evidence
from harness.purposes.line import FAILS, MOST_DRIVES, blamed, despite_the_line, line_of
from harness.purposes.purpose import Purpose
from harness.purposes.weather import despite_weather
from harness.requirements.catalogue import Catalogue
from harness.requirements.ruling import Ruling

NO_OCCASION = "no flow of this run gave an occasion"
"""Why an invariant was not tested."""
AT_ONCE = 3
"""How many plans are driven again in one round: one that breaks again is enough for a fail."""
AT_ONCE_ON_A_BAD_LINE = 12
"""The same on a line that loses packets, where each plan has something that may be the line's doing."""


@dataclass(frozen=True)
class Overall:
    """What all flows say of an invariant."""

    ruled: tuple[Ruled, ...]
    """One for each requirement that had an occasion."""
    flows: tuple[str, ...]
    """What the verdict rests on: the ids of the flows that gave an occasion, and of all that were driven again."""
    again: tuple[Plan, ...] = ()
    """The plans that are to be driven once more before a fail is one."""

    @property
    def verdict(self) -> Verdict:
        """The worst of its requirements; NONE if nothing gave an occasion."""
        return combine(ruled.verdict for ruled in self.ruled)

    @property
    def reason(self) -> str:
        """One line: the reason of the worst requirement."""
        worst = max(self.ruled, key=lambda ruled: ruled.verdict, default=None)
        return worst.reason if worst else NO_OCCASION


@dataclass(frozen=True)
class Heard:
    """All flows of one device at one point of the axes, in whatever order, and what all invariants need of them."""

    flows: tuple[Flow, ...]

    @cached_property
    def sound(self) -> tuple[Flow, ...]:
        """Those that are evidence, by their ids.

        Invariants speak of a network that is honest; what is due after an odd response, its own purpose says.
        """
        judged = (one for one in self.flows if one.loss is None and not one.plan.oddities and not no_evidence(one))
        return tuple(sorted(judged, key=lambda flow: flow.id))

    @cached_property
    def drives(self) -> Mapping[Plan, Sequence[str]]:
        """The sound flows of each plan."""
        drives: dict[Plan, list[str]] = {}
        for flow in self.sound:
            drives.setdefault(flow.plan, []).append(flow.id)
        return drives

    @cached_property
    def driven(self) -> Mapping[Plan, int]:
        """How often each plan was driven: also where the device was lost, which confirms nothing."""
        return Counter(flow.plan for flow in self.flows)

    @cached_property
    def repeated(self) -> frozenset[str]:
        """The flows that were driven again."""
        return frozenset(identifier for ids in self.drives.values() for identifier in ids[1:])


@dataclass(frozen=True)
class _Said:
    flow: Flow
    ruled: Ruled


def overall(
    invariant: Purpose,
    rows: Sequence[str],
    heard: Heard,
    catalogue: Catalogue,
    ruling: Ruling,
    *,
    final: bool = True,
) -> Overall:
    """Judge all that was heard of a device.

    ``final``: nothing is driven again any more, so a break that was seen in one drive alone is no fail.
    """
    said: dict[str, list[_Said]] = {row: [] for row in rows}
    for flow in heard.sound:
        findings = despite_the_cut(despite_weather(invariant.says_of(flow, rows), [flow]), [flow])
        for finding in despite_the_line(findings, [flow]):
            ruled = ruling.rule(finding, catalogue[finding.requirement], flow.device["pics"])
            said[finding.requirement].append(_Said(flow, ruled))
    rows_said = [_of_row(of_row, heard, final=final) for of_row in said.values() if of_row]
    outcomes = [(ruled, plans) for ruled, plans in rows_said if ruled is not None]
    there = {one.flow.id for of_row in said.values() for one in of_row} | heard.repeated
    again = dict.fromkeys(plan for _, plans in outcomes for plan in plans)
    return Overall(
        tuple(ruled for ruled, _ in outcomes),
        tuple(flow.id for flow in heard.sound if flow.id in there),
        tuple(again)[: AT_ONCE_ON_A_BAD_LINE if line_of(heard.sound) else AT_ONCE],
    )


def _of_row(said: Sequence[_Said], heard: Heard, *, final: bool) -> tuple[Ruled | None, tuple[Plan, ...]]:
    """What all flows say of one requirement, and the plans that may confirm a fail; None: there was no occasion."""
    said, again = _asked_again(said, heard.drives)
    if not said:
        return None, ()
    if again and not final:
        worst = max(said, key=lambda one: one.ruled.verdict)
        return _counted(worst.ruled, said), again
    fails = [one for one in said if one.ruled.verdict is Verdict.FAIL]
    worst = max(said, key=lambda one: (one.ruled.verdict, one.ruled.finding.outcome == "violated"))
    if not fails:
        return _counted(worst.ruled, said), ()
    for first in fails:
        if _repeated(first, fails):
            return _counted(first.ruled, said), ()
    wanted = FAILS if line_of(one.flow for one in fails) else 2
    once = tuple(dict.fromkeys(one.flow.plan for one in fails if heard.driven[one.flow.plan] < wanted))
    if once and not final:
        return _counted(fails[0].ruled, said), once
    finding = fails[0].ruled.finding
    reason = f"not repeatable: {finding.actual} in flow {finding.flow}, and not in another drive of its plan"
    reason += blamed(fails[0].flow.line)
    unseen = dataclasses.replace(finding, outcome="unseen", actual=reason)
    return Ruled(unseen, fails[0].ruled.level, Verdict.INCONCLUSIVE, reason), ()


def _repeated(first: _Said, fails: Iterable[_Said]) -> bool:
    """Whether another drive of the same plan shows the same defect; two others, on a line that loses packets."""
    same = {
        one.flow.id
        for one in fails
        if one.flow.plan == first.flow.plan and one.ruled.finding.code == first.ruled.finding.code
    }
    return len(same) >= (FAILS if first.flow.line else 2)


def _asked_again(
    said: Sequence[_Said], drives: Mapping[Plan, Sequence[str]]
) -> tuple[Sequence[_Said], tuple[Plan, ...]]:
    """``said`` without what a lost packet may have done and another drive of the plan does not show; plans to drive.

    An invariant has nothing to say of a flow without an occasion, so what is unseen in one is the line's doing.
    """
    if all(one.flow.line is None for one in said):
        return said, ()
    wrong: dict[Plan, set[str]] = {}
    for one in said:
        if one.flow.line is not None and one.ruled.finding.outcome == "unseen":
            wrong.setdefault(one.flow.plan, set()).add(one.flow.id)
    broken = {one.flow.id for one in said if one.ruled.finding.outcome == "violated"}
    cleared = {plan for plan, flows in wrong.items() if set(drives[plan]) - flows - broken}
    again = tuple(plan for plan in wrong if plan not in cleared and len(drives[plan]) < MOST_DRIVES)
    kept = [one for one in said if not (one.flow.plan in cleared and one.flow.id in wrong[one.flow.plan])]
    return kept, again


def _counted(ruled: Ruled, said: Sequence[_Said]) -> Ruled:
    """``ruled``, whose reason says how often, and in how many flows."""
    flows = len({one.flow.id for one in said})
    same = [one for one in said if _same(one.ruled.finding, ruled.finding)]
    if ruled.finding.outcome == "satisfied":
        held = sum(one.ruled.finding.outcome == "satisfied" for one in said)
        reason = f"as required {_times(held)} in {flows} {_flows(flows)}"
    else:
        broken = len({one.flow.id for one in same})
        times = f", {_times(len(same))}" if len(same) > broken else ""
        reason = f"{ruled.finding.actual} (in {broken} of {flows} {_flows(flows)}{times})"
    return dataclasses.replace(ruled, reason=reason)


def _same(one: Finding, other: Finding) -> bool:
    return (one.outcome, one.code) == (other.outcome, other.code)


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _flows(number: int) -> str:
    return "flow" if number == 1 else "flows"
