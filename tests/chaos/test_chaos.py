"""A sample of ``make chaos``: no fault of the machine makes a wrong verdict, and nothing is left behind."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.chaos.harms import privileged
from tests.chaos.outcome import Outcome, suffer
from tests.chaos.table import TABLE, Fault

SAMPLE = [fault for fault in TABLE if fault.sample and (privileged() or not fault.root)]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[Outcome]]:
    """The sample, two runs at a time, each compared with one that nothing disturbed."""
    base = suffer(TABLE[0], tmp_path_factory.mktemp("none"), None)
    assert not base.wrong
    assert {"fail", "pass"} <= set(base.verdicts.values())
    pool = ThreadPoolExecutor(3)
    return {fault.name: pool.submit(suffer, fault, tmp_path_factory.mktemp("run"), base.verdicts) for fault in SAMPLE}


@pytest.mark.parametrize("fault", SAMPLE, ids=[fault.name.replace(" ", "-") for fault in SAMPLE])
def test_a_fault_of_the_machine(outcomes: dict[str, Future[Outcome]], fault: Fault) -> None:
    outcome = outcomes[fault.name].result(300)
    assert not outcome.wrong
    assert not outcome.left
