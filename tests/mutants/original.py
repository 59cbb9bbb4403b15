"""The unchanged device: its wire and its verdicts in each part, and which of its lines each part executes."""

from __future__ import annotations

import ast
import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from harness.model.outcome import SKIPPED
from harness.model.verdict import Verdict
from harness.paths import ROOT
from harness.store import mutation
from tests.mutants import device
from tests.mutants.compare import forms_of
from tests.mutants.mutant import PACKAGE, Mutant
from tests.mutants.roles import PARTS, Part
from tests.mutants.runs import Asked, Finished, Record, Turns, finished
from tests.mutants.wire import Form

RUNS: Final = 2
"""How often the unchanged device is driven: what differs between its own flows is no difference of a mutant's."""
_SUITE: Final = ("harness", "suites", "scenarios")


@dataclass(frozen=True)
class Original:
    """What the unchanged device does in one part, in one window."""

    part: Part
    forms: Mapping[str, Sequence[Form]]
    verdicts: Mapping[str, Verdict]
    """The worst verdict of each purpose in all runs."""

    def worse(self, record: Record) -> bool:
        """Whether the verdict of a record is worse than that of the unchanged device."""
        return verdict_of(record) > self.verdicts.get(record["purpose"], Verdict.PASS)


@dataclass
class Originals:
    """The unchanged device in every part, driven when it is first asked for, and kept in ``folder``."""

    folder: Path
    turns: Turns
    suite: Sequence[str] = ()
    _known: dict[tuple[Part, str], asyncio.Task[Original]] = field(default_factory=dict)
    _executed: dict[Part, asyncio.Task[dict[str, set[int]]]] = field(default_factory=dict)

    async def of(self, part: Part, window: str) -> Original:
        """The unchanged device in ``part``."""
        if (part, window) not in self._known:
            self._known[part, window] = asyncio.create_task(self._drive(part, window))
        return await self._known[part, window]

    async def now(self, part: Part, window: str, folder: Path) -> Original:
        """What it does in ``part`` while this machine is as busy as it is now, beside what it did before."""
        known = await self.of(part, window)
        done = await self.turns.run(Asked(part, device.unchanged(folder), window, self.suite), folder)
        again = forms_of(done.flows())
        return replace(known, forms={plan: [*forms, *again.get(plan, ())] for plan, forms in known.forms.items()})

    async def executed(self, part: Part) -> dict[str, set[int]]:
        """The lines that ``part`` executes, by file."""
        if part not in self._executed:
            self._executed[part] = asyncio.create_task(self._trace(part))
        return await self._executed[part]

    async def parts_of(self, mutant: Mutant, parts: Sequence[Part] = PARTS) -> list[Part]:
        """The parts in which the mutant can show: those that execute its lines."""
        lines = _lines_of_functions(mutant.file) if mutant.module_level else set(mutant.lines)
        executed = await asyncio.gather(*(self.executed(part) for part in parts))
        # A file without functions is executed wherever it is imported.
        return [
            part
            for part, by_file in zip(parts, executed, strict=True)
            if (by_file.get(mutant.file, set()) & lines if lines else mutant.file in by_file)
        ]

    async def _drive(self, part: Part, window: str) -> Original:
        runs = await asyncio.gather(*(self._run(part, window, number) for number in range(RUNS)))
        records = [record for one in runs for record in one.records]
        if not records:
            raise RuntimeError(f"the unchanged device could not be tested as {part}:\n{runs[0].output[-2000:]}")
        verdicts: dict[str, Verdict] = {}
        for record in records:
            verdicts[record["purpose"]] = max(verdict_of(record), verdicts.get(record["purpose"], Verdict.NONE))
        forms: dict[str, list[Form]] = {}
        for one in runs:
            for plan, of_plan in forms_of(one.flows()).items():
                forms.setdefault(plan, []).extend(of_plan)
        return Original(part, forms, verdicts)

    async def _run(self, part: Part, window: str, number: int) -> Finished:
        folder = self.folder / window / str(part) / str(number)
        asked = Asked(part, device.unchanged(folder), window, self.suite)
        if (folder / "whole").exists():
            return finished(asked, folder)
        done = await self.turns.run(asked, folder)
        if done.records and not done.stopped:
            (folder / "whole").touch()
        return done

    async def _trace(self, part: Part) -> dict[str, set[int]]:
        folder = self.folder / "executed" / str(part)
        kept = folder / "lines.json"
        if not kept.exists():
            traced = device.traced(folder / "device", folder / "lines")
            await self.turns.run(Asked(part, traced, suite=self.suite), folder)
            lines = device.executed_lines(folder / "lines")
            if not lines:
                raise RuntimeError(f"nothing was executed as {part}")
            kept.write_text(json.dumps({file: sorted(numbers) for file, numbers in lines.items()}))
        stored: dict[str, Any] = json.loads(kept.read_text())
        return {file: set(numbers) for file, numbers in stored.items()}


def verdict_of(record: Record) -> Verdict:
    """The verdict of a record as a run stores it."""
    name = record["verdict"]
    return Verdict.NONE if name in SKIPPED else Verdict.named(name)


def digest() -> str:
    """What device and suite are made of, in short: results of another suite do not count for this one."""
    whole = hashlib.sha256()
    for folder in _SUITE:
        for path in sorted((ROOT / folder).rglob("*")):
            # The score says something of the suite, and is no part of it.
            if path.is_file() and path.suffix in (".py", ".j2", ".toml", ".json") and path != mutation.PATH:
                whole.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:12]


def _lines_of_functions(file: str) -> set[int]:
    """The lines inside the functions of a file."""
    lines: set[int] = set()
    for node in ast.walk(ast.parse((ROOT / PACKAGE / file).read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines.update(range(node.body[0].lineno, (node.end_lineno or 0) + 1))
    return lines
