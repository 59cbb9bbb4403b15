"""The reporting side of a run, in the main pytest process: folder, stream, summary, status."""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, cast

import pytest
from rich.console import Console

from harness.endpoints.sipp.binary import SippBinary
from harness.errors import EvidenceError, SetupError
from harness.judge.glimpses import Glimpse
from harness.judge.observed import Observation, observe
from harness.model.axes import CaseId
from harness.model.flow import Flow
from harness.model.outcome import ExitStatus, Tally
from harness.model.printable import printable
from harness.model.scope import Scope
from harness.model.windows import WindowName
from harness.policy.expectations import Expectations
from harness.policy.gate import Answer, GateInput, answer
from harness.purposes.discovery import all_purposes
from harness.report import summary
from harness.report.at_end import redress_lines, write_reports
from harness.requirements.catalogue import Catalogue
from harness.run.declared import declared
from harness.run.items import Items, cases_of_the_suite
from harness.run.merging import Merged, merged
from harness.run.options import RULINGS, SELECTED_BY
from harness.run.rerun import Again
from harness.run.settings import Settings
from harness.store import mutation
from harness.store.codec import load
from harness.store.folder import RunFolder
from harness.store.provenance import provenance
from harness.store.stored_run import read_run
from harness.store.stream import VerdictStream
from harness.store.verdict_lines import Header, LostLine, VerdictLine

PAYLOAD = "sipverdict"
"""The attribute of a test report that carries a record from its worker to the publisher."""


class Publisher:
    """Collects the records of all pytest processes of a run and writes the folder of the run."""

    def __init__(self, settings: Settings, sipp: SippBinary) -> None:
        self.settings = settings
        self.expectations = expectations_of(settings)
        self.glimpses: dict[str, dict[str, Mapping[str, Glimpse]]] = {}
        """The features that each flow showed, by device and flow."""
        self.folder = RunFolder.create(settings.out, settings.title.replace(" ", ""))
        self._losses: dict[tuple[str, float], LostLine] = {}
        self.conditions: list[str] = []
        """What was wrong with the time of this machine and with the lines to the devices, a sentence each."""
        self.planned = 0
        self._taken: list[tuple[int, VerdictLine]] = []
        self._places: dict[str, int] = {}
        """The position of an item in the suite."""
        self.waited = 0.0
        """Seconds of all windows together."""
        self.began = time.monotonic()
        self.troubles: list[str] = []
        """Errors of the disk or the set-up; they set the exit status."""
        self._sipp = sipp
        self._stream: VerdictStream | None = None
        self.items = Items(settings.specs.values())
        self._cases: tuple[CaseId, ...] = ()
        self.crashed: list[str] = []
        """The xdist workers that crashed."""
        self.scope = Scope(settings.window.seconds, 0)
        """What the verdict of the run covers, once it is planned."""
        self.answer: Answer | None = None
        """The answer of the gate, once the run is over."""
        self.merged: Merged | None = None
        """What became of a repetition (``--again``)."""

    def plan(self, items: Iterable[str]) -> None:
        """Plan a verdict for the cases of these pytest items.  The first call begins the stream."""
        nodeids = list(items)
        if self._stream is not None or not nodeids:
            return
        self.planned = len(nodeids)
        self._cases = tuple(filter(None, map(self.items.case, nodeids)))
        self._places = {nodeid: place for place, nodeid in enumerate(nodeids)}
        suite, devices = provenance(), tuple(map(declared, self.settings.specs.values()))
        header = Header(
            run=self.folder.name,
            suite=suite.version,
            sipp=self._sipp.version,
            device=devices[0],
            window=cast(WindowName, self.settings.window.name),
            ruling=self.settings.ruling.mode,
            planned=self.planned,
            strict=self.settings.ruling.strict,
            repeat=self.settings.repeat,
            devices=devices,
            cases=self._cases,
            suite_commit=suite.commit,
            suite_dirty=suite.dirty,
            suite_digest=suite.digest,
            suite_mutants=mutation.sentence(),
            host=platform.node(),
            again=self.settings.again.header.run if self.settings.again else "",
            weather=str(self.settings.weather) if self.settings.weather else "",
            rounds=self.settings.rounds,
            whole=cases_of_the_suite(self.settings.specs.values(), all_purposes().values(), Catalogue.load()),
        )
        self.scope = header.scope
        self._stream = VerdictStream(self.folder.verdicts, header)

    def take(self, report: pytest.TestReport) -> None:
        """Publish the record that ``report`` carries, if any."""
        payload: dict[str, Any] | None = getattr(report, PAYLOAD, None)
        if payload is None or self._stream is None:
            return
        for trouble in payload["troubles"]:
            self.trouble(trouble)
        record = load(VerdictLine, payload["record"], report.nodeid)
        self.waited = max(self.waited, payload["waited"])
        self.glimpses.setdefault(record.device, {}).update(payload.get("glimpses", {}))
        for loss in (load(LostLine, said, report.nodeid) for said in payload.get("losses", ())):
            self._losses[loss.device, loss.at] = loss
        self.conditions = [*dict.fromkeys((*self.conditions, *payload.get("conditions", ())))]
        self._taken.append((self.place(report.nodeid), record))
        try:
            self._stream.write(record)
        except SetupError as error:
            self.trouble(error)

    def place(self, nodeid: str) -> int:
        """The position of an item in the suite; an item of no purpose comes last."""
        return self._places.get(nodeid, len(self._places))

    @property
    def records(self) -> list[VerdictLine]:
        """The records so far, in the order of the suite."""
        return [record for _, record in sorted(self._taken, key=itemgetter(0))]

    def trouble(self, error: SetupError | str) -> None:
        """Report ``error`` once, at the end; the exit status is then 3 (set-up)."""
        if str(error) not in self.troubles:
            self.troubles.append(str(error))

    @property
    def losses(self) -> list[LostLine]:
        """Every time that a device was lost, in order."""
        return sorted(self._losses.values(), key=lambda loss: loss.at)

    @property
    def tally(self) -> Tally:
        """The verdicts so far against what was planned."""
        tally = self._stream.tally if self._stream else Tally(self.planned)
        return replace(tally, lost=len(self._losses))

    @property
    def pics(self) -> list[Observation]:
        """The contradictions between the flows so far and the claims of the devices."""
        claims = {name: spec.profile.all_pics() for name, spec in self.settings.specs.items()}
        return [one for name, flows in self.glimpses.items() for one in observe(name, claims[name], flows)]

    def summarise(self, reporter: pytest.TerminalReporter) -> None:
        """Print the summary of the run."""
        for trouble in self.troubles:
            reporter.write_line(f"ERROR {trouble}", red=True)
        if self._stream is None:
            return
        finished = summary.Run(
            records=self.records,
            planned=self.planned,
            scope=self.scope,
            window=str(self.settings.window),
            wall_s=time.monotonic() - self.began,
            waits_s=self.waited,
            folder=self.folder.path,
            expectations=self.expectations,
            pics=self.pics,
            losses=self.losses,
            redress=redress_lines(self.folder.path),
            conditions=self.conditions,
        )
        summary.print_summary(finished, Console(file=reporter._tw._file, highlight=False))
        if self.merged:
            reporter.write_line(printable(self.merged.sentence))
        for sentence in self.answer.sentences(self._gated) if self.answer else ():
            reporter.write_line(printable(sentence))

    def close(self, flows: Mapping[str, Flow], *, interrupted: bool) -> ExitStatus:
        """Write the footer, unless the run was interrupted, and the reports; ``flows`` need not be read for them."""
        if self.crashed:
            # What a worker that crashed was writing: it cannot tidy up any more.
            shutil.rmtree(self.folder.path / "work", ignore_errors=True)
        tally = self.tally
        cut_off = interrupted or bool(self.crashed) or not tally.complete or self._evidence_is_missing()
        self.answer = self._ask(interrupted=interrupted, cut_off=cut_off)
        try:
            if self._stream is not None:
                # A run is incomplete without all of its evidence.
                if cut_off:
                    self._stream.abandon()
                else:
                    gate = self.answer.footer if self._gated else None
                    self._stream.close(
                        self.pics, self.expectations.footer(self.records), gate, self.losses, self.conditions
                    )
            else:
                self.discard_unplanned()
        except SetupError as error:
            self.trouble(error)
        if self._stream is not None and (trouble := write_reports(self.folder, flows, page=self.settings.page)):
            self.trouble(trouble)
        if self._stream is not None:
            try:
                if self.settings.again and not cut_off:
                    self._merge(self.settings.again)
                whole = self.merged.run if self.merged else None
                self.settings.files.write(whole or read_run(self.folder.path, cut_off=True), self.answer)
            except (SetupError, EvidenceError) as error:
                self.trouble(str(error))
        if self.troubles:
            return ExitStatus.SETUP
        status = self.answer.status
        # A gate has its own rules, and must give the same answer for the stored run, which has no profile beside it.
        if cut_off or self._gated:
            return status
        run = self.merged.run if self.merged else None
        tally, records = (run.tally, run.records) if run else (tally, self.records)
        return self.expectations.exit_status(status, tally, records, forgive=self.settings.expected)

    def _merge(self, again: Again) -> None:
        """Make one run of this repetition and of what it repeats; what is asked of this run is asked of that one."""
        self.merged = merged(
            again, self.folder, self.settings.title.replace(" ", ""), self._answer, self.expectations.footer
        )
        self.answer = self.merged.answer or self.answer

    def discard_unplanned(self) -> None:
        """Remove the folder of a run in which nothing was planned, and nothing written."""
        results = self.folder.allure_results
        if self._stream is None and not (results.is_dir() and any(results.iterdir())):
            self.folder.discard()

    @property
    def _gated(self) -> bool:
        return bool(self.settings.gate.name or self.settings.waivers)

    def _ask(self, *, interrupted: bool, cut_off: bool) -> Answer:
        """The answer of this run's gate."""
        there = {line.case for line in self.records}
        run = GateInput(
            self.records,
            self.planned,
            tuple(case for case in self._cases if case not in there),
            tuple(self.crashed),
            interrupted,
            cut_off,
            {spec.name: declared(spec) for spec in self.settings.specs.values()},
            self.scope,
            self.losses,
        )
        return self._answer(run)

    def _answer(self, run: GateInput) -> Answer:
        purposes = all_purposes() if self.settings.gate.profile else {}
        return answer(
            self.settings.gate, run, self.settings.waivers, Catalogue.load(), purposes, datetime.now(UTC).date()
        )

    def _evidence_is_missing(self) -> bool:
        return any(not (self.folder.path / flow).is_file() for r in self.records for flow in r.evidence)

    def say_nothing_chosen(self, reporter: pytest.TerminalReporter) -> None:
        """Print which option selected no test."""
        option = reporter.config.option
        by_pytest = [(flag, value) for flag, value in (("-k", option.keyword), ("-m", option.markexpr)) if value]
        ours = [(f"--{name}", value) for name in SELECTED_BY for value in getattr(option, name) or ()]
        chosen = [f"{flag} {value!r}" for flag, value in (*by_pytest, *ours)]
        by = " and ".join(chosen) or "the selection"
        devices = self.settings.title
        reporter.write_line(f"ERROR nothing to run: {by} selects no test for {devices}", red=True)
        reporter.write_line("  hint: sipverdict list purposes shows them all")


def expectations_of(settings: Settings) -> Expectations:
    """The expectations for the devices of a run; none under a ruling for which expectations are not written."""
    usual = settings.ruling.mode == RULINGS[0] and not settings.ruling.strict
    made = Expectations.of(settings.specs, settings.window) if usual else Expectations(settings.window)
    # Without a file nothing but passes is expected: so ``expect`` leaves it where everything passed.
    if settings.expected and not usual:
        why = "expectations apply to runs with the ruling certification and without --strict"
        raise SetupError(f"--expected: {why}", "omit --expected")
    return made
