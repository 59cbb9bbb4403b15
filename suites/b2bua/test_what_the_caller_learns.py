"""What a B2BUA reports to its caller about a redirection or a refusal on the other leg."""

from __future__ import annotations

from harness.judge.acks import NOT_REFUSED, acknowledged, refused
from harness.judge.answers import first_asked
from harness.judge.attempts import at
from harness.judge.declines import since, stays_declined, watched_seats
from harness.judge.patience import may_yet_come
from harness.judge.redirection import NOT_FOLLOWED
from harness.judge.say import Findings, expect, not_proven, satisfied, unseen, violated
from harness.judge.silence import gap, silent
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.plan import Call, Plan
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from harness.sip.uri import SipUri, same_uri
from suites.declines import UNKNOWN_6XX
from suites.plans import BEHIND_PROXIES, DECLINE, MOVED, REDIRECT, callee, redirect, refuse, target

CALLER = "caller"
MOVED_TO_DECLINE = Plan((callee(redirect(MOVED, tag="moved")), target(refuse(603))))
"""The call is moved, and the new target declines it."""
CALLED_THROUGH_PROXIES = Plan(REDIRECT.endpoints, calls=(Call(headers=BEHIND_PROXIES),))
"""The call is moved and answered, and the target hangs up; the caller is behind two proxies."""

HANGS = "the caller hears ringing or silence for a call that is over"


def _upstream(flow: Flow) -> tuple[Event, ...]:
    """The final responses to the caller's INVITE; a challenge that the caller has answered is none (22.2)."""
    one = first_asked(flow)
    return one.finals if one else ()


@purpose(
    "INT-302-B2BUA-01",
    plan=(REDIRECT, CALLED_THROUGH_PROXIES),
    faults=["relays_and_follows", "redirects_to_itself"],
    roles=["b2bua"],
)
def test_redirection_is_passed_on_or_followed_but_not_both(flow: Flow) -> Findings:
    """A B2BUA relays a 302 to its caller, or follows it itself; never both.

    If both follow, the target rings twice for one call.  Typical defects: the B2BUA relays the 302 before its redirect
    logic sees it; or it writes its own address and the old user into the Contact, so a caller that follows returns with
    the same call without end.

    A B2BUA that does neither takes the 302 for a failed call; 13.2.2.2 judges that.
    """
    refusal = refused(flow)
    upstream = _upstream(flow)
    if refusal is None or not upstream:
        yield unseen("the caller's INVITE got no final response" if refusal else NOT_REFUSED, code="not-answered")
        return
    passed = next((event for event in upstream if 300 <= (event.status or 0) < 400), None)
    if passed is None:
        followed = bool(at(flow, "target"))
        yield satisfied(
            f"the caller was answered {upstream[0].status}, and no 3xx",
            event=upstream[0],
            note="" if followed else "the redirection was neither followed nor passed on",
        )
        return
    if loops := _back_to_itself(flow, passed):
        yield violated(
            code="redirected-to-itself",
            expected="a Contact that leads the caller on",
            actual=f"Contact: {loops}, which is the device itself with the user that was called",
            event=passed,
            means="a caller that follows returns with the same call without end",
            look_at="what the B2BUA writes into the Contact of a 3xx that it relays",
            at_least=Verdict.FAIL,
        )
        return
    yield silent(
        since(flow, refusal.attempt),
        code="relayed-and-followed",
        after=refusal.final,
        at=["target"],
        expected="nothing at the target, since the 3xx was passed on",
        means="the target rings twice: once for the B2BUA, once for the caller",
        look_at="is the 302 relayed before, or beside, the logic that follows it?",
    )


def _back_to_itself(flow: Flow, passed: Event) -> str:
    """The Contact by which a caller would come back with the call it made; "" if there is none."""
    asked = flow.select("INVITE", received=False, at=CALLER)
    invites = flow.select("INVITE", received=True, at=watched_seats(flow))
    if not asked or not invites:
        return ""
    dialled = asked[0].request_uri
    user = getattr(SipUri.parse(dialled), "user", None)
    own = {(uri.host.lower(), uri.port or 5060) for text in invites[0].contact_uris if (uri := SipUri.parse(text))}
    for contact in passed.contact_uris:
        uri = SipUri.parse(contact)
        if uri is None:
            continue
        itself = (uri.host.lower(), uri.port or 5060) in own and uri.user == user
        if itself or same_uri(contact, dialled):
            return contact
    return ""


@purpose(
    "INT-302-603-04",
    plan=MOVED_TO_DECLINE,
    faults=["hides_603", "relays_and_follows", "leaves_caller_ringing"],
    roles=["b2bua"],
)
def test_decline_of_the_redirect_target_reaches_the_caller(flow: Flow) -> Findings:
    """A B2BUA that followed a 302 reports the target's 603, neither the 302 nor a failure of its own.

    A 302 or a 503 makes the caller's side try again, although the callee has declined.  Typical defect: the B2BUA loses
    the outcome of the followed leg and reports a timeout or "server error".

    A B2BUA may choose its own codes: a 4xx ends the call as well and is only noted.
    """
    reached = at(flow, "target")
    if not reached:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    if reached[0].status != 603:
        yield unseen("the redirect target never answered 603", code="not-declined")
        return
    yield _reported(flow, reached[0].finals[-1])


@purpose(
    "RFC3261-8.1.3.2-01",
    "RFC3261-13.2.2.3-02",
    plan=(DECLINE, *UNKNOWN_6XX),
    faults=["leaves_caller_ringing"],
    roles=["b2bua"],
)
def test_refusal_ends_the_callers_call(flow: Flow) -> Findings:
    """When the callee's side refuses with a 6xx, known or not, the caller's INVITE gets a final failure.

    Otherwise the caller hears ringing for a call that is over.  Typical defect: an unknown code has no mapping, and
    nothing is sent upstream.
    """
    refusal = refused(flow)
    if refusal is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return
    row = "RFC3261-13.2.2.3-02" if refusal.final.status == 603 else "RFC3261-8.1.3.2-01"
    upstream = _upstream(flow)
    if upstream:
        answer = upstream[0]
        yield expect(
            (answer.status or 0) >= 400,
            code="shown-as-redirected" if 300 <= (answer.status or 0) < 400 else "shown-as-answered",
            expected="a final failure for the caller",
            actual=f"{answer.status} {answer.reason} at the caller",
            event=answer,
            means="a refused call looks answered or moved to the caller",
            look_at="how the B2BUA maps the final response of its outgoing leg",
            requirement=row,
        )
    else:
        yield _hangs(flow, refusal.final, row)


@purpose("RFC3261-13.2.2.2-02", plan=REDIRECT, roles=["b2bua"])
def test_redirection_that_is_not_followed_ends_the_call(flow: Flow) -> Findings:
    """A B2BUA that does not follow treats a 3xx as a failed call: it sends an ACK and answers its caller.

    It calls no one else.  Typical defect: following is switched off, and with it everything that ended the call.
    """
    refusal = refused(flow)
    if refusal is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return
    yield acknowledged(flow, refusal)
    yield stays_declined(
        flow,
        refusal,
        code="calls-again",
        means="a device that claims not to follow places another call",
        look_at="how a 3xx is handled when following is switched off",
    )
    upstream = _upstream(flow)
    if not upstream:
        yield _hangs(flow, refusal.final, "")
        return
    yield expect(
        (upstream[0].status or 0) >= 300,
        code="shown-as-answered",
        expected="a 3xx or a final failure for the caller",
        actual=f"{upstream[0].status} {upstream[0].reason} at the caller",
        event=upstream[0],
        means="a call that was moved looks answered to the caller",
        look_at="how the B2BUA maps the final response of its outgoing leg",
    )


def _reported(flow: Flow, final: Event) -> Finding:
    upstream = _upstream(flow)
    if not upstream:
        return _hangs(flow, final, "")
    answer = upstream[0]
    if 400 <= (answer.status or 0) < 500 or (answer.status or 0) >= 600:
        note = "" if answer.status == final.status else f"the {final.status} is reported as {answer.status}"
        return satisfied(f"{answer.status} {answer.reason} at the caller", event=answer, note=note)
    return violated(
        code="other-outcome-reported",
        expected=f"the {final.status}, or another final refusal, at the caller",
        actual=f"{answer.status} {answer.reason} at the caller",
        event=answer,
        means="the caller's side tries a call again that the callee has declined",
        look_at="which outcome is reported after a redirection was followed",
    )


def _hangs(flow: Flow, final: Event, requirement: str) -> Finding:
    if missing := gap(flow, watched_seats(flow)) or may_yet_come(flow, final):
        return not_proven("the caller got no final response", missing, requirement=requirement)
    return violated(
        code="no-final-response",
        expected="a final response for the caller",
        actual=f"none within {flow.watch.closed_at - final.time:.1f} s of the {final.status}",
        event=final,
        means=HANGS,
        look_at="what ends the caller's leg when the other leg was refused",
        requirement=requirement,
    )
