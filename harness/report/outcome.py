"""What verdicts amount to: the outcome of a run, its exit status, and what pytest is told of one record."""

from __future__ import annotations

import enum
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from harness.catalogue import Row
from harness.errors import EvidenceError, Inconclusive, Nonconformity, SetupError
from harness.finding import Record
from harness.report.clean import printable
from harness.verdict import Verdict, combine

NOT_APPLICABLE = "not_applicable"
NAMES = (*(str(verdict) for verdict in sorted(Verdict, reverse=True)), NOT_APPLICABLE)
"""Every word that can stand as a purpose's verdict in ``verdicts.jsonl``, worst first."""


class ExitStatus(enum.IntEnum):
    """What the command says to the shell."""

    CONFORMING = 0
    NOT_CONFORMING = 1
    INCONCLUSIVE = 2
    """No fail, but something could not be told, or is missing."""
    SETUP = 3
    EVIDENCE = 4

    @classmethod
    def of_error(cls, error: BaseException) -> ExitStatus:
        """The status for a run or command that ended with ``error``."""
        if isinstance(error, EvidenceError):
            return cls.EVIDENCE
        if isinstance(error, Nonconformity):
            return cls.NOT_CONFORMING
        return cls.SETUP if isinstance(error, SetupError) else cls.INCONCLUSIVE


class Warned(UserWarning):
    """A purpose that passed with a warning: a SHOULD not followed, or a contested row."""


@dataclass(frozen=True)
class Tally:
    """The verdicts of a run, counted."""

    planned: int
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many purposes got each verdict, by its name in ``verdicts.jsonl``."""

    @classmethod
    def of(cls, names: Iterable[str], planned: int) -> Tally:
        """The tally of verdicts written as ``names``."""
        counted = Counter(names)
        return cls(planned, {name: counted[name] for name in NAMES if counted[name]})

    @property
    def executed(self) -> int:
        """How many purposes came to a verdict ("not applicable" is one, ``none`` is not)."""
        return sum(self.counts.values()) - self.counts.get(str(Verdict.NONE), 0)

    @property
    def complete(self) -> bool:
        """Whether everything planned was executed, and anything was."""
        return self.executed == self.planned > 0 and str(Verdict.NONE) not in self.counts

    @property
    def verdict(self) -> Verdict:
        """The verdict of the run: fail, then inconclusive or incomplete, then warn and pass.

        A run in which nothing applied says nothing of the device: inconclusive.
        """
        worst = combine(Verdict.named(name) for name in self.counts if name != NOT_APPLICABLE)
        return worst if self.complete and worst is not Verdict.NONE else max(worst, Verdict.INCONCLUSIVE)

    @property
    def exit_status(self) -> ExitStatus:
        """The exit status of the run."""
        return {Verdict.FAIL: ExitStatus.NOT_CONFORMING, Verdict.INCONCLUSIVE: ExitStatus.INCONCLUSIVE}.get(
            self.verdict, ExitStatus.CONFORMING
        )


def verdict_name(record: Record) -> str:
    """The verdict of ``record`` as it is written: "not_applicable" if it was skipped."""
    return str(record.verdict) if record.applicable else NOT_APPLICABLE


def settle(record: Record, text: str) -> None:
    """Tell pytest the verdict of ``record``; ``text`` is its findings as people read them.

    fail raises Nonconformity (pytest and Allure: failed), inconclusive and no verdict at all raise Inconclusive
    (pytest: failed, Allure: broken), not applicable skips with the reason, warn passes with a warning.
    """
    __tracebackhide__ = True
    if not record.applicable:
        pytest.skip(printable(record.reason))
    if record.verdict is Verdict.FAIL:
        raise Nonconformity(text)
    if record.verdict is Verdict.INCONCLUSIVE:
        raise Inconclusive(text)
    if record.verdict is Verdict.NONE:
        raise Inconclusive(f"{record.purpose} came to no verdict", "this is a mistake of the suite, please report it")
    if record.verdict is Verdict.WARN:
        warnings.warn(Warned(text), stacklevel=2)


def junit_properties(record: Record, rows: Iterable[Row] = ()) -> list[tuple[str, str]]:
    """The properties of a test case in ``junit.xml``, for ``item.user_properties``.

    ``rows`` are the requirements that it is about: also where it did not apply and nothing was found out.
    """
    about = {row.id: row for row in rows}
    return [
        (name, printable(value))
        for name, value in (
            ("purpose", record.purpose),
            ("device", record.device),
            ("role", record.role),
            ("transport", record.transport),
            ("verdict", verdict_name(record)),
            ("reason", record.reason),
            ("window_s", f"{record.window_s:g}"),
            ("drives", str(record.drives)),
            *((f"clause {row.id}", row.clause) for row in about.values()),
            *((f"level {row.id}", row.level) for row in about.values()),
            *_found(record, about),
            *(("evidence", f"flows/{flow}.json") for flow in record.evidence),
        )
    ]


def _found(record: Record, about: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The verdict about each requirement, and the finding's fingerprint where there is one to be waived."""
    for ruled in record.requirements:
        yield f"requirement {ruled.finding.requirement}", str(ruled.verdict)
        if ruled.verdict > Verdict.PASS:
            yield f"finding {ruled.finding.requirement}", ruled.finding.fingerprint
    told = {ruled.finding.requirement for ruled in record.requirements}
    yield from ((f"requirement {row}", verdict_name(record)) for row in about if row not in told)
