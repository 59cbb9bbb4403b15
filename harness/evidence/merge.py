"""One whole run made of a stored run and of a later one that repeats the cases that had not passed.

Both stay as they are.  The merged run has the flows of both, so anybody can judge it again.  Invariants speak of all
flows of a run: they are judged anew, over what the merged one has.  Equal plans are driven once, so a plan that was
driven again takes the place of its old drives wherever a verdict rested on them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Final

from harness.judge.glimpses import Glimpse, glimpses
from harness.judge.observed import observe
from harness.model.axes import Axes
from harness.model.finding import Record, Ruled
from harness.model.flow import Flow
from harness.model.outcome import NOT_TESTED
from harness.model.plan import Plan
from harness.model.verdict import Verdict
from harness.model.windows import WINDOWS
from harness.purposes.doing import doing_of
from harness.purposes.everywhere import Heard, overall
from harness.purposes.purpose import Purpose, applicable_rows
from harness.purposes.settle import Assessment, assess, conclude, wants_another
from harness.purposes.troubles import left_out_told, troubles_text
from harness.requirements.catalogue import Catalogue
from harness.requirements.ruling import Ruling
from harness.store.codec import dump, load
from harness.store.folder import RunFolder
from harness.store.stored_run import StoredRun
from harness.store.stream import VerdictStream
from harness.store.verdict_lines import Compared, Declared, Gated, Header, LostLine, VerdictLine

_SAME: Final = ("suite_digest", "sipp", "window", "ruling", "strict", "repeat", "weather", "rounds")
_SAME_OF_DEVICE: Final = ("vendor", "model", "firmware", "serial", "pics", "pixit", "faults")
_Place = tuple[str, Axes]
"""A device, and a point of the axes."""
Closing = Callable[[Header, Sequence[VerdictLine], Sequence[LostLine]], tuple[Compared | None, Gated | None]]
"""What the footer of a merged run says of expectations and of a gate."""


def why_apart(before: StoredRun, again: StoredRun) -> str:
    """Why the verdicts of two runs cannot stand in one; "" if they can."""
    if again.footer is None:
        return "the repetition was cut off"
    for key in _SAME:
        if (old := getattr(before.header, key)) != (new := getattr(again.header, key)):
            return f"{key.replace('_', ' ')} was {str(old)[:40]!r}, and is {str(new)[:40]!r}"
    for name, device in again.devices.items():
        if differs := _differs(before.devices.get(name), device):
            return f"{name} has another {differs} than in that run: a device that was changed is tested as a whole"
    there = {line.case for line in (*before.records, *again.records)}
    if strange := [line.case for line in again.records if line.case not in before.header.cases]:
        return f"{strange[0]} was no part of that run"
    if missing := [case for case in before.header.cases if case not in there]:
        return f"{len(missing)} of its tests have no verdict yet, {missing[0]} among them"
    return ""


def merge(
    before: StoredRun,
    again: StoredRun,
    folder: RunFolder,
    catalogue: Catalogue,
    purposes: Mapping[str, Purpose],
    closing: Closing,
) -> None:
    """Write the run that is ``before`` with the verdicts of ``again`` into ``folder``; SetupError: the disk."""
    made = _Merge(before, again, catalogue, purposes)
    lines = made.lines()
    header = replace(
        before.header,
        run=folder.name,
        again=before.header.run,
        repeated=tuple(case for case in before.header.cases if case in made.repeated),
        host=again.header.host,
    )
    used = {flow for line in lines for flow in line.flows}
    flows = [flow for flow in made.flows.values() if flow.id in used]
    for flow in flows:
        folder.write_flow(flow)
    stream = VerdictStream(folder.verdicts, header)
    for line in lines:
        stream.write(line)
    pics = [one for device in header.devices for one in observe(device.name, device.pics, _glimpses(device, flows))]
    losses = [
        *(before.footer.losses if before.footer else ()),
        *(
            replace(one, flow=made.names.get(one.flow, one.flow))
            for one in (again.footer.losses if again.footer else ())
        ),
    ]
    told = (*(before.footer.conditions if before.footer else ()), *(again.footer.conditions if again.footer else ()))
    expected, gate = closing(header, lines, losses)
    stream.close(pics, expected, gate, losses, tuple(dict.fromkeys(told)))


class _Merge:
    """The lines and flows of two runs in one."""

    def __init__(
        self, before: StoredRun, again: StoredRun, catalogue: Catalogue, purposes: Mapping[str, Purpose]
    ) -> None:
        self._before, self._catalogue = before, catalogue
        self._purposes = {name: one.with_rounds(before.header.rounds) for name, one in purposes.items()}
        self._ruling = Ruling(before.header.ruling, before.header.strict)
        self.names = _new_names(before, again)
        self._again = {line.case: _renamed(line, self.names) for line in again.records}
        self.repeated = set(self._again)
        """The cases whose verdicts rest on the repetition."""
        self.flows = {flow.id: flow for flow in _flows(before, again, self.names)}
        self._fresh: dict[_Place, dict[Plan, list[Flow]]] = {}
        """The plans that were driven again, and their new flows in order."""
        for line in self._again.values():
            for flow in () if self._is_everywhere(line) else map(self.flows.__getitem__, line.flows):
                drives = self._fresh.setdefault(_place(line), {}).setdefault(flow.plan, [])
                drives += [] if flow in drives else [flow]

    def lines(self) -> list[VerdictLine]:
        """One for each case of the first run, in its order."""
        lines = {line.case: line for line in self._before.records} | self._again
        for case, line in lines.items():
            if case not in self._again and not self._is_everywhere(line) and (other := self._on_fresh_flows(line)):
                lines[case] = other
                self.repeated.add(case)
        rest = [line for line in lines.values() if not self._is_everywhere(line)]
        kept = {flow for line in rest for flow in line.flows}
        for case, line in lines.items():
            if self._is_everywhere(line):
                lines[case] = self._over_all(line, [one for one in lines.values() if _place(one) == _place(line)], kept)
        return [lines[case] for case in self._before.header.cases]

    def _is_everywhere(self, line: VerdictLine) -> bool:
        purpose = self._purposes.get(line.purpose)
        return purpose is not None and purpose.everywhere

    def _on_fresh_flows(self, line: VerdictLine) -> VerdictLine | None:
        """``line`` judged on the new flows of those of its plans that were driven again for another case.

        None if there are none; or if they leave the verdict open: a fail that nothing confirms.
        """
        purpose, fresh = self._purposes.get(line.purpose), self._fresh.get(_place(line), {})
        old = [self.flows[flow] for flow in line.flows]
        plans = [flow.plan for flow in old[: len(old) // line.drives]] if line.drives else []
        if purpose is None or self._before.header.repeat > 1 or not fresh.keys() & set(plans):
            return None
        drives: list[list[Flow]] = []
        rounds: list[Assessment] = []
        rows = applicable_rows(purpose, self._catalogue, line.case.axes, old[0].device["pics"])[0]
        while not rounds or wants_another(rounds):
            at = len(rounds)
            drive = [
                flow for n, plan in enumerate(plans) for flow in fresh.get(plan, old[n :: len(plans)])[at : at + 1]
            ]
            if len(drive) < len(plans) or not rows:
                return None
            drives.append(drive)
            rounds.append(assess(purpose, rows, drive, self._catalogue, self._ruling))
        now, flows = conclude(rounds), [flow for drive in drives for flow in drive]
        told = troubles_text(now.verdict, now.reason, len(drives), flows)
        reason = " - ".join(filter(None, (now.reason, told, left_out_told(purpose, line.role, drives[0]))))
        return self._line(line, now.verdict, reason, now.ruled, len(drives), flows)

    def _over_all(self, line: VerdictLine, here: Sequence[VerdictLine], kept: Set[str]) -> VerdictLine:
        """``line`` of an invariant, judged over the flows that the lines ``here`` rest on.

        A drive that was made again speaks no longer, unless another verdict rests on it (``kept``).
        """
        purpose, fresh = self._purposes[line.purpose], self._fresh.get(_place(line), {})
        ids = dict.fromkeys(flow for one in here for flow in one.flows)
        new = {flow.id for drives in fresh.values() for flow in drives}
        heard = Heard(tuple(self.flows[one] for one in ids if one in kept | new or self.flows[one].plan not in fresh))
        pics = heard.flows[0].device["pics"] if heard.flows else {}
        rows = applicable_rows(purpose, self._catalogue, line.case.axes, pics)[0] if pics else ()
        if not rows:
            return line
        now = overall(purpose, rows, heard, self._catalogue, self._ruling)
        on = [flow for flow in heard.flows if flow.id in now.flows]
        return self._line(line, now.verdict, now.reason, now.ruled, 1, on, now.flows)

    def _line(
        self,
        line: VerdictLine,
        verdict: Verdict,
        reason: str,
        ruled: tuple[Ruled, ...],
        drives: int,
        flows: Sequence[Flow],
        evidence: Iterable[str] = (),
    ) -> VerdictLine:
        return VerdictLine.of(
            Record(
                purpose=line.purpose,
                device=line.device,
                role=line.role,
                transport=line.transport,
                family=line.family,
                verdict=verdict,
                skipped=NOT_TESTED if verdict is Verdict.NONE else None,
                reason=reason,
                requirements=ruled,
                window_s=WINDOWS[self._before.header.window].seconds,
                drives=drives,
                evidence=tuple(evidence) or tuple(flow.id for flow in flows),
                doing=doing_of(verdict, ruled, drives, flows),
            )
        )


def _differs(old: Declared | None, new: Declared) -> str:
    if old is None:
        return "name"
    return next((key for key in _SAME_OF_DEVICE if getattr(old, key) != getattr(new, key)), "")


def _new_names(before: StoredRun, again: StoredRun) -> dict[str, str]:
    """New ids for the flows of ``again`` that are called like flows of ``before``."""
    taken, names = {*before.evidence, *again.evidence}, {}
    for flow in set(before.evidence) & set(again.evidence):
        number = next(number for number in range(2, len(taken) + 3) if f"{flow}.{number}" not in taken)
        names[flow] = f"{flow}.{number}"
        taken.add(names[flow])
    return names


def _renamed(line: VerdictLine, names: Mapping[str, str]) -> VerdictLine:
    """``line`` with the new ids wherever it speaks of a flow: its evidence, and in sentences."""
    if not names:
        return line
    longest = sorted(map(re.escape, names), key=len, reverse=True)
    whole = re.compile(rf"(?<![\w-])({'|'.join(longest)})(?!-again|\.\d|[\w-])")
    text = whole.sub(lambda found: names[found[1]], dump(line).decode())
    return load(VerdictLine, text.encode(), str(line.case))


def _flows(before: StoredRun, again: StoredRun, names: Mapping[str, str]) -> Iterator[Flow]:
    """All flows of both, those of ``again`` by their new names."""
    yield from map(before.flow, before.evidence)
    for flow in map(again.flow, again.evidence):
        controls = tuple(replace(one, flow=names.get(one.flow, one.flow)) for one in flow.controls)
        yield replace(flow, id=names.get(flow.id, flow.id), controls=controls)


def _place(line: VerdictLine) -> _Place:
    return line.device, line.case.axes


def _glimpses(device: Declared, flows: Iterable[Flow]) -> dict[str, Mapping[str, Glimpse]]:
    return {flow.id: glimpses(flow) for flow in flows if flow.device.get("name") == device.name}
