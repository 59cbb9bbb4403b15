"""Conforming devices with habits of their own pass: what RFC 3261 allows is no fault, and no reason to see nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.run.suite import run_suite

DEVICES = Path(__file__).parent / "devices"
NEEDED = "does not claim relays_foreign"
SOME = "redirect_is_followed or decline_is_final or test_ack or redirected_request"


@pytest.mark.parametrize(
    "way",
    [
        pytest.param("eccentric.toml:folds", id="folds-and-blanks-before-colons"),
        pytest.param("eccentric.toml:lf", id="lf-line-ends"),
        pytest.param("eccentric.toml:crlf", id="empty-line-first"),
    ],
)
def test_how_a_device_writes_its_messages_is_its_own_affair(tmp_path: Path, way: str) -> None:
    device = way.replace("eccentric.toml", str(DEVICES / "eccentric.toml"))
    run = run_suite(tmp_path, "--device", device, "-k", SOME)
    counts = Counter(record["verdict"] for record in run.records)
    assert counts["pass"] > 20, run.output
    assert set(counts) <= {"pass", "not_applicable", "not_tested"}, run.output


def test_a_proxy_that_refuses_strangers_is_met_in_its_own_domain(tmp_path: Path) -> None:
    run = run_suite(tmp_path, "--device", str(DEVICES / "home.toml"))
    counts = Counter(record["verdict"] for record in run.records)
    assert set(counts) == {"pass", "not_applicable", "not_tested"}, run.output
    assert counts["pass"] > 38, run.output
    left = [record for record in run.records if record["verdict"] == "not_tested" and NEEDED in record["reason"]]
    assert 0 < len(left) < 16, run.output


def test_a_device_that_is_started_for_each_plan_at_one_address_is_started_one_by_one(tmp_path: Path) -> None:
    run = run_suite(tmp_path, "--device", str(DEVICES / "one-by-one.toml"), "-k", "decline_and_failover or is_followed")
    assert {record["verdict"] for record in run.records} <= {"pass", "not_applicable", "not_tested"}, run.output
    assert "taken by another program" not in run.output
