"""Which cases a run asks: by requirement, clause, level, tag, role, profile, or by the name that reports print.

The same words are pytest's markers: ``-m "must and uac"``, ``-m "not profile(name='ua-decline')"``.  Ids, clauses, tags
and profiles are arguments of markers, for ``-k`` matches the names of markers: ``-k decline`` would choose all of
ua-decline.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pytest

from harness.errors import SetupError
from harness.model.axes import FAMILIES, PASSAGES, ROLES, CaseId
from harness.policy.profiles import RequirementProfile
from harness.policy.profiles import load as load_profiles
from harness.requirements.catalogue import Catalogue, Row

LEVELS: Final[tuple[str, ...]] = ("must", "should", "may", "derived", "profile")
"""``must`` is MUST and MUST NOT; ``should`` also RECOMMENDED; ``derived`` follows from definitions in the text."""
TAGS: Final[tuple[str, ...]] = ("heart", "core", "extended", "profile")
"""The tiers of the catalogue."""
_RFC = re.compile(r"\bRFC\s*(\d+)")
_SECTION = re.compile(r"§\s*([\dA-Z][\d.]*)")
_NAME = re.compile(r"([\w-]+/[\w-]+/[\w-]+)(?: \(([\w-]+)\)| ([^(].*))?")


def level_of(row: Row) -> str:
    """The level of ``row`` in one word, as options and markers have it."""
    return {"RECOMMENDED": "should", "NOT RECOMMENDED": "should"}.get(row.level, row.level.split()[0].lower())


def clauses_of(row: Row) -> tuple[str, ...]:
    """The clauses that ``row`` rests on, as ``RFC3261-21.6``: that of its id first."""
    found, document = [], ""
    for part in re.split("[;,]", row.clause):
        if rfc := _RFC.search(part):
            document = f"RFC{rfc[1]}-"
        elif ";" in row.clause and "§" not in part:
            document = ""
        if document and (section := _SECTION.search(part)):
            found.append(f"{document}{section[1].rstrip('.')}")
    return tuple(dict.fromkeys((row.id.rpartition("-")[0], *found)))


def is_case(word: str) -> bool:
    """Whether ``word`` is the name of a case as reports print it: ``uac/decline/decline_is_final``, and more."""
    return bool(_NAME.fullmatch(word)) and not word.startswith(("suites/", "tests/"))


@dataclass(frozen=True)
class Selection:
    """What the options choose.  Every one that is given has to agree; of several values of one, any."""

    requirements: frozenset[str] = frozenset()
    clauses: tuple[str, ...] = ()
    levels: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    profiles: tuple[RequirementProfile, ...] = ()
    cases: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, Iterable[str] | None], catalogue: Catalogue, purposes: Iterable[str]) -> Selection:
        """The selection of these options, by their names; SetupError for a word that chooses nothing."""
        words = {name: tuple(values or ()) for name, values in given.items()}
        known_clauses = {clause for row in catalogue for clause in clauses_of(row)}
        clauses = tuple(map(_clause, words.get("clause", ())))
        for clause in clauses:
            if not any(_within(one, clause) for one in known_clauses):
                raise _unknown("--clause", clause, known_clauses)
        for requirement in words.get("requirement", ()):
            if requirement not in catalogue:
                raise _unknown("--requirement", requirement, catalogue.rows)
        profiles = load_profiles(catalogue) if words.get("profile") else {}
        for name in words.get("profile", ()):
            if name not in profiles:
                raise _unknown("--profile", name, profiles)
        names = set(purposes)
        for case in words.get("case", ()):
            found = _NAME.fullmatch(case)
            if found is None or found[1] not in names:
                raise _unknown("--case", found[1] if found else case, names)
        return cls(
            frozenset(words.get("requirement", ())),
            clauses,
            frozenset(words.get("level", ())),
            frozenset(words.get("tag", ())),
            frozenset(words.get("role", ())),
            tuple(profiles[name] for name in words.get("profile", ())),
            words.get("case", ()),
        )

    @property
    def given(self) -> bool:
        """Whether anything is chosen at all."""
        return self != Selection()

    def wants(self, case: CaseId, rows: Iterable[Row]) -> bool:
        """Whether ``case``, which is about ``rows``, is chosen."""
        about = [row for row in rows if case.role in row.roles]
        tests: tuple[tuple[object, Callable[[Row], bool]], ...] = (
            (self.requirements, lambda row: row.id in self.requirements),
            (self.clauses, lambda row: any(_within(one, c) for one in clauses_of(row) for c in self.clauses)),
            (self.levels, lambda row: level_of(row) in self.levels),
            (self.tags, lambda row: row.tier in self.tags),
            (self.profiles, lambda row: any(_in_profile(p, row, case.role) for p in self.profiles)),
        )
        of_rows = [test for given, test in tests if given]
        # One requirement has to agree with all of them: "must" and a clause mean a MUST of that clause.
        if of_rows and not any(all(test(row) for test in of_rows) for row in about):
            return False
        if self.roles and case.role not in self.roles:
            return False
        return not self.cases or any(named(case, one) for one in self.cases)


def named(case: CaseId, name: str) -> bool:
    """Whether a report that prints ``name`` means ``case``: with its role, its axes, its device, or with neither."""
    found = _NAME.fullmatch(name)
    if found is None or found[1] != case.purpose:
        return False
    if found[2]:
        return found[2] in (case.role, case.axes.label)
    return not found[3] or found[3] == case.item


def marks(case: CaseId, rows: Iterable[Row], profiles: Iterable[RequirementProfile]) -> list[pytest.MarkDecorator]:
    """The markers of ``case``, as :data:`MARKERS` describes them."""
    about = [row for row in rows if case.role in row.roles]
    names = [case.role, case.transport, case.family, *(_LEVEL_MARKS.get(level_of(row), level_of(row)) for row in about)]
    made = [getattr(pytest.mark, name) for name in dict.fromkeys(names)]
    made += [pytest.mark.requirement(id=row.id) for row in about]
    made += [pytest.mark.clause(id=one) for one in dict.fromkeys(c for row in about for c in _and_above(row))]
    made += [pytest.mark.tag(name=one) for one in dict.fromkeys(row.tier for row in about)]
    asked = (one for one in profiles if any(_in_profile(one, row, case.role) for row in about))
    return made + [pytest.mark.profile(name=one.name) for one in asked]


_LEVEL_MARKS: Final = {"profile": "profile_level"}
MARKERS: Final[dict[str, str]] = {
    **{_LEVEL_MARKS.get(one, one): f"cases with a requirement of the level {one}" for one in LEVELS},
    **{one: f"cases in which the device is {one}" for one in ROLES},
    **{one: f"cases over {one}" for one in (*PASSAGES, *FAMILIES)},
    "requirement(id)": "cases that decide the requirement, as in requirement(id='RFC3261-21.6-01')",
    "clause(id)": "cases about the clause or one within it, as in clause(id='RFC3261-21.6')",
    "tag(name)": "cases with a requirement of the tier: heart, core, extended or profile",
    "profile(name)": "cases that a certificate of the profile asks for, as in profile(name='ua-decline')",
}
"""The markers and what they choose."""


def _and_above(row: Row) -> Iterator[str]:
    """The clauses of ``row``, and what they lie within: RFC3261-21.6.1, RFC3261-21.6, RFC3261-21, RFC3261."""
    for clause in clauses_of(row):
        document, _, section = clause.rpartition("-")
        steps = section.split(".")
        yield from (f"{document}-{'.'.join(steps[:count])}" for count in range(len(steps), 0, -1))
        yield document


def _in_profile(profile: RequirementProfile, row: Row, role: str) -> bool:
    return row.id in profile.asked and role in profile.roles


def _clause(text: str) -> str:
    """``RFC 3261 §21.6``, ``rfc3261 21.6`` and ``RFC3261-21.6``, all as the last of them."""
    found = re.fullmatch(r"\s*RFC\s*(\d+)[\s§-]+([\dA-Za-z][\w.]*?)\.?\s*|\s*RFC\s*(\d+)\s*", text, re.IGNORECASE)
    if found is None:
        return text.strip()
    return f"RFC{found[1]}-{found[2]}" if found[1] else f"RFC{found[3]}"


def _within(clause: str, chosen: str) -> bool:
    """Whether ``clause`` is ``chosen``, or one of its sub-clauses: 8.1.3.4 is within 8.1, and not within 8.1.3.40."""
    return clause == chosen or clause.startswith((f"{chosen}.", f"{chosen}-"))


def _unknown(flag: str, word: str, known: Iterable[str]) -> SetupError:
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    lists = {"--case": "purposes", "--profile": "profiles"}.get(flag, "requirements")
    nearest = f"; the nearest: {', '.join(near)}" if near else ""
    return SetupError(f"{flag} {word[:80]!r} is unknown{nearest}", f"sipverdict list {lists} shows all")
