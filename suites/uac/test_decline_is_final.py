"""603 Decline and its kin: the callee was reached and does not want the call (RFC 3261 21.6)."""

from __future__ import annotations

from harness.judge.acks import NOT_ACKED, NOT_REFUSED, refused, to_differs
from harness.judge.attempts import Attempt, original, tries
from harness.judge.declines import handled_like, stays_declined
from harness.judge.dialogs import nothing_follows
from harness.judge.say import Findings, expect, unseen
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from suites.declines import FORKED_DECLINE, HUNG_UP_DECLINE, REDIALS, UNKNOWN_6XX, declined_with
from suites.plans import DECLINE, DECLINE_RINGING

NO_MEDIA = "whether ringing tone and media ended is not observed"


@purpose(
    "RFC3261-21.6-01",
    plan=DECLINE,
    faults=REDIALS,
)
def test_decline_is_final(flow: Flow) -> Findings:
    """A 603 speaks for the user everywhere: the call is not placed again, there or elsewhere.

    Who declines a call and is rung again a second later has no way left to say no.  Typical defect: an auto-redial
    written for "busy", or an SBC whose route advance takes every failure for a broken trunk.

    No keyword forbids the retry to a UAC; the meaning of 6xx does (7.2, 21.6).  Hence the two rulings: a fail by
    certification, a warning by the letter.  No RFC says for how long; a call again after more than 40 s is a warning,
    after more than 70 s nothing.
    """
    refusal = refused(flow)
    if refusal is None:
        yield unseen("the 603 was never sent", code="not-sent")
        return
    yield stays_declined(flow, refusal)


@purpose(
    "RFC3261-21.6.1-01",
    plan=(declined_with(600), declined_with(600, "Retry-After: 300")),
    faults=REDIALS,
)
def test_busy_everywhere_is_final(flow: Flow) -> Findings:
    """A 600 says that the user is busy everywhere: the device does not call again by itself.

    600 is not 486: there is no other phone that could be free.  Typical defect: auto-redial treats both as "busy".
    Retry-After, if there is one, says when it may be worth to ask again; five minutes are longer than any window here.

    A callback that the user has asked for (camp-on) is not meant; it must be off.
    """
    refusal = refused(flow)
    yield stays_declined(flow, refusal) if refusal else unseen(NOT_REFUSED, code="not-refused")


@purpose("RFC3261-21.6.3-01", plan=declined_with(604), faults=REDIALS)
def test_does_not_exist_anywhere_is_final(flow: Flow) -> Findings:
    """A 604 says that the user exists nowhere: the device does not call again by itself.

    To ask again is to ask for a number that nobody has.  Typical defect: 604 falls into the default branch of the
    retry rules, which was written for 5xx.

    The row warns of a 604 in a dialog; the initial call, which is asked for here, fails when it is placed again.
    """
    refusal = refused(flow)
    yield stays_declined(flow, refusal, at_least=Verdict.FAIL) if refusal else unseen(NOT_REFUSED, code="not-refused")


@purpose(
    "RFC3261-21.6.4-01",
    plan=declined_with(606, 'Warning: 304 {callee} "Media type not available"'),
    faults=REDIALS,
)
def test_not_acceptable_is_answered_by_another_offer_at_most(flow: Flow) -> Findings:
    """After a 606 the device may make another offer, once; it does not repeat the one that was refused.

    606 refuses the session, not the caller.  Typical defect: the same session description again, and again refused.

    Session descriptions are compared without the lines that count versions (o=) or say nothing (blank ends).  An
    INVITE without one asks for the callee's offer, and that is another one.
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
        means="the callee's phone is asked again for the media it has just refused",
        look_at="what a retry after 606 changes in its session description, and how many retries there are",
    )


@purpose(
    "RFC3261-8.1.3.2-01",
    plan=(declined_with(600), *UNKNOWN_6XX),
    faults=["unknown_6xx_as_4xx"],
)
def test_unknown_6xx_is_handled_like_600(flows: tuple[Flow, ...]) -> Findings:
    """A 6xx the device does not know is handled like 600: acknowledged, and final everywhere.

    607 Unwanted and 608 Rejected are younger than most firmware.  Typical defect: a list of known codes whose default
    is "try the next route".

    Each is compared with what the same device does after a 600: what is wrong there as well has its own rules.
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

    The callee's user or carrier has marked the caller as unwanted; calling again makes the mark worse.  Typical
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
    """The number alone says what a response means; the phrase behind it is for people and may be anything, or empty.

    Typical defects: a parser that wants a phrase and drops the response without one, so the INVITE is repeated for
    32 s; or a retry list that is keyed by the whole status line.

    Each is compared with what the same device does after "603 Decline".
    """
    usual, *others = flows
    for other in others:
        yield from handled_like(
            usual,
            other,
            means="a callee or carrier that words its refusal otherwise is not understood",
            look_at="does anything read the reason phrase, and may it be empty?",
        )


@purpose("RFC3261-13.2.2.3-02", plan=(DECLINE, DECLINE_RINGING), faults=["bye_after_603", "cancels_after_603"])
def test_nothing_but_the_ack_follows_a_decline(flow: Flow) -> Findings:
    """After a 603 the INVITE is over: its ACK is the last request of the call.

    Whatever else comes finds no call at the other side and is answered 481 at best.  Typical defect: the call object
    is taken down the way an established call is, with a BYE.

    A new INVITE is a new call, and 21.6 judges it; a copy of the old one is judged by 17.1.1.2.
    """
    first = original(flow)
    if first is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return
    yield nothing_follows(
        flow,
        first,
        means="the other side gets requests for a call it does not have",
        look_at="what taking down a call does when the call was never answered",
    )


@purpose("RFC3261-15-01", plan=(DECLINE, DECLINE_RINGING), faults=["bye_after_603"])
def test_declined_call_gets_no_bye(flow: Flow) -> Findings:
    """There is nothing to BYE after a 603: BYE ends a dialog, and a refused INVITE leaves none.

    Call servers write call records from a BYE: a declined call appears as one that was answered.  Typical defect: a
    B2BUA tears down both legs alike, whatever became of the second.
    """
    first = original(flow)
    if first is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return
    yield nothing_follows(
        flow,
        first,
        methods=("BYE",),
        means="a declined call shows up as one that was answered, or its BYE is answered 481",
        look_at="is BYE sent for every call that ends, or only for one that was answered?",
    )


@purpose("RFC3261-12.3-01", plan=FORKED_DECLINE, faults=["bye_after_603"])
def test_decline_ends_every_early_dialog(flow: Flow) -> Findings:
    """A 603 after 180 and 183 ends all early dialogs at once: no request follows in any of them.

    With forking there are several early dialogs, and the 603 names only one.  Typical defect: the others stay, and
    with them early media and a call that hangs; or they are ended one by one, with a BYE each.

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
        look_at="are early dialogs of an INVITE ended by its final response, or each by a request of its own?",
    )


@purpose("INT-603-18X-01", plan=FORKED_DECLINE, faults=["bye_after_603", "ack_wrong_to_tag", "cancels_after_603"])
def test_decline_ends_the_ringing_by_itself(flow: Flow) -> Findings:
    """A 603 after 180 and 183 is acknowledged with its own To tag, and it alone ends the ringing.

    Typical defects: the ACK has the tag of the last early dialog instead of the 603's; or the device sends CANCEL to
    stop the early media of the other one.

    Whether the tone and the media end would be the other half; it is not observed.  A CANCEL or PRACK may have
    crossed the 603.
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
        means="the other side gets requests for a call it has already refused",
        look_at="what ends the ringing of a call: the 603 alone, or a request of the device?",
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
    """Who hangs up once the 603 is there ends nothing: no CANCEL for an INVITE that has its answer, and no BYE.

    The user hears the tone and puts the phone down: by then the call is over.  Typical defect: the button sends
    CANCEL or BYE by what the display shows, and not by the state of the call.

    A CANCEL within 100 ms may have crossed the 603.  Through a B2BUA the caller has nothing left to hang up; there
    its outgoing leg is judged by itself.
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
            means=f"the other side answers the {method} 481, or writes a record of a call that never was",
            look_at="does hanging up look at the state of the call?",
            note=note,
            requirement=row,
        )
