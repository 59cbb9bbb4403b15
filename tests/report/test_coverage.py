"""What the page says of a statement that is decided in other roles than those of the device."""

from __future__ import annotations

from harness.report.coverage import NOT_CHOSEN, Suite, coverage
from harness.report.identity import Identity
from harness.requirements.catalogue import Catalogue
from harness.requirements.untested import Untested

ROW = "RFC3261-14.1-01"
CLAIMS = {"sends_reinvite": True}


def _said_of(*roles: str) -> tuple[str, str]:
    suite = Suite(Catalogue.load(), {ROW: ("uac/a_purpose",)}, {f"{ROW} uas": Untested("in_dialog")})
    covered = coverage(suite, (), [Identity("phone", roles=roles, pics=CLAIMS)])
    found = next(one for one in covered if one.row.id == ROW)
    return found.status, found.why[0].key


def test_a_role_in_which_nothing_decides_it_is_not_tested() -> None:
    assert _said_of("uas") == ("not_tested", "untested.in_dialog")


def test_a_role_that_was_left_out_of_the_run_is_not_chosen() -> None:
    assert _said_of("uac") == (NOT_CHOSEN, "coverage.not_chosen")
    assert _said_of("uac", "uas") == (NOT_CHOSEN, "coverage.not_chosen")
