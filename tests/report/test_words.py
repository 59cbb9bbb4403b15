"""The words of the pages are complete in every language, and so is the ledger of what is not tested."""

from __future__ import annotations

import re
import string

import pytest

from harness.errors import SetupError
from harness.model.axes import ROLES
from harness.purposes.discovery import all_purposes
from harness.report.coverage import STATUSES
from harness.report.words import TEMPLATES, languages, words
from harness.requirements.catalogue import Catalogue
from harness.requirements.untested import load_untested

ENGLISH = words("en")


def placeholders(message: object) -> list[set[str]]:
    texts = message if isinstance(message, list) else [str(message)]
    return [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in texts]


@pytest.mark.parametrize("language", [language for language in languages() if language != "en"])
def test_every_message_is_translated_with_its_placeholders(language: str) -> None:
    other = words(language)
    # Languages differ in what they say otherwise of one.
    assert {key.removesuffix("_one") for key in other.messages} == {
        key.removesuffix("_one") for key in ENGLISH.messages
    }
    for key, message in ENGLISH.messages.items():
        if key not in other.messages:
            continue
        assert placeholders(other.messages[key]) == placeholders(message), key
        if not key.endswith(".name") and len(str(message)) > 20:
            assert other.messages[key] != message, f"{key} is not translated"


def test_every_message_is_used_and_every_used_one_exists() -> None:
    sources = "".join(path.read_text("utf-8") for path in TEMPLATES.glob("*.j2"))
    asked = set(re.findall(r'words\("([a-z_.]+)"[,)]', sources))
    assert asked <= ENGLISH.messages.keys()
    assert {f"verdict.{status}" for status in STATUSES} <= ENGLISH.messages.keys()


def test_one_is_not_many() -> None:
    assert ENGLISH("finding.driven", n=1) == "driven once"
    assert ENGLISH("finding.driven", n=2) == "driven 2 times"
    with pytest.raises(SetupError, match="there is no page in 'de'"):
        words("de")


def test_a_device_cannot_write_a_placeholder() -> None:
    assert ENGLISH("finding.no_evidence", reason="{n} {0.__class__}") == (
        "The page cannot show the evidence: {n} {0.__class__}"
    )


def test_every_statement_is_decided_or_has_a_reason() -> None:
    decided = {row for purpose in all_purposes().values() for row in purpose.requirements}
    ledger = load_untested()
    catalogue = Catalogue.load()
    undecided = {row.id for row in catalogue} - decided
    assert undecided == {key for key in ledger if " " not in key}
    # A statement that is decided in one role and not in another has a reason there, too.
    pairs = {
        (row, role)
        for one in all_purposes().values()
        for row in one.requirements
        for role in one.roles or catalogue[row].roles
    }
    bound = {(row, role) for row in decided for role in catalogue[row].roles if role in ROLES}
    assert {f"{row} {role}" for row, role in bound - pairs} == {key for key in ledger if " " in key}
    for row, reason in ledger.items():
        assert f"untested.{reason.kind}" in ENGLISH, row
        if reason.kind in ("same", "implied"):
            assert reason.see in catalogue, row
            assert reason.see in decided | ledger.keys()
