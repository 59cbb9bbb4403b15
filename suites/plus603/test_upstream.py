"""The device that placed the call, or chose its route: after a 603+ it stops."""

from __future__ import annotations

import dataclasses

from harness.judge.acks import NOT_REFUSED, refused
from harness.judge.attempts import Attempt, at
from harness.judge.declines import handled_like, last_final, since, stays_declined
from harness.judge.redirection import NOT_FOLLOWED
from harness.judge.say import Findings, unseen
from harness.judge.silence import silent
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from suites.declines import FAILURE_WITH_BACKUP, REDIALS, with_control
from suites.plans import DECLINE
from suites.plus603._plans import BLOCKED_RETRY_AFTER, BLOCKED_WITH_BACKUP, HALVES, REDIRECTED

CALLERS = ("uac", "b2bua")
RETRY_AFTER_S = 3.0
TIMER_SLACK_S = 0.25
MEANS = "a call that the network has blocked is placed again, and blocked again"


@purpose(
    "ATIS603P-05",
    plan=BLOCKED_WITH_BACKUP,
    faults=[*REDIALS, "tries_backup_after_603", "tries_next_route_after_603plus", "reads_reason_phrase"],
    roles=CALLERS,
)
def test_blocked_call_is_not_placed_again(flow: Flow) -> Findings:
    """After a 603+ the device does not place the call again: neither there, nor at its backup, nor anywhere else.

    A second attempt is blocked as the first one was, and looks like a robocaller's.  Typical defect: auto-redial or
    route advance that leaves "Decline" out by its phrase, and takes "Network Blocked" for a network failure.
    """
    refusal = refused(flow)
    yield stays_declined(flow, refusal, means=MEANS) if refusal else unseen(NOT_REFUSED, code="not-refused")


@purpose(
    "ATIS603P-18",
    plan=(BLOCKED_WITH_BACKUP, FAILURE_WITH_BACKUP),
    faults=["tries_backup_after_603", "tries_next_route_after_603plus"],
    roles=CALLERS,
)
def test_block_does_not_move_the_call_to_the_backup(flows: tuple[Flow, ...]) -> Findings:
    """A 603+ never moves the call to the next server or route: the network answered, it has not failed.

    Typical defect: the phrase "Network Blocked" in a list of network failures; or failover on "any 5xx or 6xx".

    A second call, which is answered 503, proves that the device has a backup and uses it.
    """
    blocked, failed = flows
    refusal = refused(blocked)
    if refusal is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return
    if all(seat.name != "backup" for seat in blocked.seats):
        yield unseen("the device's profile names no backup address to watch", code="no-backup")
        return
    yield silent(
        since(with_control(blocked, failed), refusal.attempt),
        code="backup-called",
        after=refusal.final,
        at=["backup"],
        expected="an ACK, and nothing at the backup",
        means=MEANS,
        look_at="which status codes count as a failed route: 503 and silence do, a 603 does not",
    )


@purpose("ATIS603P-17", plan=REDIRECTED, faults=["second_contact_after_603"], roles=CALLERS)
def test_block_ends_a_hunt(flow: Flow) -> Findings:
    """When one of several targets is blocked by 603+, the others are not called.

    Typical defect: the hunt goes on after every failure but "Decline".
    """
    reached = at(flow, "target")
    if not reached or reached[0].final is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    yield silent(
        since(flow, reached[0]),
        code="next-target-called",
        after=reached[0].final,
        at=["second"],
        expected="an ACK, and nothing at the next target",
        means="a call that was blocked rings at the next target",
        look_at="which codes make a hunt go on: 6xx does not",
    )


@purpose(
    "ATIS603P-05",
    plan=BLOCKED_RETRY_AFTER,
    faults=[
        *REDIALS,
        *("redials_before_retry_after", "redials_at_retry_after"),
        *("tries_backup_after_603", "tries_next_route_after_603plus", "reads_reason_phrase"),
    ],
    roles=CALLERS,
)
def test_retry_after_is_no_invitation(flow: Flow) -> Findings:
    """A 603+ with Retry-After is final as well: the device does not call by itself, least of all before that time.

    Typical defect: the redial timer is set by Retry-After, whatever the code.  A call after that time is a warning.
    """
    refusal = refused(flow)
    if refusal is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return

    def on_time(again: Attempt) -> bool:
        return again.invite.time - last_final(flow, again).time >= RETRY_AFTER_S - TIMER_SLACK_S

    early = stays_declined(flow, refusal, code="called-too-early", unless=on_time, means=MEANS)
    yield early
    if early.outcome == "satisfied":
        again = stays_declined(flow, refusal, means=MEANS)
        yield dataclasses.replace(again, at_most=min(again.at_most, Verdict.WARN))


@purpose("ATIS603P-04", plan=(DECLINE, *HALVES), faults=["reads_reason_phrase"], roles=CALLERS)
def test_one_sign_alone_is_a_plain_603(flows: tuple[Flow, ...]) -> Findings:
    """A 603 with the phrase alone, or with the Reason alone, is handled like a 603 Decline: acknowledged, and final.

    Typical defect: what is not whole is taken for an unknown error, and tried again.
    """
    plain, *halves = flows
    for half in halves:
        yield from handled_like(
            plain,
            half,
            means=MEANS,
            look_at="does the retry logic read the phrase or the Reason before the status code?",
        )
