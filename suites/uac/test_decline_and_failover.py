"""Failover is for servers that fail; a 603 is an answer (RFC 3263 4.3)."""

from __future__ import annotations

from harness.judge.acks import NOT_REFUSED, refused
from harness.judge.declines import since
from harness.judge.say import Findings, unseen
from harness.judge.silence import silent
from harness.model.flow import Flow
from harness.model.plan import Plan
from harness.purposes.purpose import purpose
from suites.declines import FAILURE_WITH_BACKUP, with_control
from suites.plans import callee, refuse

DECLINE_WITH_BACKUP = Plan((callee(refuse(603)),), uses_backup=True)


@purpose(
    "RFC3263-4.3-02",
    plan=(DECLINE_WITH_BACKUP, FAILURE_WITH_BACKUP),
    faults=["tries_backup_after_603"],
)
def test_decline_does_not_move_the_call_to_the_backup(flows: tuple[Flow, ...]) -> Findings:
    """A 603 never moves the call to the next server: the server works, and the callee has answered.

    Otherwise the callee's phone rings again by way of the backup server.  Typical defect: failover on "any 5xx or 6xx".

    A second call, which is answered 503, proves that the device has a backup and uses it.  An operator may have
    switched failover on for 6xx; the catalogue rates that as a warning where it is not the default.
    """
    declined, failed = flows
    refusal = refused(declined)
    if refusal is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return
    if all(seat.name != "backup" for seat in declined.seats):
        yield unseen("the device's profile names no backup address to watch", code="no-backup")
        return
    yield silent(
        since(with_control(declined, failed), refusal.attempt),
        code="backup-called",
        after=refusal.final,
        at=["backup"],
        expected="an ACK, and nothing at the backup server",
        means="a callee who declined is rung again by way of the backup server",
        look_at="which status codes count as a failed server: 503 and silence do, a 603 does not",
    )
