"""Real products, tested as a user tests them.  What they do wrong is known from the wire: docs/devices.md."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.device import load_profiles
from tests.run.suite import Finished, left_behind, run_suite

RECURSES = {"RFC3261-16.5-01", "RFC3261-16.6-01"}
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
    "pjsua2:uas": set[str](),
    "sippy-b2bua": {"RFC3261-17.1.1.2-02", "RFC3261-17.1.1.3-01", "RFC3261-9.2-01"},
    "kamailio": set[str](),
    "kamailio:parallel": set[str](),
    "kamailio:parallel-6xx-unblocked": set[str](),
    "kamailio:recurses": RECURSES,
    "kamailio:recurses-unchecked": RECURSES | {"RFC3261-16.7.5-03", "RFC3261-6-01", "INT-302-603-02"},
    "kamailio:recurses-for-all": RECURSES | {"RFC3261-16.5-02"},
    "kamailio:recurses-parallel": RECURSES,
    "kamailio:redirect": {"RFC3261-8.3-03"},
    "kamailio:uas": set[str](),
}
"""Every requirement that a product fails, confirmed; each is explained in docs/devices.md."""
RUNS = sorted({name.partition(":")[0] for name in FAILS})
"""A device is run with its variants."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finished]:
    folders = {name: tmp_path_factory.mktemp(name) for name in RUNS}
    with ThreadPoolExecutor() as side_by_side:
        made = {name: side_by_side.submit(run_suite, folders[name], f"--device={name}") for name in RUNS}
    return {name: run.result() for name, run in made.items()}


def test_every_variant_is_expected() -> None:
    assert {profile.name for name in RUNS for profile in load_profiles(name)} == set(FAILS)


@pytest.mark.parametrize("name", sorted(FAILS))
def test_product_fails_what_it_is_known_to_fail_and_nothing_else(runs: dict[str, Finished], name: str) -> None:
    run = runs[name.partition(":")[0]]
    records = [record for record in run.records if record["device"] == name]
    failed = {row["id"] for record in records for row in record["requirements"] if row["verdict"] == "fail"}
    assert failed == FAILS[name], run.output
    assert run.status == 1
    assert any(record["verdict"] == "pass" for record in records)


@pytest.mark.parametrize("name", RUNS)
def test_run_is_complete_and_leaves_nothing_behind(runs: dict[str, Finished], name: str) -> None:
    assert runs[name].lines[0]["planned"] == runs[name].lines[-1]["executed"]
    assert left_behind(runs[name].out) == []
