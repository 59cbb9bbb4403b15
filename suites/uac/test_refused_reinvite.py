"""A refused re-INVITE changes nothing: the call goes on as it was (RFC 3261 14.1, RFC 5057 5.1)."""

from __future__ import annotations

from harness.judge.acks import acknowledged, refusal_of
from harness.judge.declines import since, watched_seats
from harness.judge.dialogs import answers_to_us, byes_of_its_own, refused_reinvite, why_no_reinvite
from harness.judge.say import Findings, not_proven, satisfied, unseen, violated
from harness.judge.silence import gap
from harness.model.flow import Flow
from harness.model.plan import Answer, Call, Plan, Response
from harness.purposes.purpose import purpose
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

NO_MEDIA = "media is not observed"
ENDS = "a call ends when one side tries to put it on hold"
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
