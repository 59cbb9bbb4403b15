"""The proof that the suite can fail: every fault is caught by the purposes that name it, and by no others.

Every fault is given to a device of its own, and all of them are tested in a few runs.  All faults are shown in the role
``uac``; the B2BUA has the same client side, so there only those that a purpose of ``suites/b2bua`` names, and a few
that stand for the rest.  What only a long window shows has a run with the standard one.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from harness.devices.reference.faults import FAULTS
from harness.discovery import all_purposes
from tests.run.suite import Finished, run_suite

Records = list[dict[str, Any]]
PURPOSES = all_purposes()
FOR_B2BUA = {"ignores_302", "no_ack", "endless_loop", "follows_contact_in_603", "redials_at_once"} | {
    fault for name, purpose in PURPOSES.items() if name.startswith("b2bua/") for fault in purpose.faults
}
# Its device is gone in the middle of a run that tests other things side by side: see test_fault_that_kills.py.
APART = {"dies_after_603"}
# Comes after Timer D, which the quick window does not see.
ONLY_LATE = {"redials_at_33s"}
LATE = ONLY_LATE | {fault for purpose in PURPOSES.values() if purpose.least_window for fault in purpose.faults}
BY_ROLE = {
    role: [fault.name for fault in FAULTS if role in fault.roles and fault.name not in APART]
    for role in ("uac", "b2bua")
}
SHOWN_BY_UAC = [fault for fault in BY_ROLE["uac"] if fault not in ONLY_LATE]
SHOWN_BY_B2BUA = [
    fault
    for fault in BY_ROLE["b2bua"]
    if fault not in ONLY_LATE and (fault in FOR_B2BUA or fault not in BY_ROLE["uac"])
]
SHOWN_LATE = [fault for fault in BY_ROLE["uac"] if fault in LATE]

NEVER_FAILS = {
    # By their ruling nothing that is observed can be a violation.
    "uac/redirect_hunts/order_of_the_targets": "8.1.3.4-04: any order conforms, the one that was seen is reported",
    # The reference device has not got what the row asks for, so the purpose does not apply to it.
    "transaction/ack/ack_repeats_the_route": "17.1.1.3-05: it has no preloaded route",
    "uac/without_following/redirection_is_a_failed_call": "13.2.2.2-02: it follows redirections",
    "b2bua/what_the_caller_learns/redirection_that_is_not_followed_ends_the_call": "13.2.2.2-02: it follows them",
}
"""The purposes without a fault, and why.  What their judges say of faulty devices is shown in ``tests/unit/judge``."""

OPTIONS = ("--tb=no", "-p", "no:allure_pytest")
"""Nobody reads these reports."""
RUNS = 4
"""In so many runs the devices are tested, beside each other; in each of them some devices are, side by side."""
LIMIT_S = 1500.0


def shown(folder: pytest.TempPathFactory, faults: list[str], role: str, *more: str) -> Records:
    def run(share: list[str], out: Path) -> Finished:
        names = [f"--fault={fault}" for fault in share]
        return run_suite(out, *names, *more, *OPTIONS, "-k", f"{role}-udp", timeout=LIMIT_S)

    shares = [share for number in range(RUNS) if (share := faults[number::RUNS])]
    folders = [folder.mktemp("faults") for _ in shares]
    with ThreadPoolExecutor(RUNS) as runs:
        return [record for one in runs.map(run, shares, folders) for record in one.records]


@pytest.fixture(scope="module")
def uac(tmp_path_factory: pytest.TempPathFactory) -> Records:
    return shown(tmp_path_factory, SHOWN_BY_UAC, "uac")


@pytest.fixture(scope="module")
def b2bua(tmp_path_factory: pytest.TempPathFactory) -> Records:
    return shown(tmp_path_factory, SHOWN_BY_B2BUA, "b2bua")


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Records:
    return shown(tmp_path_factory, SHOWN_LATE, "uac", "--window=standard")


def caught(records: Records, fault: str) -> set[str]:
    """The purposes that report a violation of the device with ``fault``."""
    return {
        record["purpose"]
        for record in records
        if record["device"] == f"reference+{fault}"
        and any(row["outcome"] == "violated" for row in record["requirements"])
    }


def expected(records: Records, fault: str) -> set[str]:
    """The purposes that name ``fault`` and were run."""
    executed = {r["purpose"] for r in records if r["verdict"] != "not_applicable"}
    return {name for name, purpose in PURPOSES.items() if fault in purpose.faults} & executed


@pytest.mark.parametrize("fault", SHOWN_BY_UAC)
def test_fault_is_caught_by_its_purposes_alone(uac: Records, fault: str) -> None:
    assert caught(uac, fault) == expected(uac, fault), reasons(uac, fault)


@pytest.mark.parametrize("fault", SHOWN_BY_B2BUA)
def test_fault_of_a_b2bua_is_caught_by_its_purposes_alone(b2bua: Records, fault: str) -> None:
    assert caught(b2bua, fault) == expected(b2bua, fault), reasons(b2bua, fault)


@pytest.mark.parametrize("fault", SHOWN_LATE)
def test_fault_is_caught_by_its_purposes_alone_in_the_standard_window(late: Records, fault: str) -> None:
    assert caught(late, fault) == expected(late, fault), reasons(late, fault)


def test_every_fault_is_named_by_a_purpose() -> None:
    named = {fault for purpose in PURPOSES.values() for fault in purpose.faults}
    assert {fault.name for fault in FAULTS} == named


def test_every_purpose_has_a_fault_that_makes_it_fail() -> None:
    assert {name for name, purpose in PURPOSES.items() if not purpose.faults} == NEVER_FAILS.keys()


def reasons(records: Records, fault: str) -> str:
    told = (f"{r['purpose']}: {r['verdict']}: {r['reason']}" for r in records if r["device"].endswith(f"+{fault}"))
    return "\n".join(line for line in told if ": pass:" not in line and ": not_applicable:" not in line)
