"""The proof that the suite can fail: every fault is caught by the purposes that name it, and by no others.

Every fault is given to a device of its own, in each role that it is for, and that device meets the whole suite.  Two
roles are spared what another one shows: the B2BUA has the client side of the UAC, and the recursing proxy the rest of
the other proxy; there only those faults are shown that a purpose of theirs names, and a few that stand for the rest.
What only a long window shows is shown in the standard one, too.

Here one cell in sixteen is tested: its device meets every purpose that names its fault, and one plan in sixteen of the
others, in turn.  ``make faults`` tests the whole of the table.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.devices.reference.faults import FAULTS, Fault
from harness.judge.patience import TOO_SHORT
from harness.model.outcome import SKIPPED
from harness.purposes.discovery import all_purposes
from harness.requirements.catalogue import Catalogue
from tests.run.fault_consequences import CONSEQUENCES
from tests.run.suite import run_suite

CATALOGUE = Catalogue.load()
PURPOSES = {name: purpose for name, purpose in all_purposes().items() if not purpose.apart}
"""Without those of robustness, which tests/run/test_robustness.py proves."""
PLANS = {plans: at for at, plans in enumerate(dict.fromkeys(purpose.plans for purpose in PURPOSES.values()))}
"""Purposes with equal plans are decided by one drive: they take their turn together."""
ROLES = {
    name: purpose.roles or {role for row in purpose.requirements for role in CATALOGUE[row].roles}
    for name, purpose in PURPOSES.items()
}
Records = list[dict[str, Any]]

NAMED = {fault for purpose in PURPOSES.values() for fault in purpose.faults}
APART = {"dies_after_603", "drops_ack_of_200"} | {fault.name for fault in FAULTS} - NAMED
"""Robustness has a table of its own.  The ACK of a 2xx passes by a proxy that does not Record-Route (12.2.1.1), as the
reference proxy: tests/reference shows that fault.  The device of the first one is gone in the middle of a run that
tests other things side by side: see test_fault_that_kills.py."""
TOO_LATE_FOR_QUICK = {"redials_after_8s", "redials_at_33s"} | {
    fault
    for fault in {fault for purpose in PURPOSES.values() for fault in purpose.faults}
    if all(purpose.least_window for purpose in PURPOSES.values() if fault in purpose.faults)
}
PATIENT = {
    "chokes_on_expires",
    "first_contact_only",
    "first_value_of_line",
    "follows_302_only",
    "forgets_older_contacts",
    "ignores_302",
    "ignores_3xx_after_media",
    "keeps_callers_transport",
    "leaves_caller_ringing",
    "needs_brackets_for_quotes",
    "needs_brackets_in_lists",
    "needs_user",
    "no_compact_contact",
    "reads_reason_phrase",
    "redials_after_302",
    "resolves_one_family",
    "skips_same_place",
    "stays_in_family",
    "stays_with_dead_server",
    "swallows_302",
    "swallows_302_without_contact",
    "takes_apostrophe_for_quote",
}
"""Faults by which something does not happen: the quick window finds that it has not happened yet."""
LATE = (
    TOO_LATE_FOR_QUICK
    | PATIENT
    | {fault for purpose in PURPOSES.values() if purpose.least_window for fault in purpose.faults}
)
ALSO_BY_B2BUA = {"no_ack", "endless_loop", "follows_contact_in_603", "redials_at_once"} | {
    fault for name, purpose in PURPOSES.items() if name.startswith("b2bua/") for fault in purpose.faults
}
ALSO_BY_RECURSING = {"leaves_branches_ringing", "new_branch_after_6xx", "prefers_other_class"}

NEVER_FAILS = {
    # By their ruling nothing that is observed can be a violation.
    "uac/redirect_hunts/order_of_the_targets": "8.1.3.4-04: any order conforms, the one that was seen is reported",
    # The reference device has not got what the row asks for, so the purpose does not apply to it.
    "transaction/ack/ack_repeats_the_route": "17.1.1.3-05: it has no preloaded route",
    "uac/without_following/redirection_is_a_failed_call": "13.2.2.2-02: it follows redirections",
    "b2bua/what_the_caller_learns/redirection_that_is_not_followed_ends_the_call": "13.2.2.2-02: it follows them",
    # When the device's run ends is chance; shown in tests/drive/test_what_comes_late.py.
    "invariants/account/no_call_comes_when_its_drive_is_over": "INT-ACCOUNT-02: what comes after the window",
    # The devices of this table have an address of their own; shown in tests/run/test_a_call_to_nobody.py.
    "invariants/account/every_call_belongs_to_a_drive": "INT-ACCOUNT-03: only where all calls come to one address",
    # A window of 70 s is more than these tests can wait for.
    "proxy/recursed_request/redirect_target_may_ring_for_three_minutes": "16.6-05: only in the extended window",
}
"""The purposes without a fault, and why.  What their judges say of faulty devices is shown in ``tests/unit/judge``."""


WHOLE = os.environ.get("SIPVERDICT_FAULT_TABLE") == "whole"
ONE_IN = 1 if WHOLE else 16
"""Of the plans that no purpose needs which names the fault, so many are left out but one."""


ANY_CALL = {
    "uac": "transaction/ack/ack_has_no_body",
    "b2bua": "transaction/ack/ack_has_no_body",
    "proxy": "proxy/best_response/decline_of_the_only_branch_goes_up_as_it_is",
    "redirect": "transaction/server_transaction/further_acks_are_absorbed",
    "uas": "uas/answers/refusal_has_a_to_tag",
}
"""Invariants have no plans.  A fault that only invariants name is shown in those of this purpose, by role."""
SHOWN_BY = {
    "acks_200_once": {"uac/redirect_steps/other_codes_redirect_as_well"},
    "acks_only_first_branch": {"proxy/best_response/decline_is_preferred_to_every_other_answer"},
    "blocks_everything": {
        "redirect/redirect_server/user_without_entry_is_not_redirected",
        "uas/answers/refusal_has_a_to_tag",
    },
    "bare_answer_to_cancel": {
        "proxy/cancel/reason_of_a_cancel_is_passed_on",
        "uas/cancel/cancel_after_the_refusal_changes_nothing",
    },
    "asks_the_same_leg": {"uac/refused_reinvite/decline_of_a_reinvite_ends_that_transaction_only"},
    "answers_without_record_route": {
        "b2bua/what_the_caller_learns/redirection_is_passed_on_or_followed_but_not_both",
        "uas/answers/ringing_and_refusal_have_one_tag",
    },
    "forgets_route_set": {"uac/redirected_call_ends/bye_of_a_redirected_call_goes_to_the_target"},
    "keeps_route_of_ringing": {"uac/redirected_call_ends/bye_of_a_redirected_call_goes_to_the_target"},
    "answers_bye_500": {"uac/refused_reinvite/decline_of_a_reinvite_ends_that_transaction_only"},
    "answers_message_481": {"uas/answers/message_gets_no_provisional_answer"},
    "answers_on_new_connection": {
        "redirect/redirect_server/redirect_server_sends_no_requests",
        "transaction/ack/ack_has_no_body",
        "uas/answers/refusal_has_a_to_tag",
    },
    "answers_without_session": {"b2bua/redirected_call_ends/bye_of_a_redirected_call_goes_to_the_target"},
    "refuses_media_by_silence": {"b2bua/redirected_call_ends/bye_of_a_redirected_call_goes_to_the_target"},
    "cancels_as_other_host": {
        "proxy/decline_ends_the_search/what_rings_is_cancelled_after_a_decline",
        "uas/cancel/cancelled_call_is_terminated",
    },
    "cancels_with_two_vias": {"proxy/cancel/reason_of_a_cancel_is_passed_on"},
    "cancels_after_4xx": {"proxy/best_response/redirection_is_preferred_to_a_failure"},
    "cancels_with_new_branch": {
        "proxy/decline_ends_the_search/what_rings_is_cancelled_after_a_decline",
        "uas/cancel/cancelled_call_is_terminated",
    },
    "drops_ack_of_200": {"proxy/cancel/what_rings_is_cancelled_after_an_answer"},
    "forgets_603plus_in_copies": {"plus603/blocking/blocked_call_is_answered_603"},
    "remembers_reason_of_603plus": {"plus603/beside/unwanted_stays_unwanted"},
    "hangs_on_dead_302": {"uac/redirect_contact_forms/broken_contact_costs_no_more_than_the_call"},
    "ignores_cancel": {"proxy/cancel/reason_of_a_cancel_is_passed_on"},
    "repeats_cseq_in_dialog": {
        "b2bua/redirected_call_ends/bye_of_a_redirected_call_goes_to_the_target",
        "uac/refused_reinvite/decline_of_a_reinvite_ends_that_transaction_only",
    },
    # That an address of the other family can be reached has to be seen.
    "resolves_one_family": {"uac/redirect_to_another_family/contact_of_the_other_family_is_called"},
    "retries_after_503": {"uac/redirect_hunts/next_contact_is_tried_when_one_fails"},
    "contact_of_old_family": {"uac/redirect_to_another_family/contact_of_the_other_family_is_called"},
    "reinvites_from_old_family": {"uac/redirect_to_another_family/call_across_can_be_changed"},
    "records_without_brackets": {"uac/redirect_to_another_family/contact_of_the_other_family_is_called"},
    "records_old_family": {"uac/redirect_to_another_family/contact_of_the_other_family_is_called"},
    "via_of_old_family": {"uac/redirect_to_another_family/contact_of_the_other_family_is_called"},
    "constant_from_tag": {"uac/after_decline/next_call_after_a_decline_works"},
    "no_ack_of_487": {
        "proxy/best_response/caller_is_answered_once_however_many_branches_there_were",
        "proxy/cancel/reasons_are_of_different_protocols",
    },
    "sends_no_100": {
        "proxy/best_response/caller_is_answered_once_however_many_branches_there_were",
        "transaction/calling/invite_is_repeated_until_it_is_answered",
    },
    "sends_requests_once": {"uas/answers/message_gets_no_provisional_answer"},
    "swaps_uri_headers": {"uac/redirect_request_uri/headers_and_method_stay_out"},
}
"""The purposes in whose plans it shows, where not every call shows it."""
OVER = {fault.name: fault.over or "udp" for fault in FAULTS}
"""The transport over which each fault is shown."""
BY_INVARIANTS_ALONE = {
    fault.name
    for fault in FAULTS
    if all(purpose.everywhere for purpose in PURPOSES.values() if fault.name in purpose.faults)
}

LATE_CALL = frozenset({"invariants/account/no_call_comes_when_its_drive_is_over"})
LATE_CALLERS = (
    *("redials_after_8s", "redials_other_number"),
    *("redials_before_retry_after", "redials_at_retry_after"),
    *("repeats_call_at_retry_after", "repeats_refused_reinvite", "redials_at_33s"),
)
_ACKS_OF_ONE_BRANCH = frozenset(
    {
        "invariants/acks/every_ack_of_a_refusal_is_made_of_its_invite",
        "invariants/acks/every_copy_of_a_refusal_is_acknowledged",
        "invariants/acks/every_refusal_is_acknowledged",
        "invariants/requests_are_repeated/no_request_is_repeated_after_its_response",
    }
)
"""Whose ACK and whose response it is cannot be told, where two transactions have one branch."""
MAY_CATCH: dict[str, frozenset[str] | set[str]] = {
    # A date in the expires of a Contact has blanks.
    "reads_q_into_uri": {"invariants/messages/every_message_has_the_shape_of_one"},
    "reuses_branch": _ACKS_OF_ONE_BRANCH,
    "reuses_branch_on_recursion": _ACKS_OF_ONE_BRANCH | {"invariants/account/every_message_has_a_cause"},
    # Another INVITE that the device sends by itself may come before the copy of the caller's INVITE, or after it.
    "redials_at_once": {"transaction/server_transaction/copy_of_the_invite_gets_the_same_refusal"},
    "redirect_also_forwards": {"transaction/server_transaction/copy_of_the_invite_gets_the_same_refusal"},
    # The caller's ACK comes late on a busy machine, and so a copy before it.
    "forgets_603plus_in_copies": {name for name in PURPOSES if name.startswith("plus603/")},
    # What follows from the defect shows in a few plans that are about something else.
    "answers_without_contact": {"invariants/dialogs/what_ends_one_leg_ends_the_other"},
    # The device drops the response to such a CANCEL, which has its Vias, and repeats the CANCEL.
    "cancels_as_other_host": {"invariants/requests_are_repeated/no_request_is_repeated_after_its_response"},
    "cancels_with_two_vias": {"invariants/requests_are_repeated/no_request_is_repeated_after_its_response"},
    "keeps_old_host": {"invariants/targets/each_target_is_tried_once"},
    "keeps_to_tag": {"invariants/dialogs/requests_of_a_dialog_go_to_its_peer"},
    "other_to_tag": {"invariants/answers/every_answer_to_a_cancel_has_the_tag_of_its_invite"},
    "second_final_upstream": {"invariants/answers/every_refusal_is_repeated_until_its_ack"},
    "swallows_302": {"proxy/recursion/unreachable_contact_is_a_failed_branch"},
    # What comes to the backup counts in every plan, and in which of them the fault calls it is for its conditions.
    "tries_backup_after_603": {
        "uac/decline_extras/absurd_retry_after_is_no_invitation",
        "uac/decline_extras/no_call_before_retry_after_has_passed",
        "uac/decline_extras/reason_does_not_turn_a_decline_into_something_else",
        "uac/decline_is_final/decline_is_final",
    },
    # The redial of a call whose re-INVITE was declined is the same call again as well.
    "redials_after_1s": LATE_CALL
    | {"invariants/targets/each_target_is_tried_once", "invariants/account/every_message_has_a_cause"},
    # Where another drive goes on long enough, a seat hears what comes after the window.
    **dict.fromkeys(LATE_CALLERS, LATE_CALL),
}
"""Purposes that see a fault now and then, or in consequence of it."""

MAY_BE_UNCLEAR = {
    # On a busy machine the copy of the INVITE and a copy of its answer come at the same time.
    "ignores_invite_copy": {"transaction/server_transaction/copy_of_the_invite_gets_the_same_refusal"},
}
"""Purposes that may be inconclusive about a fault that they name."""


@dataclass(frozen=True)
class Cell:
    """A fault of a device in a role, and the window it is watched for."""

    device: str
    role: str
    window: str
    fault: str

    def __str__(self) -> str:
        return "-".join((self.role if self.device == "reference:base" else self.device, self.window, self.fault))

    @property
    def tested(self) -> str:
        """What the records call the device."""
        return f"{self.device.removesuffix(':base')}+{self.fault}"

    def items(self, turn: int) -> Iterable[str]:
        """The pytest items of the purposes that its device meets."""
        for purpose in PURPOSES.values():
            if self.role in ROLES[purpose.name] and (
                self.fault in purpose.faults
                or purpose.name in self._shown_by
                or (PLANS[purpose.plans] + turn) % ONE_IN == 0
            ):
                folder, file, sentence = purpose.name.split("/")
                yield f"suites/{folder}/test_{file}.py::test_{sentence}[{self.tested}-{self.role}-{OVER[self.fault]}]"

    @property
    def _shown_by(self) -> set[str]:
        alone = {ANY_CALL[self.role]} if self.fault in BY_INVARIANTS_ALONE else set()
        return SHOWN_BY.get(self.fault, alone)


def _cells() -> Iterable[Cell]:
    for fault in FAULTS:
        for device, role in _devices(fault):
            if fault.name not in TOO_LATE_FOR_QUICK:
                yield Cell(device, role, "quick", fault.name)
            if fault.name in LATE and (role != "b2bua" or fault.name == "leaves_caller_ringing"):
                yield Cell(device, role, "standard", fault.name)


def _devices(fault: Fault) -> Iterable[tuple[str, str]]:
    if fault.name in APART:
        return
    if "uac" in fault.roles:
        yield "reference:base", "uac"
    if "b2bua" in fault.roles and (fault.name in ALSO_BY_B2BUA or "uac" not in fault.roles):
        yield "reference:base", "b2bua"
    if "proxy" in fault.roles:
        if not fault.claim:
            yield "reference:proxy", "proxy"
        if fault.claim or fault.name in ALSO_BY_RECURSING:
            yield "reference:recursing", "proxy"
    for role in {"redirect", "uas"} & set(fault.roles):
        yield f"reference:{role}", role


CELLS = sorted(_cells(), key=str)
RUNS = 3
"""So many runs at a time, and in each of them some devices side by side: most of them are just being watched."""
SAMPLE = CELLS if WHOLE else CELLS[::16]
MOST = 20
"""Devices in one run."""
LIMIT_S = 1500.0


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[Cell, Records]:
    """What the purposes say of every cell that is chosen."""
    chosen = {item.callspec.params.get("cell") for item in request.session.items if hasattr(item, "callspec")}
    groups: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in (cell for cell in CELLS if cell in chosen):
        groups.setdefault((cell.device, cell.role, cell.window), []).append(cell)
    runs = [share for cells in groups.values() for share in _shares(cells)]
    # Small ones first: a device that acknowledges nothing takes more than a minute in any company.
    runs.sort(key=len)
    folders = [tmp_path_factory.mktemp("faults") for _ in runs]
    # Those with the long window mostly wait, and do so beside the others.
    with ThreadPoolExecutor(len(runs)) as waiting, ThreadPoolExecutor(RUNS) as busy:
        tested = [
            (busy if cells[0].window == "quick" else waiting).submit(_run, cells, folder)
            for cells, folder in zip(runs, folders, strict=True)
        ]
        return {cell: records for run in tested for cell, records in run.result().items()}


def _shares(cells: list[Cell]) -> Iterable[list[Cell]]:
    shares = -(-len(cells) // MOST)
    return (cells[at::shares] for at in range(shares))


def _run(cells: list[Cell], out: Path) -> dict[Cell, Records]:
    first = cells[0]
    faults = [f"--fault={cell.fault}" for cell in cells]
    chosen = out / "items.txt"
    chosen.write_text("\n".join(item for cell in cells for item in cell.items(CELLS.index(cell))))
    # Nobody reads these reports.
    quiet = ("--tb=no", "-p", "no:allure_pytest", "--no-page")
    options = (f"--device={first.device}", f"--window={first.window}", *faults, *quiet, f"@{chosen}")
    done = run_suite(out, *options, timeout=LIMIT_S)
    return {cell: [record for record in done.records if record["device"] == cell.tested] for cell in cells}


@pytest.mark.parametrize("cell", SAMPLE, ids=str)
def test_fault_is_caught_by_its_purposes_alone(table: dict[Cell, Records], cell: Cell) -> None:
    records = table[cell]
    assert records, "it was not tested"
    executed = {record["purpose"] for record in records if record["verdict"] not in SKIPPED}
    expected = {name for name, purpose in PURPOSES.items() if cell.fault in purpose.faults} & executed
    caught = {record["purpose"] for record in records if any(_catches(row, cell) for row in record["requirements"])}
    assert expected, "no purpose that names it was executed"
    unclear = {record["purpose"] for record in records if record["verdict"] == "inconclusive"}
    unclear &= MAY_BE_UNCLEAR.get(cell.fault, set())
    seen_once = {record["purpose"] for record in records if any(_once(row) for row in record["requirements"])}
    assert caught - MAY_CATCH.get(cell.fault, set()) - CONSEQUENCES.get(cell.fault, set()) <= expected, reasons(records)
    assert expected - caught <= seen_once | unclear, reasons(records)


def _catches(row: dict[str, Any], cell: Cell) -> bool:
    unfinished = cell.window == "quick" and cell.fault in PATIENT and row["code"] == TOO_SHORT
    return row["outcome"] == "violated" or unfinished


def _once(row: dict[str, Any]) -> bool:
    """Whether it was seen in one of two drives: that these runs share the machine is not the judges' fault."""
    return row["verdict"] == "inconclusive" and "not repeatable" in row["reason"]


def test_every_fault_is_named_by_a_purpose() -> None:
    named = {fault for purpose in all_purposes().values() for fault in purpose.faults}
    assert {fault.name for fault in FAULTS} == named


def test_every_purpose_has_a_fault_that_makes_it_fail() -> None:
    assert {name for name, purpose in PURPOSES.items() if not purpose.faults} == NEVER_FAILS.keys()


def reasons(records: Records) -> str:
    told = (f"{record['purpose']}: {record['verdict']}: {record['reason']}" for record in records)
    return "\n".join(line for line in told if ": pass:" not in line and ": not_" not in line)
