"""Forward on no answer: the callee rings, and then the call is moved (RFC 3261 12.3, 13.2.2.2)."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judge.attempts import Attempt, original
from harness.judge.redirection import NOT_FOLLOWED, redirected, redirection_of
from harness.judge.say import Findings, not_proven, satisfied, unseen, violated
from harness.judge.silence import gap
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.purposes.purpose import purpose
from suites.plans import REDIRECT, REDIRECT_RINGING

_NEVER_RANG = "the callee did not redirect in this flow"


@purpose(
    "INT-302-18X-01",
    plan=REDIRECT_RINGING,
    faults=["keeps_to_tag", "bye_after_302", "cancels_after_302", "no_ack_of_redirected_200"],
)
def test_forward_on_no_answer_starts_afresh(flow: Flow) -> Findings:
    """After 180 and 302 the early dialog is over: the device calls the target with a fresh request.

    This is the most common forwarding: the callee does not answer, and after some seconds the PBX moves the call.
    Typical defect: the To tag of the 180 is kept in the new INVITE, or the ringing phone gets a CANCEL for an INVITE
    that is finished.
    """
    pair = redirected(flow)
    if pair is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    tags = _early_tags(pair.old)
    invite = pair.new.invite
    used = _later(flow, pair.response, ("BYE", "PRACK", "UPDATE", "INFO", "CANCEL"), pair.old)
    if invite.to_tag in tags:
        yield violated(
            code="to-tag-kept",
            expected="an INVITE without To tag",
            actual=f"To tag {invite.to_tag}, that of the phone which rang",
            event=invite,
            means="the target answers 481, and an unanswered call is lost instead of forwarded",
            look_at="from which message the second INVITE is built",
        )
    elif used:
        yield _used(used[0])
    elif (
        pair.new.status == 200
        and pair.new.final
        and not any(ack.to_tag == pair.new.final.to_tag for ack in pair.new.acks)
    ):
        yield violated(
            code="wrong-to-tag" if pair.new.acks else "no-ack",
            expected=f"the ACK for the target's 200 with To tag {pair.new.final.to_tag}",
            actual=", ".join(f"To tag {ack.to_tag}" for ack in pair.new.acks) or "no ACK",
            event=pair.new.final,
            means="the target repeats its 200 for 32 s and ends the call",
            look_at="from which response the dialog takes its remote tag",
        )
    else:
        yield satisfied("a new INVITE without To tag, and nothing more in the early dialog", event=invite)


@purpose("RFC3261-12.3-01", plan=REDIRECT_RINGING, faults=["bye_after_302"])
def test_nothing_is_sent_in_the_early_dialog(flow: Flow) -> Findings:
    """An early dialog ends with the final response: no PRACK, UPDATE or BYE is sent in it after the 302.

    The phone that rang has no call any more and answers 481, which some devices take for the end of the new call as
    well.  Typical defect: the device clears the early dialog with a BYE.
    """
    yield _nothing_later(flow, ("PRACK", "UPDATE", "BYE", "INFO"))


@purpose("RFC3261-9.1-01", plan=REDIRECT_RINGING, faults=["cancels_after_302"])
def test_finished_invite_is_not_cancelled(flow: Flow) -> Findings:
    """An INVITE that was answered 302 is finished: the device does not cancel it.

    Users notice nothing; the redirector answers 481, and its operator sees an error with every forwarded call.  Typical
    defect: before it calls the next target the device sends CANCEL to the previous one, finished or not.

    Only a CANCEL after the ACK counts.  One that crosses the 302 is normal.
    """
    yield _nothing_later(flow, ("CANCEL",))


@purpose("RFC3261-15-01", plan=(REDIRECT, REDIRECT_RINGING), faults=["bye_after_302"])
def test_redirected_call_is_not_hung_up(flow: Flow) -> Findings:
    """A call that was answered 302 was never a session: the device sends no BYE for it.

    A redirector that gets a BYE answers 481, or ends a call which it handles as a B2BUA. Typical defect: the device
    ends every leg with BYE, established or not (OpenSIPS issue 3522).
    """
    yield _nothing_later(flow, ("BYE",))


def _nothing_later(flow: Flow, methods: Sequence[str]) -> Finding:
    first = original(flow)
    final = redirection_of(first) if first else None
    if first is None or final is None:
        return unseen(_NEVER_RANG, code="not-redirected")
    used = _later(flow, final, methods, first)
    if used:
        return _used(used[0])
    if missing := gap(flow, (first.seat,)):
        return not_proven("nothing was sent", missing)
    return satisfied(f"no {' or '.join(methods)} for the redirected INVITE in the window")


def _later(flow: Flow, final: Event, methods: Sequence[str], attempt: Attempt) -> tuple[Event, ...]:
    """What the device sent for ``attempt`` after it had acknowledged the final response, wherever it arrived."""
    begins = min((ack.number for ack in attempt.acks), default=final.number)
    tags = {*_early_tags(attempt), final.to_tag}
    # Endpoints may give equal tags by chance; at another seat a tag only tells if no 2xx there had it.
    return flow.select(
        received=True,
        where=lambda event: (
            (event.method or "") in methods
            and event.number > begins
            and flow.seat(event.seat).kind != "caller"
            and (
                (event.method == "CANCEL" and event.branch == attempt.invite.branch and event.seat == attempt.seat)
                or (event.method != "CANCEL" and event.to_tag in tags and not _in_session(flow, event))
            )
        ),
    )


def _in_session(flow: Flow, event: Event) -> bool:
    return any(
        answer.to_tag == event.to_tag and answer.call_id == event.call_id
        for answer in flow.select(status=200, received=False)
        if answer.cseq_method == "INVITE"
    )


def _early_tags(attempt: Attempt) -> set[str | None]:
    return {r.to_tag for r in attempt.responses if 100 < (r.status or 0) < 200 and r.to_tag}


def _used(event: Event) -> Finding:
    return violated(
        code=f"{(event.method or 'request').lower()}-after-final",
        expected="nothing but the ACK of the 302 for this INVITE",
        actual=f"{event.start_line} arrived after the 302 had been acknowledged",
        event=event,
        means="the redirector answers 481 and counts an error",
        look_at="how a leg is cleaned up: a finished INVITE needs its ACK and nothing else",
    )
