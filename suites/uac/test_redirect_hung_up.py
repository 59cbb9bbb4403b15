"""The caller's user gives up while a call is being redirected (RFC 3261 9.1)."""

from __future__ import annotations

from harness.judge.acks import acknowledged, refusal_of
from harness.judge.attempts import at, original, tries
from harness.judge.redirection import NOT_FOLLOWED, redirected
from harness.judge.say import Findings, unseen
from harness.judge.silence import silent
from harness.model.flow import Event, Flow
from harness.model.plan import Answer, Call, Plan, Response
from harness.purposes.purpose import purpose
from suites.plans import MOVED, RINGING, SECOND_URI, callee, guard, redirect, target

RINGS_S = 4.0
"""So long a phone rings: a device may take 2 s until it cancels, and the machine is busy."""
_CANCEL = (Call(act="cancel"),)

HUNG_UP_RINGING = Plan(
    (
        callee(redirect(MOVED + ";q=1.0", f"<{SECOND_URI}>;q=0.5")),
        target(Answer((RINGING, Response(480, after=RINGS_S)))),
        guard("second"),
    ),
    calls=_CANCEL,
)
"""Two Contacts; the user hangs up while the first one rings."""

CROSSED = Plan(
    (
        callee(
            Answer(
                (RINGING, Response(480, after=RINGS_S)), cancelled="answer", crossing=Response(302, contacts=(MOVED,))
            )
        ),
        guard("target"),
    ),
    calls=_CANCEL,
)
"""The user hangs up while the callee rings; the CANCEL is answered 200, and the INVITE 302."""

NOT_CANCELLED = "the device did not cancel the call, or not in time"


@purpose("INT-302-CANCEL-01", plan=HUNG_UP_RINGING, faults=["goes_on_after_hangup"], acts={"hangup"})
def test_hanging_up_ends_the_hunt(flow: Flow) -> Findings:
    """When the user hangs up while a Contact rings, that INVITE is cancelled and no other Contact is called.

    Typical defect: the 487 of the cancelled INVITE counts as a failure of that target, and the next phone rings for a
    caller who has gone.
    """
    if redirected(flow) is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    ringing = next(iter(at(flow, "target")), None)
    cancel = _cancel(flow, "target")
    if ringing is None or cancel is None or ringing.status != 487:
        yield unseen(NOT_CANCELLED, code="not-cancelled")
        return
    yield silent(
        flow,
        code="next-contact-called",
        after=cancel,
        expected="an ACK of the 487, and no further INVITE",
        means="the next phone rings for a caller who has hung up",
        look_at="what the 487 of a cancelled INVITE leads to: does the hunt know that its user has gone?",
    )


@purpose("INT-302-CANCEL-02", plan=CROSSED, faults=["goes_on_after_hangup"], acts={"hangup"})
def test_redirection_that_crosses_the_cancel_is_not_followed(flow: Flow) -> Findings:
    """A 302 that comes after the CANCEL is acknowledged, and the call is not placed elsewhere: its user has given up.

    Typical defect: what a final response leads to does not depend on whether anybody still waits for it.
    """
    first = original(flow)
    cancel = _cancel(flow, "callee")
    refusal = refusal_of(flow, first)
    if first is None or cancel is None or refusal is None or refusal.final.status != 302:
        yield unseen(NOT_CANCELLED, code="not-cancelled")
        return
    if refusal.final.number < cancel.number:
        yield unseen("the 302 came before the CANCEL", code="not-crossed")
        return
    yield acknowledged(flow, refusal)
    yield silent(
        flow,
        code="followed-after-cancel",
        after=cancel,
        expected="an ACK of the 302, and no INVITE for its Contact",
        means="a phone rings for a caller who has hung up",
        look_at="what a 3xx leads to when the call has been cancelled",
    )


def _cancel(flow: Flow, seat: str) -> Event | None:
    """The CANCEL of the INVITE that arrived at ``seat``."""
    branches = {attempt.invite.branch for attempt in tries(flow) if attempt.seat == seat}
    return next(iter(flow.select("CANCEL", at=seat, received=True, where=lambda e: e.branch in branches)), None)
