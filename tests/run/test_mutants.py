"""A small sample of the mechanical mutants, driven for real: one is caught, one equivalent, one lawful."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from harness.paths import ROOT
from tests.mutants import lawful
from tests.mutants.mutant import PACKAGE, Mutant, all_mutants
from tests.mutants.original import Originals
from tests.mutants.roles import chosen
from tests.mutants.runs import Turns
from tests.mutants.trial import Court, Result

CAUGHT = "redirect:RedirectServer.on_request:always:1e0270"
"""The redirect server takes a request for a user for one to itself."""
EQUIVALENT = "redirect:RedirectServer._redirect:never:c65b9d"
"""What only a fault does is never done."""
LAWFUL = "contacts:name_addr_of:change_constant:37a5f3"
"""Contacts without their q."""
NOT_EXECUTED = "redirect:RedirectServer._forward:swap_names:4078d3"
"""Code of that fault."""
SUITE = ("suites/redirect",)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    mutants = {mutant.id: mutant for mutant in all_mutants()}
    chosen = [mutants[identifier] for identifier in (CAUGHT, EQUIVALENT, LAWFUL, NOT_EXECUTED)]
    return asyncio.run(_tried(chosen, tmp_path_factory.mktemp("mutants")))


async def _tried(mutants: list[Mutant], folder: Path) -> dict[str, Result]:
    turns = Turns(4)
    originals = Originals(folder / "original", turns, SUITE)
    parts = chosen(["redirect"], ["udp"])
    court = Court(originals, lawful.load(), turns, folder / "flows", parts=parts, suite=SUITE)
    tried = await asyncio.gather(
        *(court.tried(mutant, (ROOT / PACKAGE / mutant.file).read_text("utf-8")) for mutant in mutants)
    )
    return {result.id: result for result in tried}


def test_a_mutant_that_does_wrong_is_caught(results: dict[str, Result]) -> None:
    caught = results[CAUGHT]
    assert (caught.outcome, caught.part) == ("caught", "redirect"), caught
    assert caught.purpose.startswith("redirect/redirect_server/")


def test_a_mutant_with_the_same_wire_is_equivalent(results: dict[str, Result]) -> None:
    assert results[EQUIVALENT].outcome == "equivalent", results[EQUIVALENT]


def test_a_lawful_mutant_differs_and_does_not_fail(results: dict[str, Result]) -> None:
    allowed = results[LAWFUL]
    assert allowed.outcome == "lawful", allowed
    assert "+ Contact: <sip:8{token}@{target}>" in allowed.difference
    assert Path(allowed.flow).is_file()


def test_a_mutant_that_no_role_executes_is_not_driven(results: dict[str, Result]) -> None:
    assert (results[NOT_EXECUTED].outcome, results[NOT_EXECUTED].parts) == ("not executed", ())
