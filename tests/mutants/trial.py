"""One mutant before the suite: in which parts it is driven, and what becomes of it."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from harness.model.verdict import Verdict
from harness.store.record import RECORD
from tests.mutants import device
from tests.mutants.compare import Difference, Forms, certain, differences, forms_of, repeated
from tests.mutants.mutant import Mutant
from tests.mutants.original import Original, Originals, verdict_of
from tests.mutants.roles import PARTS, Part
from tests.mutants.runs import Asked, Finished, Record, Turns

Outcome = Literal[
    "caught", "warned", "inconclusive", "gap", "equivalent", "lawful", "false alarm", "unusable", "not executed"
]
"""``caught``: a case failed.  ``gap``: the wire differs and every case passed.  ``lawful``: so it does, rightly.
``false alarm``: a case failed although the mutant is lawful.  ``unusable``: not even a plain call could be made in some
role, and the others show nothing.  ``not executed``: no role executes the line."""

UNDECIDED: Final[tuple[Outcome, ...]] = ("inconclusive", "gap")
"""What another look at the suite may turn into ``caught``."""


FURTHER_RUNS: Final = 4
"""How often a device is driven again at most, to tell what it does from what the machine does."""


@dataclass(frozen=True)
class Result:
    """What became of a mutant."""

    id: str
    outcome: Outcome
    operator: str
    file: str
    line: int
    diff: str
    parts: tuple[str, ...] = ()
    """Where it was driven."""
    windows: tuple[str, ...] = ()
    seconds: float = 0.0
    part: str = ""
    """Where it was caught, or first differed."""
    purpose: str = ""
    """What caught it."""
    reason: str = ""
    """What the purpose says, or why the mutant is lawful."""
    difference: str = ""
    """The first message that the unchanged device does not send, or sends elsewhere or at another time."""
    flow: str = ""
    """The stored flow that shows it."""
    differing_plans: int = 0


@dataclass
class _Seen:
    """What all runs of one mutant have shown."""

    warned: tuple[Part, Record] | None = None
    inconclusive: tuple[Part, str] | None = None
    found: list[tuple[Part, Difference]] = field(default_factory=list)
    unusable: list[Part] = field(default_factory=list)
    flow: Path | None = None


@dataclass(frozen=True)
class Court:
    """What mutants are tried with."""

    originals: Originals
    lawful: Mapping[str, str]
    turns: Turns
    evidence: Path
    """Where the flow of a survivor is kept that shows what it does."""
    windows: Sequence[str] = ("quick",)
    parts: Sequence[Part] = PARTS
    suite: Sequence[str] = ()

    async def tried(self, mutant: Mutant, source: str) -> Result:
        """Drive the mutant until a case fails or warns, in the cheap parts first."""
        began = time.monotonic()
        parts = await self.originals.parts_of(mutant, self.parts)
        if not parts:
            return self._result(mutant, source, "not executed")
        with tempfile.TemporaryDirectory(prefix="sipverdict-mutant-") as name:
            work, seen = Path(name), _Seen()
            profile = device.mutated(mutant, work)
            driven: list[str] = []
            for window in self.windows:
                for part in parts:
                    driven += [str(part)] if str(part) not in driven else []
                    failed = await self._drive(Asked(part, profile, window, self.suite, stop_at_fail=True), work, seen)
                    if failed is None and seen.warned is None:
                        continue
                    where, record = (part, failed) if failed else seen.warned or (part, {})
                    outcome: Outcome = "caught" if failed else "warned"
                    if failed and mutant.id in self.lawful:
                        outcome = "false alarm"
                    return self._result(
                        *(mutant, source, outcome),
                        parts=tuple(driven),
                        windows=tuple(self.windows[: self.windows.index(window) + 1]),
                        seconds=round(time.monotonic() - began, 1),
                        part=str(where),
                        purpose=str(record["purpose"]),
                        reason=str(record["reason"]),
                    )
            return self._survivor(mutant, source, seen, parts, round(time.monotonic() - began, 1))

    async def _drive(self, asked: Asked, work: Path, seen: _Seen) -> Record | None:
        """Drive it in one part; the record that fails, if one does."""
        part, original = asked.part, await self.originals.of(asked.part, asked.window)
        done = await self._run(asked, work / "first")
        unclear, found = "", list[Difference]()
        if not _against(done, original):
            forms = forms_of(done.flows())
            unclear, found = _unclear(done, original, forms), differences(forms, original.forms)
            latest = forms
            # A busy machine does some of this, too: only what further runs show as well is the mutant's.
            for number in range(0 if _is_unusable(done) else FURTHER_RUNS):
                if not _wants_another(number, unclear, found):
                    break
                further = await self._run(asked, work / "further")
                if _against(further, original):
                    done = further
                    break
                latest = forms_of(further.flows())
                unclear = unclear and _unclear(further, original, latest)
                found = found if certain(found) else repeated(found, differences(latest, original.forms))
            if found and not any(difference.kind == "messages" for difference in found):
                # The machine may be busier, or less busy, than when the unchanged device was driven.
                beside = await self.originals.now(part, asked.window, work / "unchanged")
                found = repeated(found, differences(latest, beside.forms))
        if against := _against(done, original):
            if verdict_of(against) is Verdict.FAIL:
                return against
            seen.warned = part, against
            return None
        if _is_unusable(done):
            seen.unusable.append(part)
        elif unclear and not seen.inconclusive:
            seen.inconclusive = part, unclear
        if found and not seen.found:
            seen.flow = self._kept(done, found[0])
        seen.found += ((part, difference) for difference in found)
        return None

    async def _run(self, asked: Asked, out: Path) -> Finished:
        shutil.rmtree(out, ignore_errors=True)
        return await self.turns.run(asked, out)

    def _kept(self, done: Finished, difference: Difference) -> Path:
        self.evidence.mkdir(parents=True, exist_ok=True)
        stored = done.folder / "flows" / f"{difference.flow}.json"
        kept = self.evidence / f"{time.time_ns()}-{stored.name}"
        shutil.copy2(stored.with_suffix(RECORD), kept.with_suffix(RECORD))
        return Path(shutil.copy2(stored, kept))

    def _survivor(self, mutant: Mutant, source: str, seen: _Seen, parts: Sequence[Part], seconds: float) -> Result:
        part, difference = seen.found[0] if seen.found else (None, None)
        reason = seen.inconclusive[1] if seen.inconclusive else ""
        outcome: Outcome = "equivalent"
        if seen.unusable and not (difference or seen.inconclusive):
            outcome = "unusable"
        elif mutant.id in self.lawful and difference:
            outcome, reason = "lawful", self.lawful[mutant.id]
        elif seen.inconclusive and difference:
            outcome = "inconclusive"
        elif difference:
            outcome = "gap"
        return self._result(
            *(mutant, source, outcome),
            parts=tuple(map(str, parts)),
            windows=tuple(self.windows),
            seconds=seconds,
            part=str(part or (seen.inconclusive or ("",))[0]),
            reason=reason,
            difference=f"at {difference.seat}, {difference.kind}:\n{difference.text}" if difference else "",
            flow=str(seen.flow or ""),
            differing_plans=len({(part, one.plan) for part, one in seen.found}),
        )

    def _result(self, mutant: Mutant, source: str, outcome: Outcome, **more: object) -> Result:
        return Result(
            *(mutant.id, outcome, mutant.operator, mutant.file, source.encode()[: mutant.at[0]].count(b"\n") + 1),
            diff=mutant.diff(source),
            **more,  # type: ignore[arg-type]
        )


def _against(done: Finished, original: Original) -> Record | None:
    """The first record that fails, else the first that warns, where the unchanged device does better."""
    worse = [record for record in done.records if original.worse(record)]
    for verdict in (Verdict.FAIL, Verdict.WARN):
        if record := next((record for record in worse if verdict_of(record) is verdict), None):
            return record
    return None


def _unclear(done: Finished, original: Original, forms: Forms) -> str:
    """Why the run does not tell everything; "" if it does."""
    worse = (record for record in done.records if original.worse(record))
    if record := next((record for record in worse if verdict_of(record) is Verdict.INCONCLUSIVE), None):
        return f"{record['purpose']}: {record['reason']}"
    if done.stopped:
        return "the run did not end"
    return "" if original.forms.keys() <= forms.keys() else "a plan was not driven"


def _wants_another(number: int, unclear: str, found: Sequence[Difference]) -> bool:
    """Whether another run is needed after ``number`` further ones.

    Messages that come again in the same plan are no accident; copies and times may be, while a machine is busy.
    """
    if number == 0:
        return bool(unclear) or bool(found and not certain(found))
    return bool(found) and all(difference.kind != "messages" for difference in found)


def _is_unusable(done: Finished) -> bool:
    """Whether the device was never driven: not even a plain call could be made."""
    applicable = [record for record in done.records if verdict_of(record) is not Verdict.NONE]
    return bool(applicable) and all(
        verdict_of(record) is Verdict.INCONCLUSIVE and not record["drives"] for record in applicable
    )
