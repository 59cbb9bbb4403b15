"""A refused re-INVITE changes nothing: the call goes on as it was (RFC 3261 14.1, RFC 5057 5.1)."""

from __future__ import annotations

from harness.judge.acks import acknowledged, refusal_of
from harness.judge.attempts import tries
from harness.judge.declines import since, watched_seats
from harness.judge.dialogs import answers_to_us, byes_of_its_own, refused_reinvite, why_no_reinvite
from harness.judge.legs import dialogs
from harness.judge.say import Findings, expect, not_proven, satisfied, unseen, violated
from harness.judge.silence import gap
from harness.model.flow import Flow
from harness.model.plan import Answer, Call, Plan, Response
from harness.purposes.purpose import purpose
from harness.sip.uri import same_uri
from suites.plans import RINGING, callee, refuse, target

_REINVITE = (Call(act="reinvite"),)


def _established(*reinvites: Response) -> Answer:
    return Answer((RINGING, Response(200)), then="wait", reinvites=reinvites)


REINVITE_DECLINED = Plan((callee(_established(Response(603))),), calls=_REINVITE)
REINVITE_NOT_ACCEPTABLE = Plan((callee(_established(Response(488))),), calls=_REINVITE)
REINVITE_REDIRECTED = Plan(
    (callee(_established(Response(302, contacts=("<sip:9{token}@{target}>",)))), target(refuse(486))),
    calls=_REINVITE,
)
"""A re-INVITE that is redirected; a device that follows it is refused there as well."""

REINVITE_MOVED = Plan(REINVITE_REDIRECTED.endpoints, calls=(Call(act="reinvite_hangup"),))
"""The same, and then the device hangs up."""

NO_MEDIA = "media is not observed"
ENDS = "a call ends when one side tries to put it on hold"
REINVITE_DECLINED_THEN_HELD = Plan(
    (callee(Answer((RINGING, Response(200)), then="reinvite", reinvites=(Response(603),))),), calls=_REINVITE
)
"""A re-INVITE that is refused; then the callee holds the call, and hangs up."""

LOOK_AT = "how a failed re-INVITE is handled: only 408 and 481 mean that the other side lost the call"


@purpose(
    "RFC3261-14.1-01",
    plan=(REINVITE_DECLINED, REINVITE_NOT_ACCEPTABLE, REINVITE_REDIRECTED),
    faults=["ends_call_on_refused_reinvite"],
    roles=["uac", "b2bua"],
    acts={"reinvite"},
)
def test_call_survives_a_refused_reinvite(flow: Flow) -> Findings:
    """When a re-INVITE is refused, the running session stays as it was.

    Hold or a change of codec that the other side refuses must not end the call.  Typical defect: one handler for all
    failed INVITEs, and it ends the call.

    Whether the media goes on unchanged is not observed.
    """
    yield from _stays(flow)


@purpose(
    "RFC3261-14.1-02",
    "RFC5057-5.1-01",
    plan=REINVITE_DECLINED,
    faults=["ends_call_on_refused_reinvite"],
    roles=["uac", "b2bua"],
    acts={"reinvite"},
)
def test_decline_of_a_reinvite_ends_that_transaction_only(flow: Flow) -> Findings:
    """A 603 to a re-INVITE refuses that change and nothing else: no BYE, and the dialog stays valid.

    "Decline" reads as if the callee wanted to end the call; inside a dialog it does not mean that (RFC 5057).  Typical
    defect: the device reads "global failure" as including the call in which the 6xx came.

    A B2BUA whose policy is to end a call when a change fails makes an application's choice; the catalogue requires it
    to declare that.
    """
    yield from _stays(flow)


def _stays(flow: Flow) -> Findings:
    refused = refused_reinvite(flow)
    if refused is None:
        yield unseen(why_no_reinvite(flow), code="no-reinvite")
        return
    status = refused.final.status
    for bye in byes_of_its_own(flow, refused):
        yield violated(
            code="call-ended",
            expected=f"the dialog goes on after the {status} to the re-INVITE",
            actual=f"BYE {bye.time - refused.final.time:.1f} s after it",
            event=bye,
            means=ENDS,
            look_at=LOOK_AT,
        )
        return
    answers = answers_to_us(flow, refused)
    for answer in answers:
        if answer.status == 481:
            yield violated(
                code="dialog-deleted",
                expected="the tester's request in the dialog is accepted",
                actual=f"{answer.start_line} to our {answer.cseq_method}",
                event=answer,
                means=ENDS,
                look_at="is the dialog deleted when a re-INVITE is refused?",
            )
            return
    if missing := gap(since(flow, refused.reinvite), watched_seats(flow)):
        yield not_proven("no BYE arrived", missing)
        return
    told = f"; our {answers[0].cseq_method} in the dialog was answered {answers[0].status}" if answers else ""
    yield satisfied(f"no BYE after the {status} to the re-INVITE{told}", note=NO_MEDIA)


@purpose("RFC3261-14.1-03", plan=REINVITE_DECLINED, faults=["repeats_refused_reinvite"], acts={"reinvite"})
def test_declined_reinvite_is_not_repeated(flow: Flow) -> Findings:
    """A device repeats a re-INVITE by itself after a 491 only, not after a 603.

    The other side has refused the change.  A device that asks again every few seconds keeps that user busy declining.
    Typical defect: the timer of the 491 rule runs after every failure.

    A re-INVITE with another session description is another request.
    """
    refused = refused_reinvite(flow)
    if refused is None:
        yield unseen(why_no_reinvite(flow), code="no-reinvite")
        return
    for again in refused.others:
        if again.in_dialog and again.offer == refused.reinvite.offer:
            yield violated(
                code="reinvite-repeated",
                expected=f"no re-INVITE with the same offer after the {refused.final.status}",
                actual=f"the same offer again, {again.invite.time - refused.final.time:.1f} s after it",
                event=again.invite,
                means="the other side gets a request again and again that it has declined",
                look_at="which responses start the retry timer: 491 only?",
            )
            return
    if missing := gap(since(flow, refused.reinvite), watched_seats(flow)):
        yield not_proven("the re-INVITE was not repeated", missing)
        return
    yield satisfied("the re-INVITE was not repeated")


@purpose(
    "RFC3261-17.1.1.2-01",
    plan=(REINVITE_DECLINED, REINVITE_REDIRECTED),
    faults=["no_ack"],
    roles=["uac", "b2bua"],
    acts={"reinvite"},
)
def test_refused_reinvite_is_acknowledged(flow: Flow) -> Findings:
    """The device acknowledges the final response to a re-INVITE like any other final response.

    Without the ACK the other side repeats its refusal for 32 s and may then end the call.  Typical defect: inside a
    dialog the device sends an ACK for 2xx only.
    """
    refused = refused_reinvite(flow)
    refusal = refusal_of(flow, refused.reinvite) if refused else None
    yield acknowledged(flow, refusal) if refusal else unseen(why_no_reinvite(flow), code="no-reinvite")


@purpose(
    "INT-302-REINVITE-01",
    plan=REINVITE_REDIRECTED,
    faults=["calls_contact_of_reinvite"],
    roles=["uac", "b2bua"],
    acts={"reinvite"},
)
def test_redirected_reinvite_places_no_new_call(flow: Flow) -> Findings:
    """A 302 to a re-INVITE makes no call beside the one that stands: whatever is sent to its Contact is in the dialog.

    The target would ring for a user who is talking already.  Typical defect: every 3xx goes through the code of a call
    that is being set up.

    Whether the re-INVITE is sent to the Contact at all is open (12.2.1.2): both conform, in the dialog.
    """
    refused = refused_reinvite(flow)
    if refused is None or refused.final.status != 302:
        yield unseen(why_no_reinvite(flow), code="no-reinvite")
        return
    outside = [
        attempt
        for attempt in tries(flow)
        if attempt.invite.number > refused.final.number and attempt.invite.to_tag is None
    ]
    if outside:
        yield violated(
            code="new-call",
            expected="no INVITE without To tag after the 302 to the re-INVITE",
            actual=f"{outside[0].invite.start_line} at {outside[0].seat}, as a new call",
            event=outside[0].invite,
            means="a phone rings for somebody who is talking already, and nobody ends that call",
            look_at="does the handler of a 3xx know whether its INVITE was in a dialog?",
        )
    elif missing := gap(since(flow, refused.reinvite), watched_seats(flow)):
        yield not_proven("no new call was placed", missing)
    else:
        yield satisfied("no INVITE outside of the dialog", event=refused.final)


@purpose(
    "RFC3261-12.2.1.2-03",
    plan=REINVITE_MOVED,
    faults=["moves_dialog_on_302"],
    roles=["uac"],
    acts={"reinvite", "hangup"},
)
def test_redirected_reinvite_moves_no_dialog(flow: Flow) -> Findings:
    """After a 302 to a re-INVITE the device's BYE still goes to its peer: only a 2xx moves a dialog.

    Otherwise the peer never learns that the call has ended.  Typical defect: the Contact of any response to a re-INVITE
    becomes the remote target.
    """
    refused = refused_reinvite(flow)
    if refused is None or refused.final.status != 302:
        yield unseen(why_no_reinvite(flow), code="no-reinvite")
        return
    call_id, after = refused.reinvite.invite.call_id, refused.final.number
    byes = flow.select("BYE", received=True, where=lambda e: e.call_id == call_id and e.number > after)
    if not byes:
        yield unseen("the device sent no BYE after the 302", code="no-bye")
        return
    wanted = refused.reinvite.invite.request_uri
    yield expect(
        byes[0].seat == refused.reinvite.seat and same_uri(byes[0].request_uri, wanted),
        code="dialog-moved",
        expected=f"BYE {wanted} at {refused.reinvite.seat}",
        actual=f"{byes[0].start_line} at {byes[0].seat}",
        event=byes[0],
        means="the other side hears silence, and the call stays up until a timer ends it",
        look_at="which responses to a re-INVITE change the remote target: 2xx only (12.2.1.2)?",
    )


@purpose(
    "RFC3261-14.2-01",
    plan=REINVITE_DECLINED_THEN_HELD,
    faults=["stays_pending_after_refusal"],
    roles=["uac", "b2bua"],
    acts={"reinvite"},
)
def test_refused_reinvite_is_no_longer_pending(flow: Flow) -> Findings:
    """When a re-INVITE has been refused and acknowledged, one of the other side is not answered 491.

    491 says "mine is pending, try again later", and would say so for ever. Typical defect: what marks the re-INVITE as
    pending is cleared when it is accepted, and at no other time.

    The device may refuse the change with any other code.
    """
    refused = refused_reinvite(flow)
    if refused is None:
        yield unseen(why_no_reinvite(flow), code="no-reinvite")
        return
    legs = [leg for leg in dialogs(flow).legs if leg.invite.call_id == refused.reinvite.invite.call_id]
    replies = [leg.reply(event) for leg in legs for event in leg.ours if event.method == "INVITE"]
    reply = next(filter(None, replies), None)
    if reply is None:
        yield unseen("the re-INVITE of the callee was not answered (another rule covers this)", code="not-answered")
        return
    yield expect(
        reply.status != 491,
        code="still-pending",
        expected=f"another answer to the callee's re-INVITE: the device's was over ({refused.final.label})",
        actual=reply.start_line,
        event=reply,
        means="the other side can never again hold the call or change its codec",
        look_at="what ends the state of a pending re-INVITE: every final response, and a timeout",
    )
