"""The caller's user gives up while a call is being redirected (RFC 3261 9.1)."""

from __future__ import annotations

from harness.judge.acks import acknowledged, refusal_of
from harness.judge.answers import first_asked
from harness.judge.attempts import at, original, tries
from harness.judge.redirection import NOT_FOLLOWED, redirected
from harness.judge.say import Findings, expect, not_proven, satisfied, unseen
from harness.judge.silence import gap, silent
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

ANSWERED = Plan(
    (
        callee(redirect(MOVED)),
        target(
            Answer((RINGING, Response(480, after=RINGS_S)), cancelled="answer", crossing=Response(200), then="wait")
        ),
    ),
    calls=_CANCEL,
)
"""The user hangs up while the new target rings; the CANCEL is answered 200, and the INVITE is answered: 200."""

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


@purpose("RFC3261-13.2.2.4-02", plan=ANSWERED, faults=["keeps_unwanted_call"], acts={"hangup"})
def test_answer_that_crosses_the_cancel_is_hung_up(flow: Flow) -> Findings:
    """When the target answers just as the user gives up, the device acknowledges the 200 and says BYE.

    Typical defect: the CANCEL ends the call for the application, and the 200 finds nobody; the person who has answered
    hears silence, and the call is charged.

    A B2BUA whose caller still waits may pass the 200 on; that caller hangs up then.
    """
    if redirected(flow) is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    ringing, cancel = next(iter(at(flow, "target")), None), _cancel(flow, "target")
    if ringing is None or cancel is None or ringing.final is None or not 200 <= (ringing.status or 0) < 300:
        yield unseen(NOT_CANCELLED, code="not-cancelled")
        return
    one = first_asked(flow)
    if one and 200 <= one.status < 300:
        yield satisfied("the 200 was passed on to a caller who still waited", event=one.final)
        return
    answer = ringing.final
    byes = flow.select("BYE", received=True, where=lambda e: e.call_id == answer.call_id and e.to_tag == answer.to_tag)
    if not byes and (missing := gap(flow, ("target",))):
        yield not_proven("no BYE arrived", missing)
        return
    yield expect(
        bool(byes),
        code="answer-kept",
        expected=f"an ACK of the 200 (message {answer.number}), and a BYE",
        actual=f"BYE {byes[0].time - answer.time:.1f} s after it" if byes else "no BYE",
        event=byes[0] if byes else answer,
        means="somebody who has answered is left in a call with nobody, and the call is charged",
        look_at="who takes a 2xx that comes after the CANCEL: it makes a dialog, which has to be ended",
    )


def _cancel(flow: Flow, seat: str) -> Event | None:
    """The CANCEL of the INVITE that arrived at ``seat``."""
    branches = {attempt.invite.branch for attempt in tries(flow) if attempt.seat == seat}
    return next(iter(flow.select("CANCEL", at=seat, received=True, where=lambda e: e.branch in branches)), None)
