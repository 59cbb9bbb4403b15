"""Compares a run with what is known of its devices (``expected.toml``, :mod:`harness.policy.expected_file`).

Expectations change no verdict.  They list the known non-passes of a device, requirement by requirement, with reasons.
A run reports every deviation, in either direction, and a deviation makes the run red.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from harness.model.device_name import BASE
from harness.model.outcome import NOT_APPLICABLE, NOT_TESTED, ExitStatus, Tally
from harness.model.verdict import Verdict
from harness.model.windows import WINDOWS, Window
from harness.paths import DEVICES, ROOT
from harness.policy.expected_entry import Known
from harness.policy.expected_file import file_of, load
from harness.requirements.catalogue import Catalogue
from harness.store.files import is_file
from harness.store.verdict_lines import Compared, Deviation, VerdictLine

if TYPE_CHECKING:
    from harness.device.spec import DeviceSpec

_NOT_ASKED: Final = {
    NOT_APPLICABLE: "not applicable to the device as declared",
    NOT_TESTED: "not tested in this run",
}
"""Why a case has no verdict to compare."""
NON_PASSES: Final = (Verdict.WARN, Verdict.INCONCLUSIVE, Verdict.FAIL)


@dataclass(frozen=True)
class Expectations:
    """What is expected of the devices of one run."""

    window: Window
    known: Mapping[str, tuple[Known, ...]] = field(default_factory=dict)
    """By device, for those whose profile has a file."""
    files: Mapping[str, Path] = field(default_factory=dict)
    asked: Mapping[str, str] = field(default_factory=dict)
    """By device, what names it on a command line: a built-in name, or its profile's path."""
    today: datetime.date = field(default_factory=lambda: datetime.datetime.now(datetime.UTC).date())

    @classmethod
    def of(cls, specs: Mapping[str, DeviceSpec], window: Window) -> Expectations:
        """The expectations for the devices of a run, except those with faults; SetupError for an unusable file."""
        known: dict[str, tuple[Known, ...]] = {}
        files: dict[str, Path] = {}
        asked: dict[str, str] = {}
        read: dict[Path, tuple[Known, ...]] = {}
        for name, spec in specs.items():
            source = spec.profile.source
            path = file_of(source)
            if spec.faults or not is_file(path):
                continue
            if path not in read:
                read[path] = load(path, source, Catalogue.load().rows)
            base, colon, variant = name.rpartition(":")
            wanted = variant if colon and base else BASE
            known[name] = tuple(one for one in read[path] if one.variant == wanted)
            files[name] = path
            asked[name] = source.parent.name if source.is_relative_to(DEVICES) else str(source)
        return cls(window, known, files, asked)

    @property
    def file(self) -> str:
        """The files, as reports name them: below the suite's folder, or by their name alone."""
        paths = dict.fromkeys(self.files.values())
        return ", ".join(str(p.relative_to(ROOT)) if p.is_relative_to(ROOT) else p.name for p in paths)

    def deviations(self, records: Iterable[VerdictLine]) -> tuple[Deviation, ...]:
        """Every difference between ``records`` and what is expected; purposes that were not run are left out."""
        return tuple(d for record in records if record.device in self.known for d in self._of(record))

    def non_passes_known(self, records: Iterable[VerdictLine]) -> int:
        """How many non-passes of ``records`` are as expected."""
        return sum(
            row.rank in NON_PASSES and self._expected(record).get(row.id) == row.rank
            for record in records
            if record.device in self.known
            for row in record.requirements
        )

    def exit_status(
        self, status: ExitStatus, tally: Tally, records: Sequence[VerdictLine], *, forgive: bool
    ) -> ExitStatus:
        """The exit status after comparing with expectations; ``status`` is the exit status without them.

        A deviation turns 0 into 2.  With ``forgive`` (``--expected``) expected non-passes do not count: 1 for a fail
        that is not expected, 2 for any other deviation and for inconclusive cases, else 0.
        """
        deviations = self.deviations(records)
        if not forgive:
            green = status is ExitStatus.CONFORMING
            return ExitStatus.INCONCLUSIVE if green and deviations else status
        others = [r.rank for r in records if r.tested and (r.device not in self.known or not r.drives)]
        if Verdict.FAIL in others or any(d.got == str(Verdict.FAIL) for d in deviations):
            return ExitStatus.NOT_CONFORMING
        decided = tally.complete and Verdict.INCONCLUSIVE not in others
        return ExitStatus.CONFORMING if decided and not deviations else ExitStatus.INCONCLUSIVE

    def footer(self, records: Sequence[VerdictLine]) -> Compared | None:
        """What the footer of ``verdicts.jsonl`` says; None where nothing is known of any device."""
        if not self.known:
            return None
        return Compared(self.file, self.non_passes_known(records), self.deviations(records))

    def _mine(self, record: VerdictLine) -> list[Known]:
        asked = (record.purpose, record.case.axes)
        mine = [
            one
            for one in self.known.get(record.device, ())
            if one.case[:2] == asked and WINDOWS[one.window].seconds <= self.window.seconds
        ]
        # Of two about one requirement the one for the longer window counts.
        return list({one.case: one for one in sorted(mine, key=lambda one: WINDOWS[one.window].seconds)}.values())

    def _expected(self, record: VerdictLine) -> dict[str, Verdict]:
        return {one.requirement: Verdict.named(one.verdict) for one in self._mine(record) if not self._is_over(one)}

    def _is_over(self, one: Known) -> bool:
        return one.until is not None and one.until < self.today

    def _of(self, record: VerdictLine) -> Iterable[Deviation]:
        if record.tested and not record.drives:
            return  # the device, or this machine, could not be used: that is told, and says nothing of the device
        expected = self._expected(record)
        over = {one.requirement: f"expected until {one.until}" for one in self._mine(record) if self._is_over(one)}
        got = {row.id: row.rank for row in record.requirements}
        for row in {**expected, **got}:
            want, have = expected.get(row, Verdict.PASS), got.get(row)
            if have is None:
                yield _deviation(record, row, want, None, "missing", _NOT_ASKED.get(record.verdict, "no verdict"))
            elif have is Verdict.INCONCLUSIVE and want not in (Verdict.PASS, have):
                yield _deviation(record, row, want, have, "missing", "inconclusive this time")
            elif (seen := max(have, Verdict.PASS)) != want:
                yield _deviation(record, row, want, seen, "worse" if seen > want else "better", over.get(row, ""))


def _deviation(
    record: VerdictLine,
    row: str,
    want: Verdict,
    have: Verdict | None,
    kind: Literal["worse", "better", "missing"],
    note: str,
) -> Deviation:
    got = record.verdict if have is None and not record.tested else str(have or Verdict.NONE)
    axes = (record.role, record.transport, record.family)
    return Deviation(record.device, record.purpose, *axes, row, str(want), got, kind, note)
