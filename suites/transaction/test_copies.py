"""Copies of a final response: acknowledged each time, acted upon once (RFC 3261 17.1.1.2, RFC 6026 8.4)."""

from __future__ import annotations

from harness.judge.ack_copies import REPEATS, TIMER_D, TIMER_D_S, doubt, each_copy_acknowledged
from harness.judge.acks import NOT_ACKED, refused
from harness.judge.declines import called_again, since, stays_declined
from harness.judge.say import Findings, satisfied, unseen, violated
from harness.judge.silence import silent
from harness.model.flow import Flow
from harness.model.plan import Answer, Plan, Response
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from suites.plans import DECLINE, MOVED, accept, callee, target

SOON = (0.02, 0.28, 0.4, 2.8)
"""Copies 20 ms, 0.3 s and 0.7 s after the first response; and one after 3.5 s, when all the others are forgotten."""
TIMER_G = (0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0)
"""The copies of a server whose ACKs are all lost (17.2.1), less the one after 31.5 s: it could come after Timer D."""
AT_31_S = (30.5,)
"""Half a second early: a busy machine sends it late, and after 32 s it would prove nothing."""

_302 = Response(302, contacts=(MOVED,))
_603 = Response(603)

REDIRECT_COPIES = Plan((callee(Answer((_302,), copies=SOON)), target(accept())))
DECLINE_COPIES = Plan((callee(Answer((_603,), copies=SOON)),))
REDIRECT_TIMER_G = Plan((callee(Answer((_302,), copies=TIMER_G)), target(accept())), watched=False)
DECLINE_TIMER_G = Plan((callee(Answer((_603,), copies=TIMER_G)),), watched=False)
DECLINE_AT_31_S = Plan((callee(Answer((_603,), copies=AT_31_S)),), watched=False)


@purpose(
    "RFC3261-17.1.1.2-03",
    plan=REDIRECT_TIMER_G,
    faults=["ignores_copies", "follows_every_copy", "reuses_branch"],
    least_window=40.0,
    side="outbound",
)
def test_redirect_repeated_by_timer_g_is_acknowledged_each_time(flow: Flow) -> Findings:
    """A 302 that is repeated for half a minute is acknowledged each time and followed once.

    A redirector sends these copies if its network loses every ACK. Typical defect: the device deletes the transaction
    once the call has gone on to its new target, and answers no later copy.
    """
    yield from _followed_once(flow)


@purpose(
    "RFC3261-17.1.1.2-03",
    plan=REDIRECT_COPIES,
    faults=["ignores_copies", "follows_every_copy", "reuses_branch", "forgets_refusal_after_2s"],
    side="outbound",
)
def test_copies_of_a_redirect_are_acknowledged_and_followed_once(flow: Flow) -> Findings:
    """Each copy of a 302 gets the same ACK again, and the redirection is followed once.

    Lost ACKs are common on UDP. A device that follows every copy rings its target two or three times.  Typical defects:
    the transaction hands the copy to the application; or the transaction is deleted with its first ACK.
    """
    yield from _followed_once(flow)


def _followed_once(flow: Flow) -> Findings:
    refusal = refused(flow)
    if refusal is None or not refusal.acks:
        yield unseen(NOT_ACKED, code="not-acknowledged")
        return
    yield each_copy_acknowledged(flow, refusal)
    # What the device does after the first 302, right or wrong, has other judges.
    once = called_again(flow, refusal)
    again = called_again(flow, refusal, unless=lambda attempt: attempt == once)
    if not flow.plan.watched and again is None:
        return
    yield silent(
        since(flow, refusal.attempt),
        code="followed-again",
        after=once.invite if once else refusal.final,
        expected="one INVITE to the Contact, however many copies of the 302 came",
        means="the target rings once for each copy",
        look_at="does the transaction hand copies of a final response to the application?",
    )


@purpose(
    "RFC3261-17.1.1.2-03",
    plan=(DECLINE, DECLINE_COPIES),
    faults=["ignores_copies", "forgets_refusal_after_2s"],
    side="outbound",
)
def test_copies_of_a_decline_are_acknowledged_and_change_nothing(flows: tuple[Flow, ...]) -> Findings:
    """Each copy of a 603 gets the same ACK again, and no copy makes the device do anything else.

    Typical defect: the second copy finds no transaction and is dropped, so the callee's server repeats its 603 for half
    a minute.

    A device that calls again after a plain 603 is judged by 21.6.  Only the effect of the copies is judged here.
    """
    plain, copied = refused(flows[0]), refused(flows[1])
    if plain is None or copied is None or not copied.acks:
        yield unseen(NOT_ACKED, code="not-acknowledged")
        return
    yield each_copy_acknowledged(flows[1], copied)
    if called_again(flows[0], plain) is None:
        yield stays_declined(
            flows[1],
            copied,
            means="a repeated refusal makes the device call again",
            look_at="does the transaction hand copies of a final response to the application?",
        )


@purpose("RFC3261-17.1.1.2-03", plan=DECLINE_TIMER_G, faults=["ignores_copies"], least_window=40.0, side="outbound")
def test_decline_repeated_by_timer_g_is_acknowledged_each_time(flow: Flow) -> Findings:
    """A 603 that is repeated for half a minute is acknowledged each time.

    A server sends these copies if its network loses every ACK. Typical defect: Timer D is a few seconds.

    RFC 3261 only recommends the 32 s.  A device that acknowledges every copy for more than 5 s and none after that gets
    a warning.
    """
    refusal = refused(flow)
    if refusal is None or not refusal.acks:
        yield unseen(NOT_ACKED, code="not-acknowledged")
        return
    yield each_copy_acknowledged(flow, refusal)


@purpose("RFC3261-17.1.1.2-04", plan=DECLINE_AT_31_S, faults=["ignores_copies"], least_window=40.0, side="outbound")
def test_copy_after_31_seconds_is_acknowledged(flow: Flow) -> Findings:
    """On UDP the client keeps a refused INVITE for 32 s: a copy after 31 s still gets its ACK.

    The other side repeats its response for that time, and a device that has forgotten the call sends no ACK. Typical
    defect: Timer D is set to Timer K's 5 s, or the transaction is deleted with its ACK.

    RFC 3261 says SHOULD, RFC 6026 MUST. No device profile says which of the two a device claims, so the milder one
    applies: a warning.
    """
    refusal = refused(flow)
    if refusal is None or not refusal.acks:
        yield unseen(NOT_ACKED, code="not-acknowledged")
        return
    copies = refusal.attempt.finals[1:]
    if not copies or copies[-1].time - refusal.final.time > TIMER_D_S:
        yield unseen(
            "the copy was sent too late to be acknowledged" if copies else "the copy was never sent", code="not-sent"
        )
        return
    late = copies[-1]
    again = [ack for ack in refusal.acks if ack.number > late.number]
    if not again and (why := doubt(flow, refusal)):
        yield unseen(f"the copy got no ACK, but {why}", code="not-proven")
        return
    after = late.time - refusal.final.time
    if again:
        yield satisfied(f"the copy after {after:.0f} s got its ACK", event=again[0])
        return
    yield violated(
        code="transaction-ends-early",
        expected=f"an ACK of the copy that was sent {after:.0f} s after the first 603",
        actual="no ACK",
        event=late,
        means=REPEATS,
        look_at=TIMER_D,
        at_most=Verdict.WARN,
    )
