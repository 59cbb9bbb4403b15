"""What ``--again`` ends with: the run that it repeats, with the repeated cases replaced, as a run of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.errors import EvidenceError, SetupError
from harness.evidence.merge import Closing, merge, why_apart
from harness.policy.gate import Answer, GateInput
from harness.purposes.discovery import all_purposes
from harness.report.allure_merge import merged_allure
from harness.report.at_end import write_reports
from harness.report.junit import merged_junit
from harness.requirements.catalogue import Catalogue
from harness.run.rerun import Again
from harness.store.folder import RunFolder
from harness.store.stored_run import StoredRun, read_run
from harness.store.verdict_lines import Compared, Gated, Header, LostLine, VerdictLine

Ask = Callable[[GateInput], Answer]
Compare = Callable[[Sequence[VerdictLine]], Compared | None]


@dataclass(frozen=True)
class Merged:
    """How it went."""

    sentence: str
    """For the end of the terminal's output."""
    run: StoredRun | None = None
    """None if the two runs stay apart."""
    answer: Answer | None = None
    """The answer of the gate to the merged run."""


def merged(again: Again, folder: RunFolder, title: str, ask: Ask, compare: Compare) -> Merged:
    """Merge the run in ``folder`` into the one that it repeats, in a new folder beside it, which ``latest`` points at.

    ``title`` names the devices; ``ask`` is the gate, and ``compare`` says what the footer says of expectations.
    SetupError: the disk.
    """
    before, now = again.header.run, read_run(folder.path, cut_off=True)
    try:
        old = read_run(again.folder, cut_off=True)
        if why := why_apart(old, now):
            return Merged(f"not merged with {before}: {why}")
        answers: list[Answer] = []
        made = RunFolder.create(folder.path.parent, title)
        try:
            merge(old, now, made, Catalogue.load(), all_purposes(), _closing(ask, compare, answers))
        except (EvidenceError, SetupError):
            made.discard()
            raise
    except EvidenceError as error:
        return Merged(f"not merged with {before}: {error.cause}")
    merged_junit(again.folder / "junit.xml", folder.junit, made.junit)
    merged_allure(
        again.folder / made.allure_results.name,
        folder.allure_results,
        made.allure_results,
        read_run(made.path).records,
    )
    if trouble := write_reports(made, {}):
        raise trouble
    run = read_run(made.path)
    number, all_of_them = len(run.header.repeated), run.header.planned
    told = f"merged with {before}: {number} of {all_of_them} tests are of this repetition; {run.tally.verdict}"
    return Merged(f"{told}, {run.header.scope.cases}: {made.path / 'index.html'}", run, answers[0])


def _closing(ask: Ask, compare: Compare, answers: list[Answer]) -> Closing:
    def closing(
        header: Header, lines: Sequence[VerdictLine], losses: Sequence[LostLine]
    ) -> tuple[Compared | None, Gated | None]:
        devices = {device.name: device for device in header.devices}
        answers.append(ask(GateInput(lines, header.planned, devices=devices, scope=header.scope, losses=losses)))
        return compare(lines), answers[0].footer if answers[0].gate else None

    return closing
