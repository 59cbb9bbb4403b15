"""The proof that the suite can fail: every fault is caught by the purposes that name it, and by no others.

One run with every fault, each a device of its own, spread over two workers.  All faults are shown in the role
``uac``; the B2BUA has the same client side, so there only those that a purpose of ``suites/b2bua`` names, and a few
that stand for the rest.
"""

from __future__ import annotations

import pytest

from harness.devices.reference.faults import FAULTS
from harness.discovery import all_purposes
from tests.run.suite import Finished, run_suite

PURPOSES = all_purposes()
FOR_B2BUA = {"ignores_302", "no_ack", "endless_loop", "follows_contact_in_603", "redials_at_once"} | {
    fault for name, purpose in PURPOSES.items() if name.startswith("b2bua/") for fault in purpose.faults
}
# Its device is gone in the middle of a run that tests other things side by side: see test_fault_that_kills.py.
APART = {"dies_after_603"}
BY_ROLE = {
    role: [fault.name for fault in FAULTS if role in fault.roles and fault.name not in APART]
    for role in ("uac", "b2bua")
}
SHOWN_BY_B2BUA = [fault for fault in BY_ROLE["b2bua"] if fault in FOR_B2BUA or fault not in BY_ROLE["uac"]]


@pytest.fixture(scope="module")
def uac(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    faults = [f"--fault={fault}" for fault in BY_ROLE["uac"]]
    return run_suite(tmp_path_factory.mktemp("faults"), *faults, "-n2", "-k", "uac-udp", "--tb=no")


@pytest.fixture(scope="module")
def b2bua(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    faults = [f"--fault={fault}" for fault in SHOWN_BY_B2BUA]
    return run_suite(tmp_path_factory.mktemp("faults"), *faults, "-n2", "-k", "b2bua-udp", "--tb=no")


def caught(run: Finished, fault: str) -> set[str]:
    """The purposes that report a violation of the device with ``fault``."""
    return {
        record["purpose"]
        for record in run.records
        if record["device"] == f"reference+{fault}"
        and any(row["outcome"] == "violated" for row in record["requirements"])
    }


def expected(run: Finished, fault: str) -> set[str]:
    """The purposes that name ``fault`` and were run."""
    executed = {r["purpose"] for r in run.records if r["verdict"] != "not_applicable"}
    return {name for name, purpose in PURPOSES.items() if fault in purpose.faults} & executed


@pytest.mark.parametrize("fault", BY_ROLE["uac"])
def test_fault_is_caught_by_its_purposes_alone(uac: Finished, fault: str) -> None:
    assert caught(uac, fault) == expected(uac, fault), reasons(uac, fault)


@pytest.mark.parametrize("fault", SHOWN_BY_B2BUA)
def test_fault_of_a_b2bua_is_caught_by_its_purposes_alone(b2bua: Finished, fault: str) -> None:
    assert caught(b2bua, fault) == expected(b2bua, fault), reasons(b2bua, fault)


def test_every_fault_is_named_by_a_purpose() -> None:
    named = {fault for purpose in PURPOSES.values() for fault in purpose.faults}
    assert {fault.name for fault in FAULTS} == named


def test_every_purpose_has_a_fault_that_makes_it_fail() -> None:
    assert [name for name, purpose in PURPOSES.items() if not purpose.faults] == []


def reasons(run: Finished, fault: str) -> str:
    told = (f"{r['purpose']}: {r['verdict']}: {r['reason']}" for r in run.records if r["device"].endswith(f"+{fault}"))
    return "\n".join(line for line in told if ": pass:" not in line and ": not_applicable:" not in line)
