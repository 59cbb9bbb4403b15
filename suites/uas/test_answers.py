"""What a refusal or a redirection takes from the request it answers (RFC 3261 8.2.6.2), and what it must not add."""

from __future__ import annotations

from harness.judge.acks import vias
from harness.judge.answers import first_asked, refused_here, unproven, why_not_refused
from harness.judge.declines import watched_seats
from harness.judge.extent import later
from harness.judge.responses import from_changes, repeated_protocols, via_changes
from harness.judge.say import Findings, expect, satisfied, unseen, violated
from harness.judge.timers import timers_of
from harness.model.flow import Flow
from harness.model.plan import Answer
from harness.model.verdict import Verdict
from harness.purposes.purpose import Plans, purpose
from suites.answering import FORWARDED, REFUSED, RINGS_THEN_DECLINES, number, redirecting, relayed

REFUSALS: dict[str, Plans] = {**REFUSED, "uas": (REFUSED["uas"], FORWARDED)}
"""A phone refuses in two ways, by 603 and by 302."""
OWN_REFUSALS: dict[str, Plans] = {role: plans for role, plans in REFUSALS.items() if role != "proxy"}
"""The refusals of devices that make them, and do not relay those of others."""

SILENT_S = 4.0
"""Seconds in which a proxy that would say "ringing" by itself has said it."""
SLACK_S = 0.1
"""So much before its sender's Timer E is at T2, 3.5 s after a non-INVITE, a 100 is not too early (RFC 4320 4.1)."""


@purpose("RFC3261-8.2.6.2-01", plan=REFUSALS, faults=["changes_via", "changes_cseq_from"])
def test_refusal_repeats_what_identifies_the_request(flow: Flow) -> Findings:
    """A 3xx or 6xx repeats all Vias of its request in order, and its From, Call-ID and CSeq.

    The Vias are the way back: if one is lost or rewritten, the answer ends at a proxy in the middle.  By From, Call-ID
    and CSeq the caller knows which request is answered.  Typical defects: the device keeps only the topmost Via; or it
    builds From anew and loses parameters that it does not know.

    The request has two Vias below the caller's own, with unknown parameters.  ``received`` and ``rport`` may be added
    to the topmost one.  Another notation (order of parameters, quotes) is a warning.
    """
    here = refused_here(flow)
    if here is None:
        yield unseen(why_not_refused(flow), code="not-refused")
        return
    request, final = here[0].request, here[1]
    told, writing = via_changes(request, final)
    yield expect(
        not told,
        code="via-rewritten" if writing else "wrong-via",
        expected=f"the Vias of the request: {'; '.join(vias(request))}",
        actual=told or "the Vias of the request",
        event=final,
        means="a response that returns through proxies is lost, and the caller waits",
        look_at="how the response's Via lines are made: copied, or parsed and written anew?",
        at_most=Verdict.WARN if writing else Verdict.FAIL,
    )
    told, writing = from_changes(request, final)
    yield expect(
        not told,
        code="from-rewritten" if writing else "wrong-from",
        expected=f"From: {request.header('From')}",
        actual=told or "the From of the request",
        event=final,
        means="the caller's side may not find the call that is answered",
        look_at="is the From of the response copied from the request, byte by byte?",
        at_most=Verdict.WARN if writing else Verdict.FAIL,
    )
    for name in ("Call-ID", "CSeq"):
        asked_with, came = request.header(name) or "", final.header(name) or ""
        yield expect(
            asked_with.split() == came.split(),
            code=f"wrong-{name.lower()}",
            expected=f"{name}: {asked_with}",
            actual=f"{name}: {came or '(none)'}",
            event=final,
            means="the caller's side does not find the call that is answered",
            look_at=f"where the {name} of a response comes from",
        )


@purpose(
    "RFC3261-8.2.6.2-02",
    plan=OWN_REFUSALS,
    faults=["no_to_tag"],
)
def test_refusal_has_a_to_tag(flow: Flow) -> Findings:
    """The device that answers adds a tag to the To of its 302 or 603, if the request had none.

    By the tag a forking proxy and the caller distinguish the answers of different phones and match the ACK. Typical
    defect: the device makes tags for dialogs, and a refusal makes no dialog.
    """
    here = refused_here(flow)
    if here is None:
        yield unseen(why_not_refused(flow), code="not-refused")
        return
    final = here[1]
    yield expect(
        bool(final.to_tag),
        code="no-to-tag",
        expected="a tag in the To",
        actual=f"To: {final.header('To') or '(none)'}",
        event=final,
        means="the answers of two phones look like one, and the ACK may not be matched",
        look_at="is the To tag made for every final response, or for dialogs only?",
    )


@purpose("RFC3261-8.2.6.2-03", plan=RINGS_THEN_DECLINES, faults=["other_to_tag"])
def test_ringing_and_refusal_have_one_tag(flow: Flow) -> Findings:
    """All responses of a device to one INVITE have the same To tag: the 302 or 603 has the tag of the 180.

    With another tag the refusal looks like that of another phone, and the early dialog of the first one stays.  Typical
    defect: another part of the device sends the refusal and makes a tag of its own.

    100 has no tag.  Another test judges a refusal without any tag.
    """
    here = refused_here(flow)
    if here is None:
        yield unseen(why_not_refused(flow), code="not-refused")
        return
    one, final = here
    early = [response for response in one.provisionals if (response.status or 0) > 100]
    if not early:
        yield unseen("the device did not ring before it answered", code="no-ringing")
        return
    if not final.to_tag:
        yield unseen(f"the {final.status} has no tag to compare with", code="no-to-tag")
        return
    others = [response for response in early if response.to_tag != final.to_tag]
    yield expect(
        not others,
        code="other-to-tag",
        expected=f"the tag of the {early[0].status}, {early[0].to_tag or '(none)'}, in every response",
        actual=f"To: {final.header('To')} in the {final.status}"
        + (f", To: {others[0].header('To')} in the {others[0].status}" if others else ""),
        event=final,
        means="the caller's phone may go on showing a call that rings",
        look_at="where the tag of the final response is made: is the tag of the 180 known there?",
    )


@purpose("RFC3326-2-03", plan={"uas": (REFUSED["uas"], FORWARDED)}, faults=["repeats_reason"])
def test_reason_speaks_once_for_each_protocol(flow: Flow) -> Findings:
    """Several Reason values in one response name different protocols: one SIP cause, one Q.850 cause, not two.

    With two causes of one protocol every reader takes another one.  Typical defect: a gateway adds its cause to one
    that is already there.

    Most devices send no Reason in a response, and that conforms.
    """
    here = refused_here(flow)
    if here is None:
        yield unseen(why_not_refused(flow), code="not-refused")
        return
    final = here[1]
    reasons = final.headers("Reason")
    twice = repeated_protocols(final)
    yield expect(
        not twice,
        code="reason-repeated",
        expected="at most one Reason value for each protocol",
        actual=f"Reason: {', '.join(reasons)}" if reasons else "no Reason",
        event=final,
        means="displays and call records take either of the two causes",
        look_at="where Reason values are added: is one of the same protocol replaced?",
    )


@purpose(
    "RFC4320-4.1-01",
    plan={
        "uas": (number("declines", method="MESSAGE"), number("redirects", method="MESSAGE")),
        "redirect": redirecting(method="MESSAGE"),
        "proxy": relayed(Answer(), method="MESSAGE"),
    },
    faults=["provisional_to_message"],
)
def test_message_gets_no_provisional_answer(flow: Flow) -> Findings:
    """A request other than INVITE gets no provisional response but 100: a MESSAGE is redirected or declined at once.

    A 180 does not end the sender's transaction, which waits for a final response until it times out.  Typical defect:
    the device uses its call logic, which rings first, for every method.

    Behind a proxy the callee does not answer, and the proxy has nothing to relay.

    A 100 within 3.5 s is a warning: on UDP only the next sentence of the clause forbids it.
    """
    one = first_asked(flow)
    if one is None:
        yield unseen(why_not_refused(flow), code="not-refused")
        return
    for response in one.provisionals:
        after = response.time - one.request.time
        hundred = response.status == 100
        if hundred and after >= timers_of(flow).until_t2 - SLACK_S:
            continue
        yield violated(
            code="trying-sent" if hundred else "provisional-sent",
            expected=f"a final response to the {one.request.method}, and none before it",
            actual=f"{response.status} {response.reason} {later(after)} after the request",
            event=response,
            means='the sender gets a "ringing" for a message; some senders drop it, some wait for 32 s',
            look_at="for which methods the device answers 100 and 180",
            at_most=Verdict.WARN if hundred else Verdict.FAIL,
        )
        return
    if one.final is None:
        passed_on = flow.select(one.request.method, received=True, at=watched_seats(flow))
        if not passed_on or (doubt := unproven(flow, one.seat, passed_on[0].time + SILENT_S)):
            if passed_on:
                yield unseen(f"nothing came, but {doubt}", code="not-proven")
            else:
                yield unseen(why_not_refused(flow), code="not-refused")
        else:
            yield satisfied("no response, while the callee sent none", event=passed_on[0])
        return
    refused = one.status >= 300
    yield satisfied(
        f"{one.final.status} {one.final.reason}, and nothing before it",
        event=one.final,
        note="" if refused else f"the {one.request.method} was neither redirected nor declined",
    )
