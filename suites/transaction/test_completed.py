"""After its final response an INVITE is not repeated, and later responses change nothing (RFC 3261 17.1.1.2)."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judge.acks import NOT_REFUSED, Refusal, acknowledged, late_copies, refused
from harness.judge.declines import since
from harness.judge.passed_on import passed_on
from harness.judge.say import Findings, not_proven, satisfied, unseen, violated
from harness.judge.silence import gap, silent
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.plan import Answer, Plan, Response
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from suites.plans import DECLINE, DECLINE_RINGING, MOVED, RINGING, accept, callee, guard, target

DECLINE_BETWEEN_COPIES = Plan((callee(Answer((Response(603, after=0.3),))),))
REDIRECT_BETWEEN_COPIES = Plan((callee(Answer((Response(302, contacts=(MOVED,), after=0.3),))), target(accept())))
"""The only response comes after 0.3 s, while Timer A (0.5 s) is running."""

_REDIRECT_LATER = Response(302, contacts=("<sip:8{token}@{elsewhere}>",), after=0.3)
DECLINE_THEN_REDIRECT = Plan((callee(Answer((Response(603), _REDIRECT_LATER))), guard("elsewhere")))
FAILURE_THEN_REDIRECT = Plan((callee(Answer((Response(500), _REDIRECT_LATER))), guard("elsewhere")))
"""Another final response on the same branch, 0.3 s after the first."""

DECLINE_THEN_ANSWER = Plan((callee(Answer((Response(603), Response(200, tag="late", after=0.3)), then="wait")),))
"""A 603 and, on the same branch, the 200 of another phone."""

REDIRECT_THEN_ANSWER = Plan(
    (
        callee(Answer((Response(302, contacts=(MOVED,)), Response(200, tag="late", after=0.3)), then="wait")),
        target(Answer((RINGING, Response(486, after=1.0)))),
    ),
)
"""A 302 and, on the same branch, the 200 of another phone, while the target of the 302 rings."""

SESSION_S = 3.0
"""How long the late 200 is repeated before it counts as not acknowledged."""


def _invite_rests(flow: Flow, refusal: Refusal) -> Finding:
    name = f"the {refusal.final.status} (message {refusal.final.number})"
    if late := late_copies(refusal.attempt):
        after = ", ".join(f"{copy.time - refusal.final.time:.1f} s" for copy in late)
        return violated(
            code="invite-repeated",
            expected=f"no copy of the INVITE once {name} was received",
            actual=f"{len(late)} more with the same branch, after {after}",
            event=late[0],
            means="the callee's server gets an INVITE again and again that it has already answered",
            look_at="does the final response stop Timer A?",
        )
    if missing := gap(since(flow, refusal.attempt), [refusal.attempt.seat]):
        return not_proven(f"no copy came after {name}", missing)
    return satisfied(f"no copy of the INVITE after {name}")


@purpose(
    "RFC3261-17.1.1.2-07",
    plan=(DECLINE_BETWEEN_COPIES, REDIRECT_BETWEEN_COPIES),
    faults=["keeps_retransmitting"],
    side="outbound",
)
def test_invite_is_not_repeated_after_its_final_response(flow: Flow) -> Findings:
    """Copies of the INVITE end with its final response, even if no provisional response came before it.

    A server that has forgotten the call takes the copy for a new one, and a callee who declined is rung again.  Typical
    defect: only the first 1xx stops Timer A.

    The clause says SHOULD, but in figure 5 Timer A runs in state Calling only.  The catalogue therefore allows no
    exception.
    """
    refusal = refused(flow)
    yield _invite_rests(flow, refusal) if refusal else unseen(NOT_REFUSED, code="not-refused")


@purpose("INT-603-EARLY-01", plan=(DECLINE, DECLINE_RINGING), faults=["keeps_retransmitting"], side="outbound")
def test_decline_needs_no_ringing_before_it(flows: Sequence[Flow]) -> Findings:
    """A 603 as the first and only response is acknowledged like one after ringing, and nothing else follows.

    Blocklists and do-not-disturb answer within milliseconds.  Typical defect: a state machine that accepts refusals
    only while ringing drops the early one and repeats the INVITE until it times out.

    A device that acknowledges the 603 after ringing no better does not fail here for a second time.
    """
    flow, ringing = flows
    refusal = refused(flow)
    if refusal is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return
    usual = refused(ringing)
    if refusal.acks or (usual and usual.acks):
        yield acknowledged(flow, refusal)
    else:
        yield unseen(
            "no ACK of the 603 arrived, but this device acknowledges one after ringing no better "
            "(another rule covers that)",
            code="no-ack-usually",
        )
    yield _invite_rests(flow, refusal)


@purpose(
    "RFC3261-17.1.1.2-06",
    plan=(DECLINE_THEN_REDIRECT, FAILURE_THEN_REDIRECT),
    faults=["acts_on_second_final"],
    side="outbound",
)
def test_second_final_response_is_not_acted_upon(flow: Flow) -> Findings:
    """Another final response on the branch of a refused INVITE counts as a copy of the first one.

    Faulty forking proxies let two answers through.  A device that acts on the second one moves a call that was
    declined.  Typical defect: the transaction hands final responses to the application in every state.

    Whether the second response is acknowledged is not judged: two ETSI test purposes differ there, and both ways are
    harmless.
    """
    refusal = refused(flow)
    if refusal is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return
    second = [final for final in refusal.attempt.finals if final.status != refusal.final.status]
    if not second:
        yield unseen("the second final response was never sent", code="not-sent")
        return
    yield silent(
        since(flow, refusal.attempt),
        code="second-final-followed",
        after=refusal.final,
        at=["elsewhere"],
        expected=f"the {refusal.final.status} remains the outcome, and nothing goes to the Contact of the later 302",
        means="a call that had ended is moved to another user",
        look_at="does the transaction hand responses to the application in state Completed?",
    )


@purpose("RFC3261-13.2.2.3-01", plan=DECLINE_THEN_ANSWER, faults=["accepts_second_final"], side="outbound")
def test_answer_after_a_decline_is_ignored(flow: Flow) -> Findings:
    """A 200 that comes after the final refusal of the same INVITE does not make a call.

    The user has seen "declined" and has hung up, so a session now is an open microphone.  Typical defect: the device
    acknowledges every 200 and opens a dialog, whatever the state of the INVITE.

    ACK and BYE at once is kinder to the far end than silence, but the clause says ignore: a warning.
    """
    yield from _late_answer_ignored(flow)


@purpose("INT-302-LATE200-01", plan=REDIRECT_THEN_ANSWER, faults=["accepts_200_after_302"], side="outbound")
def test_answer_after_a_redirection_makes_no_second_call(flow: Flow) -> Findings:
    """A 200 that comes after the 302 of the same INVITE does not make a call beside the one to the Contact.

    A forking proxy lets a phone answer in the moment in which another one redirects.  A device that takes both is in
    two calls, and its user hears one of them.  Typical defect: a 2xx is handed to the application in every state.

    Ignoring it conforms (13.2.2.3).  ACK and BYE at once is kinder to the far end than silence: a warning.
    """
    yield from _late_answer_ignored(flow)


def _late_answer_ignored(flow: Flow) -> Findings:
    refusal = refused(flow)
    answers = [final for final in refusal.attempt.finals if final.status == 200] if refusal else []
    if refusal is None or not answers:
        yield unseen("the 200 after the first final response was never sent", code="not-sent")
        return
    first = refusal.final.status
    tag = answers[0].to_tag

    def to_the_answer(event: Event) -> bool:
        return event.number > answers[0].number and event.to_tag == tag and not passed_on(flow, event)

    acks = flow.select("ACK", received=True, where=to_the_answer)
    byes = flow.select("BYE", received=True, where=to_the_answer)
    if acks or byes:
        yield violated(
            code="late-answer-ended" if byes else "late-answer-accepted",
            expected=f"nothing but the ACK of the {first}",
            actual=f"{' and '.join(['ACK'] * bool(acks) + ['BYE'] * bool(byes))} in the dialog of the late 200",
            event=(*acks, *byes)[0],
            means=f"a call that was answered {first} is answered, and ended at once"
            if byes
            else f"a call that was answered {first} goes on with a phone that nobody hears",
            look_at="does a 200 that finds its INVITE transaction in Completed reach the application?",
            at_most=Verdict.WARN if byes else Verdict.FAIL,
        )
    elif missing := _not_watched(flow, answers[0]):
        yield unseen(f"the late 200 was not acknowledged, but {missing}", code="not-proven")
    else:
        yield satisfied(
            "the late 200 was neither acknowledged nor ended by a BYE",
            note="whether media was sent is not observed",
        )


def _not_watched(flow: Flow, answer: Event) -> str:
    seat = flow.seat(answer.seat)
    if seat.lost_at is not None:
        return f"{seat.name} ({seat.address}) stopped listening"
    if flow.watch.closed_at - answer.time < SESSION_S:
        return f"the flow ends {flow.watch.closed_at - answer.time:.1f} s after it"
    if flow.life is None or flow.life.at < answer.time + SESSION_S:
        return "the device gave no sign of life afterwards"
    return ""
