"""Cases are chosen by requirement, clause, level, tag, role, profile and printed name, as options and as markers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.device.spec import DeviceSpec
from harness.errors import SetupError
from harness.model.axes import CaseId
from harness.policy.profiles import load as load_profiles
from harness.purposes.discovery import all_purposes
from harness.requirements.catalogue import Catalogue, Row
from harness.run.items import roles_of
from harness.run.selection import MARKERS, Selection, clauses_of, is_case, level_of, named
from harness.run.specs import device_specs

CATALOGUE = Catalogue.load()
PURPOSES = all_purposes()
DECLINE = "uac/decline_is_final/decline_is_final"


def every_case() -> list[tuple[CaseId, list[Row]]]:
    specs: dict[str, DeviceSpec] = device_specs(["reference"], [])
    return [
        (CaseId(purpose.name, name, axes.role, axes.transport, axes.family), rows)
        for purpose in PURPOSES.values()
        for rows in [[CATALOGUE[row] for row in purpose.requirements]]
        for name, spec in specs.items()
        for axes in spec.axes
        if axes.role in roles_of(purpose, CATALOGUE)
    ]


CASES = every_case()


def chosen(**given: list[str]) -> list[tuple[CaseId, list[Row]]]:
    selection = Selection.of(given, CATALOGUE, PURPOSES)
    return [(case, rows) for case, rows in CASES if selection.wants(case, rows)]


def test_without_an_option_everything_is_chosen() -> None:
    assert chosen() == CASES
    assert not Selection.of({"level": None, "case": []}, CATALOGUE, PURPOSES).given


def test_a_requirement_chooses_what_decides_it() -> None:
    found = chosen(requirement=["RFC3261-21.6-01"])
    assert found
    assert {case.purpose for case, _ in found} == {
        purpose.name for purpose in PURPOSES.values() if "RFC3261-21.6-01" in purpose.requirements
    }


@pytest.mark.parametrize("written", ["RFC3261-8.1", "RFC 3261 §8.1", "rfc3261 8.1", "RFC 3261 8.1."])
def test_a_clause_chooses_itself_and_what_lies_within_it(written: str) -> None:
    found = {row.id for _, rows in chosen(clause=[written]) for row in rows}
    assert {"RFC3261-8.1.3.4-02", "RFC3261-8.1.1.2-01"} <= found
    assert len(chosen(clause=["RFC3261-8.1.3.4"])) < len(chosen(clause=["RFC3261-8.1"])) < len(CASES)
    # 8.1 is no beginning of 8.10, and 1 none of 16.
    assert not Selection((), ("RFC3261-16.7.1",)).wants(*_of_row("RFC3261-16.7.10-01"))


def _of_row(row: str) -> tuple[CaseId, list[Row]]:
    return next(((case, rows) for case, rows in CASES if any(one.id == row for one in rows)), CASES[0])


def test_clauses_keep_to_their_document() -> None:
    assert clauses_of(CATALOGUE["RFC3261-8.1.3.4-11"]) == ("RFC3261-8.1.3.4", "RFC3261-26.4.4", "RFC5630-5.1.1")
    assert clauses_of(CATALOGUE["ATIS603P-02"]) == ("ATIS603P", "RFC3326-2")


def test_level_and_clause_are_of_one_requirement() -> None:
    both = chosen(level=["must"], clause=["RFC3261-21"])
    assert both
    assert all(any(level_of(r) == "must" and "RFC3261-21" in str(clauses_of(r)) for r in rows) for _, rows in both)
    each = {case for case, _ in chosen(level=["must"])} & {case for case, _ in chosen(clause=["RFC3261-21"])}
    assert {case for case, _ in both} < each


def test_roles_and_tags_narrow_it() -> None:
    assert {case.role for case, _ in chosen(role=["proxy", "uas"])} == {"proxy", "uas"}
    assert all(any(row.tier == "heart" for row in rows) for _, rows in chosen(tag=["heart"]))
    assert chosen(tag=["heart"])


@pytest.mark.parametrize("name", ["ua-decline", "proxy-3xx-6xx"])
def test_a_profile_chooses_what_its_certificate_needs(name: str) -> None:
    profile = load_profiles(CATALOGUE)[name]
    found = chosen(profile=[name])
    assert {case.role for case, _ in found} == set(profile.roles)
    asked = {row.id for _, rows in found for row in rows}
    assert set(profile.asked) <= asked


@pytest.mark.parametrize(
    ("printed", "roles"),
    [
        (DECLINE, {"uac", "b2bua"}),
        (f"{DECLINE} (uac)", {"uac"}),
        (f"{DECLINE} (uac-udp)", {"uac"}),
        (f"{DECLINE} reference-b2bua-udp", {"b2bua"}),
    ],
)
def test_the_printed_name_of_a_case_chooses_it(printed: str, roles: set[str]) -> None:
    assert is_case(printed)
    assert {case.role for case, _ in chosen(case=[printed]) if case.device == "reference"} == roles


def test_what_prints_a_case_names_only_it() -> None:
    for case, _ in CASES:
        assert [one for one, _ in CASES if named(one, str(case))] == [case]


@pytest.mark.parametrize("word", ["suites/uac/test_x.py", "a/b", "x/y/z::w", "-k"])
def test_a_path_is_no_case(word: str) -> None:
    assert not is_case(word)


@pytest.mark.parametrize(
    ("option", "word", "nearest"),
    [
        ("requirement", "RFC3261-21.6-1", "RFC3261-21.6-01"),
        ("clause", "RFC3261-21.66", "RFC3261-21.6"),
        ("profile", "ua-declin", "ua-decline"),
        ("case", "uac/decline_is_final/decline_is_finl", DECLINE),
    ],
)
def test_an_unknown_word_names_the_nearest(option: str, word: str, nearest: str) -> None:
    with pytest.raises(SetupError, match=f"--{option} '{word}' is unknown; the nearest: .*{nearest}"):
        Selection.of({option: [word]}, CATALOGUE, PURPOSES)


def test_the_names_of_markers_do_not_widen_k() -> None:
    words = {"decline", "redirect", "302", "603", "loop"}
    widened = {(word, name) for word in words for name in MARKERS if word in name.partition("(")[0]}
    assert widened <= {("redirect", "redirect")}  # the role, which is in the ids of its cases as well


@pytest.mark.parametrize(
    ("expression", "option"),
    [
        ("must", ("--level=must",)),
        ("clause(id='RFC3261-21.6') and b2bua", ("--clause=RFC3261-21.6", "--role=b2bua")),
        ("profile(name='ua-decline')", ("--profile=ua-decline",)),
    ],
)
def test_markers_choose_what_options_choose(expression: str, option: tuple[str, ...], tmp_path: Path) -> None:
    def collected(*arguments: str) -> list[str]:
        line = [sys.executable, "-m", "sipverdict", "run", "--collect-only", f"--out={tmp_path}", *arguments]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        return [one for one in done.stdout.splitlines() if "::" in one]

    by_marker = collected("-m", expression)
    assert by_marker
    assert by_marker == collected(*option)
