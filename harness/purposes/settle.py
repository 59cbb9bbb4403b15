"""From flows to the verdict of a case: judge, rule, and confirm.  Pure: the session and ``replay`` both use it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from harness.judge.answers import asked
from harness.judge.copies import RACED
from harness.judge.say import unseen
from harness.judge.silence import NO_CONTROL
from harness.model.finding import Finding, Ruled
from harness.model.flow import Flow
from harness.model.line import Line
from harness.model.plan import Plan
from harness.model.verdict import Verdict, combine
from harness.purposes.cut import despite_the_cut
from harness.purposes.evidence_check import no_evidence, spoilt
from harness.purposes.line import FAILS, MOST_DRIVES, blamed, despite_the_line, line_of
from harness.purposes.loss import of_loss
from harness.purposes.purpose import Purpose, rule_all
from harness.purposes.weather import despite_weather, weathered
from harness.requirements.catalogue import Catalogue
from harness.requirements.ruling import Ruling


@dataclass(frozen=True)
class Assessment:
    """What one round of flows says of a case."""

    ruled: tuple[Ruled, ...]
    verdict: Verdict
    disturbed: bool = False
    """In one of the flows something kept the drive from being what the plan wanted: a busy machine, for one."""

    lost: bool = False
    """In one of the flows the device was lost: there is nothing to drive once more."""
    fails: tuple[tuple[Plan, Ruled], ...] = ()
    """Every fail with the plan that shows it, where each plan is judged by itself."""
    line: Line | None = None
    """The line that it was judged on, if packets get lost there."""

    @property
    def counts(self) -> bool:
        """Whether it says something; what a disturbance kept us from seeing is looked for again."""
        return not (self.disturbed and self.verdict is Verdict.INCONCLUSIVE)

    @property
    def reason(self) -> str:
        """One line: the reason of the worst requirement."""
        worst = max(self.ruled, key=lambda ruled: ruled.verdict, default=None)
        return worst.reason if worst else "the purpose came to no verdict"


def assess(
    purpose: Purpose, rows: Sequence[str], flows: Sequence[Flow], catalogue: Catalogue, ruling: Ruling
) -> Assessment:
    """Judge ``flows`` (one per plan of ``purpose``) and rule the findings about ``rows``.

    A flow that is no evidence at all shows nothing: then all of ``rows`` are inconclusive.
    """
    pics = flows[0].device["pics"]
    if any(flow.loss for flow in flows):
        findings = list(of_loss(flows, rows))
    elif wrong := next(filter(None, map(no_evidence, flows)), ""):
        findings = [unseen(wrong, requirement=row) for row in rows]
    else:
        findings = _findings(purpose, rows, flows)
    ruled, verdict = rule_all(findings, catalogue, ruling, pics)
    fails = _fails(purpose, rows, flows, catalogue, ruling) if verdict is Verdict.FAIL else ()
    # What a loss was followed by has been driven already, and a device is not killed once more to confirm it.
    lost = any(flow.loss for flow in flows)
    line = line_of(flows)
    raced = any(one.finding.code == RACED and one.verdict is Verdict.INCONCLUSIVE for one in ruled)
    disturbed = (bool(line) or raced or any(map(_disturbed, flows))) and not lost
    return Assessment(ruled, verdict, disturbed, lost, fails, line)


def _findings(purpose: Purpose, rows: Sequence[str], flows: Sequence[Flow]) -> list[Finding]:
    """What the judge says, less what lost packets and messages that were not kept may explain."""
    findings = despite_the_cut(despite_weather(purpose.findings(flows, rows), flows), flows)
    return list(despite_the_line(findings, flows))


def _fails(
    purpose: Purpose, rows: Sequence[str], flows: Sequence[Flow], catalogue: Catalogue, ruling: Ruling
) -> tuple[tuple[Plan, Ruled], ...]:
    """Every fail with its plan; nothing where the judge looks at all flows together, or the device was lost."""
    if not purpose.judges_each_flow or any(flow.loss for flow in flows):
        return ()
    found = []
    for flow in flows:
        for finding in _findings(purpose, rows, [flow]):
            ruled = ruling.rule(finding, catalogue[finding.requirement], flow.device["pics"])
            if ruled.verdict is Verdict.FAIL:
                found.append((flow.plan, ruled))
    return tuple(found)


def _disturbed(flow: Flow) -> bool:
    watch = flow.watch
    cut = flow.plan.watched and watch.closed_at - (watch.opened_at or watch.closed_at) < watch.window.seconds
    return (
        bool(flow.troubles or spoilt(flow))
        or weathered(flow)
        or cut
        or (flow.plan.watched and flow.life is None)
        or _asked_twice(flow)
    )


def _asked_twice(flow: Flow) -> bool:
    """Whether a caller had to repeat its request before anything came of it: the machine, or the device, was slow."""
    return any(
        one.copies and (not one.responses or one.copies[0].number < one.responses[0].number) for one in asked(flow)
    )


def lacks_control(assessment: Assessment) -> bool:
    """Whether something is inconclusive only because the device was not seen, so far, to reach a place of its kind."""
    return any(ruled.finding.code == NO_CONTROL for ruled in assessment.ruled)


def wants_another(rounds: Sequence[Assessment]) -> bool:
    """Whether a case is driven once more after these rounds: a fail is confirmed, a disturbed round made good, once."""
    if rounds[-1].lost:
        return False
    if any(one.line for one in rounds):
        return len(rounds) < MOST_DRIVES and not _decided_despite_the_line(rounds)
    if len(rounds) == 1:
        return rounds[0].verdict is Verdict.FAIL or not rounds[0].counts
    return len(rounds) == 2 and rounds[0].verdict is not Verdict.FAIL and rounds[1].verdict is Verdict.FAIL


def confirm(first: Assessment, second: Assessment) -> Assessment:
    """Two fails are a fail; one of two is inconclusive, "not repeatable".

    Where each plan is judged by itself, the two are of one plan and one defect.
    """
    again = {ruled.finding.requirement: ruled for ruled in second.ruled}
    known = {(plan, ruled.finding.requirement, ruled.finding.code) for plan, ruled in second.fails}
    merged = []
    for ruled in first.ruled:
        row, other = ruled.finding.requirement, again.get(ruled.finding.requirement)
        fails = [(plan, one) for plan, one in first.fails if one.finding.requirement == row]
        same = [one for plan, one in fails if (plan, row, one.finding.code) in known]
        if fails and same:
            merged.append(same[0])
        elif fails and other is not None and other.verdict is Verdict.FAIL:
            merged.append(_not_repeatable(ruled, f"this did not happen, but: {other.reason}"))
        else:
            merged.append(_confirmed(ruled, other))
    return Assessment(tuple(merged), combine(ruled.verdict for ruled in merged))


def conclude(rounds: Sequence[Assessment], repeat: int = 1) -> Assessment:
    """What the rounds of a case amount to, in the order in which they were driven.

    ``repeat`` is how often the run drove every case.  1: a further round confirms the one before or, where a
    disturbance made that inconclusive, stands in its place.
    """
    if repeat > 1:
        return _agreed(rounds)
    if any(one.line for one in rounds):
        return _despite_the_line(rounds)
    counted = rounds[1:] if len(rounds) > 1 and rounds[0].verdict is not Verdict.FAIL else rounds
    return confirm(counted[0], counted[1]) if len(counted) > 1 else counted[0]


def _decided_despite_the_line(rounds: Sequence[Assessment]) -> bool:
    """Whether a round saw that nothing is wrong, or enough of them that something is."""
    fails = sum(one.verdict is Verdict.FAIL for one in rounds)
    return fails >= FAILS or any(one.counts and one.verdict is not Verdict.FAIL for one in rounds)


def _despite_the_line(rounds: Sequence[Assessment]) -> Assessment:
    """What the rounds amount to on a line that loses packets: what it made inconclusive does not count."""
    fails = [one for one in rounds if one.verdict is Verdict.FAIL]
    others = [one for one in rounds if one.counts and one.verdict is not Verdict.FAIL]
    line = next(filter(None, (one.line for one in rounds)))
    if fails and others:
        return _blaming(line, confirm(fails[0], others[0]))
    if others:
        return others[0]
    unclear = [one for one in rounds if one.verdict is not Verdict.FAIL]
    if len(fails) >= FAILS:
        return confirm(confirm(fails[0], fails[1]), fails[2])
    return unclear[-1] if unclear else _blaming(line, fails[0])


def _blaming(line: Line, one: Assessment) -> Assessment:
    """``one``, in which a fail that was not seen often enough on this line is none, and what is unclear names it."""
    doubted = tuple(
        dataclasses.replace(
            ruled,
            verdict=Verdict.INCONCLUSIVE,
            finding=dataclasses.replace(ruled.finding, outcome="unseen"),
            reason=(ruled.reason or ruled.finding.actual) + blamed(line),
        )
        if ruled.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE)
        else ruled
        for ruled in one.ruled
    )
    return Assessment(doubted, combine(ruled.verdict for ruled in doubted))


def _agreed(rounds: Sequence[Assessment]) -> Assessment:
    """What all rounds say; a requirement about which they differ is inconclusive, "flaky".

    A round that a disturbance made inconclusive does not count beside one that saw something.
    """
    counted = [one for one in rounds if one.counts] or list(rounds)
    by_row: dict[str, list[Ruled]] = {}
    for ruled in (ruled for one in counted for ruled in one.ruled):
        by_row.setdefault(ruled.finding.requirement, []).append(ruled)
    merged = tuple(_agreed_about(ruled, len(counted)) for ruled in by_row.values())
    return Assessment(merged, combine(ruled.verdict for ruled in merged))


def _agreed_about(said: Sequence[Ruled], rounds: int) -> Ruled:
    verdicts = [ruled.verdict for ruled in said] + [Verdict.NONE] * (rounds - len(said))
    worst = max(said, key=lambda ruled: ruled.verdict)
    if len(set(verdicts)) == 1:
        return worst
    counts = ", ".join(f"{verdicts.count(one)} {one}" for one in sorted(set(verdicts), reverse=True))
    reason = f"flaky: {counts} in {rounds} drives; {worst.verdict}: {worst.finding.actual}"
    finding = dataclasses.replace(worst.finding, outcome="unseen", actual=reason)
    return Ruled(finding, worst.level, Verdict.INCONCLUSIVE, reason)


def _confirmed(first: Ruled, second: Ruled | None) -> Ruled:
    verdicts = {first.verdict, second.verdict if second else Verdict.NONE}
    if Verdict.FAIL not in verdicts:
        return first if second is None or first.verdict >= second.verdict else second
    if verdicts == {Verdict.FAIL}:
        return first
    failed = first if first.verdict is Verdict.FAIL else second
    other = second if first.verdict is Verdict.FAIL else first
    if failed is None or other is None:
        return first
    return _not_repeatable(failed, other.reason or str(other.verdict))


def _not_repeatable(failed: Ruled, other: str) -> Ruled:
    reason = f"not repeatable: {failed.finding.actual}; in the other of two drives: {other}"
    finding: Finding = dataclasses.replace(failed.finding, outcome="unseen", actual=reason)
    return Ruled(finding, failed.level, Verdict.INCONCLUSIVE, reason)
