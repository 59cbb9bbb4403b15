"""Computes every verdict of a stored run again from its flows, with today's judges, for ``replay`` and ``verify``.

The run may come from a stranger.  Each unsupported verdict gives one sentence; nothing in the run makes this raise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

from harness.errors import EvidenceError
from harness.evidence.unasked import contradiction
from harness.model.axes import Axes
from harness.model.finding import Party, Ruled
from harness.model.flow import Flow
from harness.model.outcome import NOT_APPLICABLE, NOT_TESTED, SKIPPED
from harness.model.plan import Plan
from harness.model.verdict import Verdict
from harness.model.windows import WINDOWS
from harness.purposes.doing import doing_of
from harness.purposes.everywhere import Heard, overall
from harness.purposes.purpose import Purpose, applicable_rows
from harness.purposes.settle import assess, conclude, wants_another
from harness.purposes.strangers import redirects_strangers
from harness.purposes.troubles import left_out_told, troubles_text
from harness.requirements.catalogue import Catalogue
from harness.requirements.ruling import Ruling
from harness.store.stored_run import StoredRun
from harness.store.verdict_lines import RequirementLine, VerdictLine

_IDENTITY = ("vendor", "model", "firmware", "serial", "roles", "faults")
"""The fields of a device that both header and flow hold."""


@dataclass(frozen=True)
class Difference:
    """A record that is not supported by its evidence."""

    line: VerdictLine
    why: str
    """One sentence without its subject: ``stored pass, now fail: …``."""

    @property
    def sentence(self) -> str:
        """The whole sentence."""
        case = self.line.case
        return f"{case.purpose} ({case.where}): {self.why}"


@dataclass(frozen=True)
class Judged:
    """The result of judging a run again."""

    differences: tuple[Difference, ...]
    judged: int
    """The number of records judged again (the ones with flows)."""


def unjudged(run: StoredRun) -> str:
    """The number of records of ``run`` without a flow, which cannot be judged, in words; "" if there are none."""
    without = sum(line.tested and not line.evidence for line in run.records)
    counted = ((kind, sum(line.verdict == kind for line in run.records)) for kind in SKIPPED)
    parts = [f"{number} {kind.replace('_', ' ')}" for kind, number in counted if number]
    parts += [f"{without} without verdict"] if without else []
    return f" ({', '.join(parts)})" if parts else ""


class _Rejudge:
    """One run being judged again."""

    def __init__(self, run: StoredRun, catalogue: Catalogue, purposes: Mapping[str, Purpose]) -> None:
        self._run = run
        self._catalogue = catalogue
        self._purposes = purposes
        self._flows: dict[str, Flow | str] = {}
        self._as_drawn: dict[str, Purpose] = {}
        self._heard: dict[tuple[str, Axes], Heard] = {}
        """What was heard of a device at one point of the axes, read once."""
        self._repeat = run.header.repeat
        self.judged = 0

    @cached_property
    def _ruling(self) -> Ruling:
        return Ruling(self._run.header.ruling, self._run.header.strict)

    def differences(self) -> Iterator[Difference]:
        for line in self._run.records:
            try:
                why = self._difference(line)
            except Exception as error:
                # Forged flows may hold data that no judge expects.  They are no evidence, and must not crash.
                why = f"its evidence cannot be judged: {type(error).__name__}: {error!s:.160}"
            if why:
                yield Difference(line, why)

    def _difference(self, line: VerdictLine) -> str:
        purpose = self._purposes.get(line.purpose)
        if purpose is None:
            return f"stored {line.verdict}, now unknown: this suite has no such test"
        purpose = self._drawn(purpose)
        if purpose.everywhere and (here := self._heard_at(line)).flows:
            return self._everywhere(line, purpose, here)
        if not line.tested:
            device, window = self._run.devices.get(line.device), WINDOWS[self._run.header.window]
            return contradiction(line, purpose, device, self._catalogue, window)
        if not line.evidence:
            # Such a record can only be inconclusive, with a reason.
            unseen = line.verdict in ("inconclusive", "none") and not line.requirements
            return "" if unseen else f"stored {line.verdict}, but it has no flow"
        flows = [self._flow(flow) for flow in line.flows]
        if missing := [flow for flow in flows if isinstance(flow, str)]:
            return missing[0]
        read = [flow for flow in flows if isinstance(flow, Flow)]
        plans = purpose.plans_for(line.role)
        if foreign := [flow for flow in read if flow.plan not in plans]:
            return f"flow {foreign[0].id} is of another plan ({foreign[0].plan.title}) than the purpose's"
        if purpose.judges_each_flow and line.drives > 0:
            # A profile may lack what some of the plans need; the others are judged without them.
            first = [flow.plan for flow in read[: len(read) // line.drives]]
            plans = tuple(plan for plan in plans if plan in first or not _may_be_left_out(plan))
        if not plans or len(read) % len(plans):
            return f"it has {len(read)} flows; every drive makes {len(plans)}"
        drives = [read[start : start + len(plans)] for start in range(0, len(read), len(plans))]
        for drive in drives:
            for flow, plan in zip(drive, plans, strict=True):
                if why := self._foreign(line, flow):
                    return why
                if flow.plan != plan:
                    return f"flow {flow.id} is of another plan ({flow.plan.title}) than the purpose's ({plan.title})"
        return self._judge(line, purpose, drives)

    def _drawn(self, purpose: Purpose) -> Purpose:
        """``purpose`` with the plans that this run drew, made once."""
        if purpose.name not in self._as_drawn:
            self._as_drawn[purpose.name] = purpose.with_rounds(self._run.header.rounds)
        return self._as_drawn[purpose.name]

    def _judge(self, line: VerdictLine, purpose: Purpose, drives: Sequence[Sequence[Flow]]) -> str:
        self.judged += 1
        rows, why_not = applicable_rows(purpose, self._catalogue, line.case.axes, drives[0][0].device["pics"])
        if not rows:
            return f"stored {line.verdict}, now not applicable: {why_not}"
        rounds = [assess(purpose, rows, drive, self._catalogue, self._ruling) for drive in drives]
        wanted = self._repeat
        while self._repeat == 1 and wanted <= len(rounds) and wants_another(rounds[:wanted]):
            wanted += 1
        if len(drives) != line.drives:
            return f"it claims {line.drives} drives; its evidence shows {len(drives)}"
        if len(drives) != wanted:
            what = "the run repeats every case" if self._repeat > 1 else "a fail is confirmed by another drive"
            return f"its evidence shows {len(drives)} drives instead of {wanted}: {what}"
        now = conclude(rounds, self._repeat)
        if str(now.verdict) != line.verdict:
            return f"stored {line.verdict}, now {now.verdict}: {now.reason[:300]}"
        told = troubles_text(now.verdict, now.reason, len(drives), [flow for drive in drives for flow in drive])
        left_out = left_out_told(purpose, line.role, drives[0])
        whole = " - ".join(filter(None, (now.reason, told, left_out)))
        if differs := self._rows_differ(line, now.ruled):
            return differs
        doing = doing_of(now.verdict, now.ruled, len(drives), [flow for drive in drives for flow in drive])
        if line.doing != doing:
            return _other_doing(line, doing)
        return "" if line.reason == whole else f"reason: stored {line.reason!r:.160}, now {whole!r:.160}"

    def _heard_at(self, line: VerdictLine) -> Heard:
        """Every flow of the run that an invariant of this case is judged over."""
        of = (line.device, line.case.axes)
        if of not in self._heard:
            here = (one for one in self._run.records if (one.device, one.case.axes) == of)
            flows = map(self._flow, dict.fromkeys(flow for one in here for flow in one.flows))
            self._heard[of] = Heard(tuple(f for f in flows if isinstance(f, Flow) and not self._foreign(line, f)))
        return self._heard[of]

    def _everywhere(self, line: VerdictLine, purpose: Purpose, heard: Heard) -> str:
        self.judged += line.tested
        if missing := [flow for flow in map(self._flow, line.flows) if isinstance(flow, str)]:
            return missing[0]
        rows, why_not = applicable_rows(purpose, self._catalogue, line.case.axes, heard.flows[0].device["pics"])
        now = overall(purpose, rows, heard, self._catalogue, self._ruling)
        skipped = NOT_TESTED if rows else NOT_APPLICABLE
        verdict = skipped if now.verdict is Verdict.NONE else now.verdict.word
        reason = why_not or now.reason
        if verdict != line.verdict:
            return f"stored {line.verdict}, now {verdict}: {reason[:300]}"
        if now.verdict is not Verdict.NONE and now.flows != line.flows:
            return f"it rests on {len(line.flows)} flows; judged again, on {len(now.flows)}, or on others"
        if differs := self._rows_differ(line, now.ruled):
            return differs
        doing = doing_of(now.verdict, now.ruled, 1, [flow for flow in heard.flows if flow.id in now.flows])
        if line.doing != doing:
            return _other_doing(line, doing)
        return "" if line.reason == reason else f"reason: stored {line.reason!r:.160}, now {reason!r:.160}"

    def _rows_differ(self, line: VerdictLine, ruled_now: Sequence[Ruled]) -> str:
        found = {ruled.finding.requirement: RequirementLine.of(ruled) for ruled in ruled_now}
        if (stored := [row.id for row in line.requirements]) != list(found):
            return f"it speaks of {', '.join(stored) or 'nothing'}; judged again, of {', '.join(found)}"
        for row in line.requirements:
            for key in fields(row):
                was, is_now = getattr(row, key.name), getattr(found[row.id], key.name)
                if was != is_now:
                    return f"{row.id}: {key.name}: stored {was!r:.120}, now {is_now!r:.120}"
        return ""

    def _flow(self, identifier: str) -> Flow | str:
        """The flow, read once; a sentence if it cannot be read."""
        if identifier not in self._flows:
            try:
                flow = self._run.flow(identifier)
                named = flow.id == identifier
                self._flows[identifier] = flow if named else f"flows/{identifier}.json holds the flow {flow.id[:80]!r}"
            except EvidenceError as error:
                self._flows[identifier] = error.cause
        return self._flows[identifier]

    def _foreign(self, line: VerdictLine, flow: Flow) -> str:
        """Why ``flow`` is no evidence for ``line``: another device, role or window; "" if it is evidence."""
        header = self._run.header
        compared = (
            ("device", flow.device.get("name"), line.device),
            ("role", flow.role, line.role),
            ("transport", flow.transport, line.transport),
            ("family", flow.family, line.family),
            ("window", flow.watch.window.name, header.window),
            ("window", flow.watch.window.seconds, WINDOWS[header.window].seconds),
            ("window", line.window_s, flow.watch.window.seconds),
        )
        for what, has, wants in compared:
            if has != wants:
                return f"flow {flow.id} is of another {what} ({has!s:.80}) than the record or the run ({wants!s:.80})"
        device = self._run.devices.get(line.device)
        if device is None:
            return ""
        if flow.device.get("pics") != device.pics:
            return f"flow {flow.id} was driven with other PICS than the run's header says"
        for key in _IDENTITY:
            wants = getattr(device, key)
            has = flow.device.get(key, wants)
            if (tuple(has) if isinstance(has, list) else has) != wants:
                return f"flow {flow.id} is of a device with other {key} ({has!s:.80}) than the header's ({wants!s:.80})"
        return ""


def _other_doing(line: VerdictLine, now: Party) -> str:
    return f"whose doing it is: stored {line.doing or 'nobody'!r}, now {now or 'nobody'!r}"


def _may_be_left_out(plan: Plan) -> bool:
    """Whether ``plan`` needs something that a profile may lack."""
    return bool(plan.numbers or plan.bindings) or redirects_strangers(plan)


def rejudge(run: StoredRun, catalogue: Catalogue, purposes: Mapping[str, Purpose]) -> Judged:
    """Judge every record of ``run`` again."""
    work = _Rejudge(run, catalogue, purposes)
    return Judged(tuple(work.differences()), work.judged)
