"""Real products, tested as a user tests them.  What they do wrong is known from the wire: docs/devices.md."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.run.suite import Finished, left_behind, run_suite

FAILS = {
    "baresip": {
        "RFC3261-8.1.3.4-09",
        "RFC3261-19.1.5-03",
        "INT-302-SELF-01",
        "RFC3261-8.1.3.4-02",
        "RFC3261-8.1.3.4-15",
        "INT-302-LOOP-02",
    },
    "pjsua2": {
        "INT-302-SELF-01",
        "RFC3261-8.1.3.4-02",
        "RFC3261-8.1.3.4-15",
        "INT-302-LOOP-02",
        "RFC3261-19.1.5-07",
        "RFC3261-19.1.5-09",
        "RFC3261-20.10-03",
    },
    "sippy-b2bua": {"RFC3261-17.1.1.2-02", "RFC3261-17.1.1.3-01"},
}
"""Every requirement that a product fails, confirmed; each is explained in docs/devices.md."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finished]:
    folders = {name: tmp_path_factory.mktemp(name) for name in FAILS}
    with ThreadPoolExecutor() as side_by_side:
        made = {name: side_by_side.submit(run_suite, folders[name], f"--device={name}") for name in FAILS}
    return {name: run.result() for name, run in made.items()}


@pytest.mark.parametrize("name", sorted(FAILS))
def test_product_fails_what_it_is_known_to_fail_and_nothing_else(runs: dict[str, Finished], name: str) -> None:
    run = runs[name]
    failed = {row["id"] for record in run.records for row in record["requirements"] if row["verdict"] == "fail"}
    assert failed == FAILS[name], run.output
    assert run.status == 1


@pytest.mark.parametrize("name", sorted(FAILS))
def test_run_is_complete_and_leaves_nothing_behind(runs: dict[str, Finished], name: str) -> None:
    assert runs[name].lines[0]["planned"] == runs[name].lines[-1]["executed"]
    assert any(verdict == "pass" for verdict in runs[name].verdicts().values())
    assert left_behind(runs[name].out) == []
