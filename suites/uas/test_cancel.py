"""CANCEL at a device that answers: it ends a pending call, and has no effect later (RFC 3261 9.2)."""

from __future__ import annotations

from harness.judge.answers import NOT_ANSWERED, Asked, answers_to, first_asked, refused_here, unproven, why_not_refused
from harness.judge.say import Findings, satisfied, unseen, violated
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.purposes.purpose import purpose
from suites.answering import CANCELLED, LATE_CANCEL

ANSWER_S = 2.0
"""Seconds after the CANCEL within which its answer must arrive; a device needs a few milliseconds."""


@purpose(
    "RFC3261-9.2-01",
    "RFC3261-8.3-04",
    plan={role: plan for role, plan in LATE_CANCEL.items() if role != "proxy"},
    faults=["late_cancel_ends_call", "ignores_cancel"],
)
def test_cancel_after_the_refusal_changes_nothing(flow: Flow) -> Findings:
    """A CANCEL that comes after the 302 or 603 is answered 200, and the 302 or 603 remains the outcome.

    The caller hangs up while the answer is on its way.  Typical defects: the device finds no call for the CANCEL and
    answers 481; or the CANCEL "wins", and the caller gets 487 after 603.

    The transaction lives until its ACK, so 481 is wrong here.  After the ACK it would be right.
    """
    here = refused_here(flow)
    if here is None:
        yield unseen(why_not_refused(flow), code="not-refused")
        return
    one, final = here
    cancels, answers = answers_to(flow, "CANCEL")
    if not cancels or cancels[0].number < final.number:
        yield unseen(f"no CANCEL was sent after the {final.status}", code="not-cancelled")
        return
    others = [other for other in one.finals if other.status != final.status]
    if others:
        yield violated(
            code="second-final-response",
            expected=f"the {final.status} (message {final.number}), and no other final response to the INVITE",
            actual=f"{others[0].status} {others[0].reason} after the CANCEL",
            event=others[0],
            means="one call has two outcomes: the caller's side believes one, the call record holds the other",
            look_at="how a CANCEL affects an INVITE that has its final response",
        )
        return
    yield _cancel_accepted(flow, one, cancels[0], answers)


@purpose("RFC3261-9.2-02", plan=CANCELLED, faults=["cancel_declined", "ignores_cancel"])
def test_cancelled_call_is_terminated(flow: Flow) -> Findings:
    """A CANCEL while the phone rings is answered 200, and the INVITE 487: not 603, 302 or 486.

    The caller hung up.  Their device must neither show that the callee declined nor be redirected.  Typical defect: the
    device has one event for "the call was not answered", whatever ended it, and forwarding on no answer sends its 302.

    The phone would ring for long, so a final response that comes with the CANCEL did not cross it by chance.
    """
    one = first_asked(flow)
    cancels, answers = answers_to(flow, "CANCEL")
    if one is None or not cancels:
        if one is None:
            yield unseen(NOT_ANSWERED, code="not-answered")
        else:
            yield unseen("the device did not ring, so the call was not cancelled", code="no-ringing")
        return
    cancel, final = cancels[0], one.final
    if final is None:
        if doubt := unproven(flow, one.seat, cancel.time + ANSWER_S):
            yield unseen(f"the INVITE got no final response after the CANCEL, but {doubt}", code="not-proven")
            return
        yield violated(
            code="no-final-response",
            expected="487 to the INVITE",
            actual=f"nothing in {flow.watch.closed_at - cancel.time:.0f} s",
            event=cancel,
            means="the phone may ring on, and the caller's side waits for an answer",
            look_at="how a CANCEL affects an INVITE that rings",
        )
        return
    if final.number < cancel.number:
        yield unseen(f"the {final.status} was there before the CANCEL", code="answered-before")
        return
    if one.status < 300:
        yield unseen(f"the call was answered ({final.status}) in the moment it was cancelled", code="answered")
        return
    if final.status != 487:
        yield violated(
            code="wrong-final-response",
            expected="487 to the INVITE",
            actual=f"{final.status} {final.reason}",
            event=final,
            means='a caller who hung up sees "declined", or is redirected to another user',
            look_at="does a cancelled call get the same status as a declined one?",
        )
        return
    yield _cancel_accepted(flow, one, cancel, answers)


def _cancel_accepted(flow: Flow, one: Asked, cancel: Event, answers: tuple[Event, ...]) -> Finding:
    """Whether the CANCEL got its 2xx."""
    outcome = one.final
    said = f"the INVITE's outcome is {outcome.status}" if outcome else "the INVITE has no outcome"
    if answers:
        if 200 <= (answers[0].status or 0) < 300:
            return satisfied(f"{answers[0].status} to the CANCEL, and {said}", event=answers[0])
        return violated(
            code="cancel-refused",
            expected="200 to the CANCEL",
            actual=f"{answers[0].status} {answers[0].reason}, although {said} and has no ACK yet",
            event=answers[0],
            means="the caller's side takes the call for lost, or shows an error for a call that ended normally",
            look_at="how a CANCEL is matched to its INVITE: the transaction lives until the ACK, and longer",
        )
    if doubt := unproven(flow, one.seat, cancel.time + ANSWER_S):
        return unseen(f"the CANCEL got no answer, but {doubt}", code="not-proven")
    return violated(
        code="cancel-unanswered",
        expected="200 to the CANCEL",
        actual=f"no answer in {flow.watch.closed_at - cancel.time:.0f} s",
        event=cancel,
        means="the caller's side repeats its CANCEL for 32 s",
        look_at="is a CANCEL answered in every state of the INVITE's transaction?",
    )
