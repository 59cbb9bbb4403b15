"""Real products, tested as a user tests them, against what is known of them: ``expected.toml`` beside their profiles.

What they do wrong is explained from the wire in docs/devices.md.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.device import load_profiles
from harness.model.windows import QUICK
from harness.policy.expectations import Expectations
from harness.run.specs import device_specs
from tests.run.suite import Finished, left_behind, run_suite

RUNS = ["baresip", "jssip", "kamailio", "pjsua2", "sippy-b2bua"]
"""A device is run with its variants."""
NAMES = sorted(profile.name for name in RUNS for profile in load_profiles(name))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finished]:
    folders = {name: tmp_path_factory.mktemp(name) for name in RUNS}
    with ThreadPoolExecutor() as side_by_side:
        made = {name: side_by_side.submit(run_suite, folders[name], f"--device={name}", "--expected") for name in RUNS}
    return {name: run.result() for name, run in made.items()}


@pytest.mark.parametrize("name", NAMES)
def test_product_does_what_it_is_known_to_do_and_nothing_else(runs: dict[str, Finished], name: str) -> None:
    run = runs[name.partition(":")[0]]
    told = run.lines[-1]["expected"]["deviations"]
    # What a busy machine kept from being seen is no news of the device.
    assert [one for one in told if one["device"] == name and one["got"] != "inconclusive"] == [], run.output
    assert run.status == (2 if told else 0), run.output
    assert any(record["verdict"] == "pass" for record in run.records if record["device"] == name)


@pytest.mark.parametrize(("device", "transports"), [("baresip", "tcp,tls"), ("kamailio:base", "tls")])
def test_product_does_the_same_over_another_transport(tmp_path: Path, device: str, transports: str) -> None:
    run = run_suite(tmp_path, f"--device={device}", f"--transport={transports}", "--expected")
    told = run.lines[-1]["expected"]["deviations"]
    assert [one for one in told if one["got"] != "inconclusive"] == [], run.output
    assert {record["transport"] for record in run.records if record["verdict"] == "pass"} == set(transports.split(","))


@pytest.mark.parametrize("name", NAMES)
def test_product_is_what_its_profile_declares(runs: dict[str, Finished], name: str) -> None:
    run = runs[name.partition(":")[0]]
    claims = [one for one in run.lines[-1]["pics"] if one["device"] == name]
    assert claims
    assert [one for one in claims if one["seen"] is not None and one["seen"] != one["claimed"]] == [], run.output


@pytest.mark.parametrize("name", RUNS)
def test_every_product_fails_something_and_that_stays_its_verdict(runs: dict[str, Finished], name: str) -> None:
    known = Expectations.of(device_specs([name], []), QUICK).known
    assert any(one.verdict == "fail" for entries in known.values() for one in entries)
    assert runs[name].lines[-1]["verdict"] == "fail"


@pytest.mark.parametrize("name", RUNS)
def test_run_is_complete_and_leaves_nothing_behind(runs: dict[str, Finished], name: str) -> None:
    assert runs[name].lines[0]["planned"] == runs[name].lines[-1]["executed"]
    assert left_behind(runs[name].out) == []
