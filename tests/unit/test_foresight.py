"""What a run says before its first call: which requirements of a profile it cannot decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.model.axes import Axes
from harness.policy.profiles import named
from harness.purposes.case import Case
from harness.purposes.discovery import all_purposes
from harness.purposes.purpose import Purpose
from harness.requirements.catalogue import Catalogue
from harness.run.foresight import undecidable
from harness.run.specs import device_specs

CATALOGUE, PURPOSES = Catalogue.load(), all_purposes()
SPECS = tuple(device_specs(["reference:redirect"], []).values())
ROW = "RFC3261-8.3-01"
DECIDING = [name for name, one in PURPOSES.items() if ROW in one.requirements]


def cases(skip: Callable[[Purpose], str]) -> Callable[[Purpose], Mapping[str, Case]]:
    def of(purpose: Purpose) -> Mapping[str, Case]:
        axes = Axes("redirect", "udp", "ipv4")
        return {"one": Case(purpose, "reference:redirect", axes, (), skip(purpose), ())}

    return of


def said(skip: Callable[[Purpose], str], window_s: float = 40.0) -> list[str]:
    profile = named("redirect-server", CATALOGUE)
    return list(undecidable([profile], SPECS, PURPOSES, cases(skip), CATALOGUE, window_s))


def test_nothing_where_everything_can_be_tested() -> None:
    assert said(lambda purpose: "") == []


def test_every_purpose_of_a_requirement_is_skipped() -> None:
    sentences = said(lambda purpose: "the profile lacks a number" if purpose.name in DECIDING else "")
    assert len(sentences) == 1
    assert sentences[0].startswith("redirect-server: this run cannot decide ")
    assert ROW in sentences[0]
    assert sentences[0].endswith(" of reference:redirect: the profile lacks a number")


def test_another_purpose_decides_it() -> None:
    row, lost = "RFC3261-17.2.1-03", "transaction/server_transaction/ack_ends_the_copies"
    assert row not in "".join(said(lambda purpose: "no such number" if purpose.name == lost else ""))
    assert row in "".join(said(lambda purpose: "no such number" if row in purpose.requirements else ""))


def test_a_short_window_is_not_made_good_by_another_purpose() -> None:
    long = [name for name, one in PURPOSES.items() if one.least_window > 5 and "redirect" in one.roles]
    assert long
    sentences = said(lambda purpose: "needs a window of 40 s" if purpose.name in long else "", window_s=5.0)
    assert sentences
    assert all(sentence.endswith("needs a window of 40 s") for sentence in sentences)
