"""The outcome of one record for pytest and junit.xml."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator

import pytest

from harness.errors import Inconclusive, Nonconformity
from harness.model.printable import printable
from harness.model.verdict import Verdict
from harness.requirements.catalogue import Row
from harness.store.verdict_lines import VerdictLine


class Warned(UserWarning):
    """A purpose that passed with a warning: a SHOULD not followed, or a contested row."""


def settle(record: VerdictLine, text: str) -> None:
    """Report the verdict of ``record`` to pytest; ``text`` is its findings as text.

    fail raises Nonconformity (pytest and Allure: failed), inconclusive and no verdict at all raise Inconclusive
    (pytest: failed, Allure: broken), not tested and not applicable skip with the reason, warn passes with a warning.
    """
    __tracebackhide__ = True
    if not record.tested:
        kind = record.verdict.replace("_", " ")
        pytest.skip(printable(f"{kind}: {record.reason.removeprefix(f'{kind}: ')}"))
    if record.rank is Verdict.FAIL:
        raise Nonconformity(text)
    if record.rank is Verdict.INCONCLUSIVE:
        raise Inconclusive(text)
    if record.rank is Verdict.NONE:
        raise Inconclusive(f"{record.purpose} came to no verdict", "this is a bug in the suite, please report it")
    if record.rank is Verdict.WARN:
        warnings.warn(Warned(text), stacklevel=2)


def junit_properties(record: VerdictLine, rows: Iterable[Row] = ()) -> list[tuple[str, str]]:
    """The properties of a test case in ``junit.xml``, for ``item.user_properties``.

    ``rows`` are the requirements that it is about, even if it did not apply and has no finding.
    """
    about = {row.id: row for row in rows}
    return [
        (name, printable(value))
        for name, value in (
            ("purpose", record.purpose),
            ("device", record.device),
            ("role", record.role),
            ("transport", record.transport),
            ("family", record.family),
            ("verdict", record.verdict),
            ("reason", record.reason),
            ("window_s", f"{record.window_s:g}"),
            ("drives", str(record.drives)),
            *((f"clause {row.id}", row.clause) for row in about.values()),
            *((f"level {row.id}", row.level) for row in about.values()),
            *_found(record, about),
            *(("evidence", path) for path in record.evidence),
        )
    ]


def _found(record: VerdictLine, about: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The verdict about each requirement, and the key of each finding that can be waived."""
    for found in record.requirements:
        yield f"requirement {found.id}", found.verdict
        if found.rank > Verdict.PASS:
            yield f"finding {found.id}", str(record.key(found))
    named = {row.id for row in record.requirements}
    yield from ((f"requirement {row}", record.verdict) for row in about if row not in named)
