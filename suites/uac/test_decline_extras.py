"""What comes along with a refusal - a Contact, a Retry-After, a Reason - explains it and steers nothing."""

from __future__ import annotations

import dataclasses

from harness.judge.acks import NOT_REFUSED, acknowledged, refused
from harness.judge.attempts import Attempt
from harness.judge.declines import called_again, handled_like, last_final, since, stays_declined, watched_seats
from harness.judge.say import Findings, not_proven, satisfied, unseen, violated
from harness.judge.silence import gap, silent
from harness.model.flow import Event, Flow
from harness.model.plan import Plan
from harness.purposes.purpose import purpose
from suites.declines import POINTING_DECLINE, REDIALS, declined_with
from suites.plans import DECLINE, callee, guard, refuse

RETRY_AFTER_S = 3.0
TIMER_SLACK_S = 0.25
"""Seconds by which the clocks of the device and of the traces may differ."""

RETRY_AFTER = declined_with(603, f"Retry-After: {RETRY_AFTER_S:.0f}")
AMBIGUOUS = Plan(
    (
        callee(refuse(485, contacts=("<sip:8{token}@{first}>", "<sip:9{token}@{second}>"))),
        guard("first"),
        guard("second"),
    ),
)


@purpose("RFC3261-13.2.2.3-03", plan=POINTING_DECLINE, faults=["follows_contact_in_603"])
def test_contact_of_a_decline_is_not_called(flow: Flow) -> Findings:
    """A Contact in a 603 may point to information; it is not a redirect target, and the device does not call it.

    A callee who declines has not forwarded the call.  Typical defect: the device follows every response that has a
    Contact, whatever the class of its status code.

    13.2.2.3 mentions such a Contact, and table 2 allows none in a 6xx.  Neither makes it a redirect target.
    """
    refusal = refused(flow)
    if refusal is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return
    yield silent(
        since(flow, refusal.attempt),
        code="contact-called",
        after=refusal.final,
        at=["other"],
        expected="an ACK, and nothing at the address of the Contact",
        means="a declined call rings at another user's phone",
        look_at="does the device follow because of the class of the code, or because there is a Contact?",
    )


def _on_time(flow: Flow, again: Attempt) -> bool:
    """Whether a call again respects the Retry-After of the refusal before it."""
    return again.invite.time - last_final(flow, again).time >= RETRY_AFTER_S - TIMER_SLACK_S


@purpose(
    "INT-603-RETRYAFTER-01",
    plan=RETRY_AFTER,
    faults=[
        *("redials_at_once", "redials_after_1s", "redials_other_port", "redials_other_number"),
        "redials_before_retry_after",
    ],
)
def test_no_call_before_retry_after_has_passed(flow: Flow) -> Findings:
    """Retry-After in a 603 is the earliest time that suits the callee: the device does not call before it has passed.

    A call before the requested time is worse than a call without any request.  Typical defects: the device reads the
    value as milliseconds, or its own redial timer runs beside it.

    The header asks for 3 s, so that a short window covers the time before and after.  A later call is allowed here and
    is noted.
    """
    refusal = refused(flow)
    if refusal is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return
    yield stays_declined(
        flow,
        refusal,
        code="called-too-early",
        unless=lambda again: _on_time(flow, again),
        means="the callee is called again before the time that they asked for",
        look_at="where Retry-After is read, and in which unit",
    )


@purpose("INT-603-RETRYAFTER-02", plan=RETRY_AFTER, faults=["repeats_call_at_retry_after"])
def test_call_after_retry_after_is_a_new_call(flow: Flow) -> Findings:
    """A call after Retry-After is a new call: it has a new Call-ID, or the old Call-ID and a higher CSeq.

    The device may also place no call; users like to be asked.  Typical defect: the device sends the old INVITE again
    unchanged, and the callee's server takes it for a copy.
    """
    refusal = refused(flow)
    if refusal is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return
    again = called_again(flow, refusal, unless=lambda attempt: not _on_time(flow, attempt))
    if again is None:
        missing = gap(since(flow, refusal.attempt), watched_seats(flow))
        yield (
            not_proven("no call after Retry-After", missing)
            if missing
            else satisfied("the device placed no call by itself")
        )
        return
    late = again.invite.time - refusal.final.time
    if again.invite.call_id == refusal.invite.call_id and not _higher(again.invite, refusal.invite):
        yield violated(
            code="old-call-repeated",
            expected=("a new Call-ID", f"a CSeq higher than {refusal.invite.cseq_number}"),
            actual=f"the old Call-ID with CSeq: {again.invite.header('CSeq')}",
            event=again.invite,
            means="the callee's server takes the new call for a copy of the old one",
            look_at="how the request of a retry is built",
        )
        return
    yield satisfied(
        f"called again {late:.1f} s after the 603",
        event=again.invite,
        note=f"the device calls again by itself {late:.1f} s after a 603 with Retry-After: {RETRY_AFTER_S:.0f}",
    )


def _higher(new: Event, old: Event) -> bool:
    return (new.cseq_number or 0) > (old.cseq_number or 0)


@purpose(
    "INT-603-RETRYAFTER-03",
    plan=(DECLINE, *(declined_with(603, f"Retry-After: {value}") for value in ("0", "4294967295", "-1", "abc"))),
    faults=[*REDIALS, "redials_before_retry_after", "redials_at_retry_after", "chokes_on_retry_after"],
)
def test_absurd_retry_after_is_no_invitation(flows: tuple[Flow, ...]) -> Findings:
    """A 603 whose Retry-After is 0, 136 years, negative or not a number is still acknowledged and final.

    Such values come from servers that fill in the header without a check.  Typical defects: the device reads 0 as
    "now"; a number that is too large becomes 0; or the device drops the whole response and repeats the INVITE until it
    times out.

    By 20.33 the value is a positive number, so "0" has no meaning.  A device that reads it as "now" gets a warning.
    """
    plain, *others = (refused(flow) for flow in flows)
    for flow, refusal in zip(flows[1:], others, strict=True):
        if refusal is None or plain is None:
            yield unseen(NOT_REFUSED, code="not-refused")
        elif plain.acks and not refusal.acks:
            value = refusal.final.header("Retry-After")
            yield dataclasses.replace(
                acknowledged(flow, refusal),
                means="a call that was declined goes on ringing for the caller until it times out",
                look_at=f"how the parser handles a response with a header that it cannot use: Retry-After: {value}",
            )
        else:
            yield stays_declined(flow, refusal, look_at="how a Retry-After that is 0 or unreadable is handled")


@purpose(
    "RFC3261-20.33-01",
    plan=(DECLINE, declined_with(603, "Retry-After: 18000 (in a meeting);duration=3600")),
    faults=["chokes_on_retry_after"],
)
def test_retry_after_may_have_a_comment_and_a_duration(flows: tuple[Flow, ...]) -> Findings:
    """Retry-After may carry a comment and a duration; a 603 with both is handled like one without.

    The example is from RFC 3261 itself.  Typical defect: a parser that expects a plain number refuses the whole
    response, and the device repeats the INVITE until it times out.
    """
    plain, commented = flows
    yield from handled_like(
        plain,
        commented,
        means="a callee who says when to call again is not understood",
        look_at="the parser of Retry-After: comment in brackets, ;duration=",
    )


@purpose(
    "RFC3326-2-02",
    plan=tuple(
        declined_with(603, f"Reason: {value}")
        for value in (
            'Q.850;cause=34;text="No circuit available"',
            'SIP;cause=503;text="Service Unavailable"',
            'SIP;cause=302;text="Moved Temporarily"',
        )
    ),
    faults=REDIALS,
)
def test_reason_does_not_turn_a_decline_into_something_else(flow: Flow) -> Findings:
    """A Reason header explains a 603 and does not change it: the 603 is final, whatever cause the Reason names.

    Gateways put the cause of the telephone network into Reason.  Typical defect: route advance looks at Q.850 cause 34
    ("no circuit") and never at the status code.

    A gateway that is configured to route by Q.850 cause is reported here; the catalogue requires it to declare that.
    """
    refusal = refused(flow)
    if refusal is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return
    yield stays_declined(flow, refusal, look_at="does the route or retry logic read Reason before the status code?")


@purpose("RFC3261-21.4.23-01", plan=AMBIGUOUS, faults=["follows_485"])
def test_candidates_of_an_ambiguous_address_are_not_called_unasked(flow: Flow) -> Findings:
    """A 485 lists the users whom the caller may have meant; the user chooses among them, not the device.

    Otherwise the wrong person gets the call.  Typical defect: the device treats every response with a Contact as a
    redirection.
    """
    refusal = refused(flow)
    if refusal is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return
    yield silent(
        since(flow, refusal.attempt),
        code="candidate-called",
        after=refusal.final,
        at=["first", "second"],
        expected="an ACK, and nothing at either candidate",
        means="the device calls a person whom the user did not choose",
        look_at="does the device follow because of the class of the code, or because there is a Contact?",
    )
