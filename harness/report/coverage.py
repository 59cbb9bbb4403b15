"""Coverage by clause: the result of a run for every statement of the catalogue, with the reason if there is none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.model.outcome import NOT_APPLICABLE, NOT_TESTED
from harness.model.verdict import Verdict
from harness.purposes.everywhere import NO_OCCASION
from harness.report.identity import Identity
from harness.requirements.catalogue import Catalogue, Row
from harness.requirements.untested import Untested
from harness.store.verdict_lines import VerdictLine

NOT_CHOSEN = "not_chosen"
STATUSES = ("fail", "inconclusive", "warn", "pass", NOT_APPLICABLE, NOT_CHOSEN, NOT_TESTED)
"""The possible results of a statement, in the order of the page."""


@dataclass(frozen=True)
class Why:
    """A reason: a key of the pages' words with its values, or (key "") a text of the run."""

    key: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True)
class Covered:
    """The result of a run for one statement."""

    row: Row
    status: str
    """One of STATUSES."""
    why: tuple[Why, ...] = ()
    devices: tuple[str, ...] = ()
    """The test with the worst verdict."""


@dataclass(frozen=True)
class Suite:
    """The part that needs no run."""

    catalogue: Catalogue
    deciders: Mapping[str, Sequence[str]]
    """The names of the purposes that decide a statement, by its id."""
    untested: Mapping[str, Untested]


def coverage(suite: Suite, records: Iterable[VerdictLine], devices: Sequence[Identity]) -> tuple[Covered, ...]:
    """Every statement of the catalogue, in its order."""
    decided: dict[str, list[tuple[Verdict, str, str]]] = {}
    by_purpose: dict[str, list[VerdictLine]] = {}
    for record in records:
        by_purpose.setdefault(record.purpose, []).append(record)
        for row in record.requirements:
            entry = (row.rank, record.device, row.reason)
            decided.setdefault(row.id, []).append(entry)
    return tuple(
        _decided(row, decided[row.id])
        if row.id in decided
        else _undecided(
            row, suite, devices, [r for name in suite.deciders.get(row.id, ()) for r in by_purpose.get(name, ())]
        )
        for row in suite.catalogue
    )


def by_document(covered: Iterable[Covered]) -> dict[str, list[Covered]]:
    """The statements by document, RFCs in the order of their numbers."""
    groups: dict[str, list[Covered]] = {}
    for one in sorted(covered, key=lambda one: _place(one.row)):
        groups.setdefault(document(one.row), []).append(one)
    return groups


def document(row: Row) -> str:
    """``RFC 3261``; the first document if there are several."""
    found = re.match(r"RFC (\d+)", row.clause)
    return f"RFC {found[1]}" if found else re.split(r"[ ,;(]", row.clause)[0] or row.id.split("-")[0]


def _place(row: Row) -> tuple[int, list[int], str]:
    found = re.match(r"RFC (\d+)(?: §([\d.]+))?", row.clause)
    if not found:
        return 10**6, [], row.id
    return int(found[1]), [int(part) for part in (found[2] or "").split(".") if part], row.id


def _decided(row: Row, entries: Sequence[tuple[Verdict, str, str]]) -> Covered:
    worst = max(verdict for verdict, _, _ in entries)
    if worst <= Verdict.PASS:
        return Covered(row, "pass")
    found = [(device, reason) for verdict, device, reason in entries if verdict is worst]
    reasons = tuple(Why(text=reason) for reason in list(dict.fromkeys(reason for _, reason in found))[:3])
    return Covered(row, str(worst), reasons, tuple(dict.fromkeys(device for device, _ in found)))


def _undecided(row: Row, suite: Suite, devices: Sequence[Identity], tried: Sequence[VerdictLine]) -> Covered:
    # A statement that does not bind the device is "not applicable", whether the suite can test it or not.
    if devices and (reason := _does_not_bind(row, devices)):
        return Covered(row, NOT_APPLICABLE, (reason,))
    unsettled = [record for record in tried if record.tested and not record.requirements]
    if unsettled:
        return Covered(row, "inconclusive", _said(unsettled), tuple(dict.fromkeys(r.device for r in unsettled)))
    if any(record.tested for record in tried):
        # An invariant that had occasions, but none for this statement.
        return Covered(row, NOT_TESTED, (Why(text=NO_OCCASION),))
    if untested := [record for record in tried if record.verdict == NOT_TESTED]:
        return Covered(row, NOT_TESTED, _said(untested))
    if tried:
        return Covered(row, NOT_APPLICABLE, _said(tried))
    roles = {role for device in devices for role in device.roles if role in row.roles}
    left_out = [suite.untested.get(f"{row.id} {role}") for role in sorted(roles)]
    if suite.deciders.get(row.id) and not (left_out and all(left_out)):
        return Covered(row, NOT_CHOSEN, (Why("coverage.not_chosen"),))
    known = suite.untested.get(row.id) or next(iter(left_out), None)
    why = Why(f"untested.{known.kind}", {"see": known.see}) if known else Why("coverage.no_reason")
    return Covered(row, NOT_TESTED, (why,))


def _does_not_bind(row: Row, devices: Sequence[Identity]) -> Why | None:
    own = [device for device in devices if set(device.roles) & _roles(row)]
    if not own:
        roles = sorted({role for device in devices for role in device.roles})
        return Why("coverage.role", {"roles": ", ".join(row.roles), "own": ", ".join(roles) or "-"})
    if not any(row.applies_to(device.pics) for device in own):
        return Why("coverage.claim", {"condition": row.applies_if})
    return None


def _roles(row: Row) -> set[str]:
    return set(row.roles)


def _said(records: Sequence[VerdictLine]) -> tuple[Why, ...]:
    reasons = dict.fromkeys(record.reason for record in records)
    return tuple(Why(text=reason) for reason in list(reasons)[:3] if reason)
