"""603 Decline and its kin: the callee was reached and does not want the call (RFC 3261 21.6)."""

from __future__ import annotations

from harness.judge.acks import NOT_ACKED, NOT_REFUSED, refusal_of, refused, to_differs
from harness.judge.attempts import Attempt, original, tries
from harness.judge.calls import calls
from harness.judge.declines import handled_like, stays_declined
from harness.judge.dialogs import nothing_follows
from harness.judge.say import Findings, expect, unseen
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from suites.declines import FORKED_DECLINE, HUNG_UP_DECLINE, REDIALS, UNKNOWN_6XX, declined_with
from suites.plans import DECLINE, DECLINE_RINGING
from suites.progress import DECLINES

NO_MEDIA = "whether ringing tone and media ended is not observed"


@purpose(
    "RFC3261-21.6-01",
    plan=(DECLINE, DECLINES),
    faults=[*REDIALS, "redials_after_ringing"],
)
def test_decline_is_final(flow: Flow) -> Findings:
    """A 603 speaks for the user everywhere: the device does not place the call again, there or elsewhere.

    A user who declines a call and is rung again a second later has no way left to refuse it.  Typical defect: an
    auto-redial function that was written for "busy", or an SBC whose route advance takes every failure for a broken
    trunk.  Another one: the redial is stopped after a 603 at once, and not after ringing or an announcement.

    No keyword forbids a UAC to retry; the meaning of 6xx does (7.2, 21.6).  Hence the two rulings: a fail by
    certification, a warning by the letter.  No RFC says for how long the refusal holds.  Here a new call after more
    than 40 s is a warning, and a new call after more than 70 s is allowed.
    """
    for call in calls(flow):
        refusal = refusal_of(flow, next(iter(call.tries), None))
        if refusal is None:
            yield unseen("the 603 was never sent", code="not-sent")
        else:
            others = [attempt for attempt in tries(flow) if attempt not in call.tries]
            yield stays_declined(flow, refusal, unless=others.__contains__)


@purpose(
    "RFC3261-21.6.1-01",
    plan=(declined_with(600), declined_with(600, "Retry-After: 300")),
    faults=REDIALS,
)
def test_busy_everywhere_is_final(flow: Flow) -> Findings:
    """A 600 says that the user is busy everywhere: the device does not call again by itself.

    600 differs from 486: no other phone of the user can be free.  Typical defect: auto-redial treats both codes as
    "busy".  A Retry-After says when a new call may succeed; its five minutes are longer than any window of this suite.

    A callback that the user has requested (camp-on) is a different feature.  Switch it off for this test.
    """
    refusal = refused(flow)
    yield stays_declined(flow, refusal) if refusal else unseen(NOT_REFUSED, code="not-refused")


@purpose("RFC3261-21.6.3-01", plan=declined_with(604), faults=REDIALS)
def test_does_not_exist_anywhere_is_final(flow: Flow) -> Findings:
    """A 604 says that the user exists nowhere: the device does not call again by itself.

    A second call would go to a number that does not exist.  Typical defect: 604 falls into the default branch of the
    retry rules, which was written for 5xx.

    The catalogue row warns about a 604 inside a dialog.  This test is about the initial call, and a second call is a
    fail.
    """
    refusal = refused(flow)
    yield stays_declined(flow, refusal, at_least=Verdict.FAIL) if refusal else unseen(NOT_REFUSED, code="not-refused")


@purpose(
    "RFC3261-21.6.4-01",
    plan=declined_with(606, 'Warning: 304 {callee} "Media type not available"'),
    faults=REDIALS,
)
def test_not_acceptable_is_answered_by_another_offer_at_most(flow: Flow) -> Findings:
    """After a 606 the device may make one other offer; it does not repeat the offer that was refused.

    606 refuses the session, not the caller.  Typical defect: the device sends the same session description again, and
    it is refused again.

    Session descriptions are compared without the version line (o=) and without blanks at line ends.  An INVITE without
    a session description asks the callee for an offer, so it counts as another offer.
    """
    refusal = refused(flow)
    if refusal is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return
    later = [attempt for attempt in tries(flow) if attempt.invite.number > refusal.final.number]

    def is_another_offer(attempt: Attempt) -> bool:
        return attempt == later[0] and attempt.offer != refusal.attempt.offer

    yield stays_declined(
        flow,
        refusal,
        unless=is_another_offer,
        means="the callee's phone gets an offer again that it has just refused",
        look_at="what a retry after 606 changes in its session description, and how many retries there are",
    )


@purpose(
    "RFC3261-8.1.3.2-01",
    plan=(declined_with(600), *UNKNOWN_6XX),
    faults=["unknown_6xx_as_4xx"],
)
def test_unknown_6xx_is_handled_like_600(flows: tuple[Flow, ...]) -> Findings:
    """The device handles a 6xx that it does not know like a 600: it acknowledges it and does not call again.

    607 Unwanted and 608 Rejected are younger than most firmware.  Typical defect: a list of known codes whose default
    is "try the next route".

    Each code is compared with what the same device does after a 600.  Defects that occur after the 600 as well have
    tests of their own.
    """
    known, *others = flows
    for unknown in others:
        yield from handled_like(
            known,
            unknown,
            means="a callee who blocks the caller with a newer code is rung again",
            look_at="what is the default for a 6xx that is not in the list of codes?",
        )


@purpose("RFC8197-4-01", plan=declined_with(607), faults=[*REDIALS, "unknown_6xx_as_4xx"])
def test_unwanted_is_final(flow: Flow) -> Findings:
    """A 607 Unwanted is handled like any 6xx: the device does not call again by itself.

    The callee or their carrier has marked the caller as unwanted.  Every further call makes the mark worse.  Typical
    defect: 607 is not in the list of codes and is taken for a temporary failure.
    """
    refusal = refused(flow)
    yield stays_declined(flow, refusal) if refusal else unseen(NOT_REFUSED, code="not-refused")


@purpose(
    "RFC3261-7.2-01",
    plan=(
        DECLINE,
        declined_with(603, reason="Network Blocked"),
        declined_with(603, reason="Declined"),
        declined_with(603, reason=""),
    ),
    faults=["reads_reason_phrase", "needs_reason_phrase"],
)
def test_reason_phrase_of_a_decline_changes_nothing(flows: tuple[Flow, ...]) -> Findings:
    """Only the status code decides what a response means; the reason phrase is for people and may be empty.

    Typical defects: a parser that requires a phrase drops the response without one, so the device repeats its INVITE
    for 32 s; or a retry list is keyed by the whole status line.

    Each response is compared with what the same device does after "603 Decline".
    """
    usual, *others = flows
    for other in others:
        yield from handled_like(
            usual,
            other,
            means="a refusal with another reason phrase is not understood",
            look_at="does anything read the reason phrase, and may it be empty?",
        )


@purpose(
    "RFC3261-13.2.2.3-02",
    plan=(DECLINE, DECLINE_RINGING),
    faults=["bye_after_603", "cancels_after_603", "message_after_603"],
)
def test_nothing_but_the_ack_follows_a_decline(flow: Flow) -> Findings:
    """After a 603 the INVITE is over: its ACK is the last request of the call.

    The other side has no call for any later request and answers it 481 at best.  Typical defect: the device clears the
    call like an established one, with a BYE.

    A new INVITE is a new call and is judged by 21.6.  A copy of the old INVITE is judged by 17.1.1.2.
    """
    first = original(flow)
    if first is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return
    yield nothing_follows(
        flow,
        first,
        means="the other side gets requests for a call that it does not have",
        look_at="how a call is cleared that was never answered",
    )


@purpose("RFC3261-15-01", plan=(DECLINE, DECLINE_RINGING), faults=["bye_after_603"])
def test_declined_call_gets_no_bye(flow: Flow) -> Findings:
    """A device sends no BYE after a 603: BYE ends a dialog, and a refused INVITE leaves none.

    Call servers write call records from a BYE, so a declined call is recorded as an answered one.  Typical defect: a
    B2BUA clears both legs in the same way, whether or not the second one was answered.
    """
    first = original(flow)
    if first is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return
    yield nothing_follows(
        flow,
        first,
        methods=("BYE",),
        means="a declined call is recorded as answered, or its BYE is answered 481",
        look_at="is BYE sent for every call that ends, or only for answered ones?",
    )


@purpose("RFC3261-12.3-01", plan=FORKED_DECLINE, faults=["bye_after_603"])
def test_decline_ends_every_early_dialog(flow: Flow) -> Findings:
    """A 603 after 180 and 183 ends all early dialogs at once: no request follows in any of them.

    With forking there are several early dialogs, and the 603 names only one.  Typical defect: the other dialogs stay,
    with their early media and a call that hangs; or the device ends each of them with a BYE.

    A PRACK may have crossed the 603.
    """
    refusal = refused(flow)
    if refusal is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return
    yield nothing_follows(
        flow,
        refusal.attempt,
        methods=("BYE", "PRACK", "UPDATE"),
        means="the other side gets requests for early dialogs that it has forgotten",
        look_at="does the final response end the early dialogs of an INVITE, or a request in each of them?",
    )


@purpose("INT-603-18X-01", plan=FORKED_DECLINE, faults=["bye_after_603", "ack_wrong_to_tag", "cancels_after_603"])
def test_decline_ends_the_ringing_by_itself(flow: Flow) -> Findings:
    """The ACK of a 603 after 180 and 183 has the 603's own To tag, and the 603 alone ends the ringing.

    Typical defects: the ACK has the To tag of the last early dialog instead of the 603's; or the device sends CANCEL to
    stop the early media of the other dialog.

    Whether the tone and the media end is not observed.  A CANCEL or PRACK may have crossed the 603.
    """
    refusal = refused(flow)
    if refusal is None or not refusal.acks:
        yield unseen(NOT_ACKED, code="not-acknowledged")
        return
    for ack in refusal.acks:
        yield expect(
            not to_differs(ack, refusal.attempt.finals),
            code="wrong-to-tag" if ack.to_tag else "no-to-tag",
            expected=f"the ACK with the To tag of the 603, {refusal.final.to_tag}",
            actual=f"To: {ack.header('To')}",
            event=ack,
            means="the ACK may not be recognised, and the 603 is repeated",
            look_at="which early dialog the ACK's To tag is taken from",
        )
    yield nothing_follows(
        flow,
        refusal.attempt,
        methods=("CANCEL", "BYE", "PRACK"),
        means="the other side gets requests for a call that it has already refused",
        look_at="does the 603 alone end the ringing of a call, or a request of the device?",
        note=NO_MEDIA,
    )


@purpose(
    "RFC3261-9.1-01",
    "RFC3261-15-01",
    plan=HUNG_UP_DECLINE,
    faults=["bye_after_603", "cancels_after_603", "cancels_after_final"],
    acts={"hangup"},
)
def test_hanging_up_after_a_decline_sends_nothing(flow: Flow) -> Findings:
    """Hanging up after the 603 ends nothing: the device sends neither CANCEL nor BYE.

    The user hears the tone and puts the phone down.  By then the call is over.  Typical defect: the hang-up button
    chooses between CANCEL and BYE by what the display shows, not by the state of the call.

    A CANCEL within 100 ms may have crossed the 603.  Behind a B2BUA the caller has nothing left to hang up, so there
    only the outgoing leg is judged.
    """
    first = original(flow)
    if first is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return
    # A device that says it has no call to hang up has understood; one that was never asked shows nothing.
    if missed := [trouble.text for trouble in flow.troubles if trouble.blame != "stimulus"]:
        yield unseen("; ".join(missed), code="trouble")
        return
    note = "; ".join(trouble.text for trouble in flow.troubles)
    for method, row in (("CANCEL", "RFC3261-9.1-01"), ("BYE", "RFC3261-15-01")):
        yield nothing_follows(
            flow,
            first,
            methods=(method,),
            means=f"the other side answers the {method} 481, or records a call that never existed",
            look_at="does the hang-up button check the state of the call?",
            note=note,
            requirement=row,
        )
