"""A redirect target declines: 302 and then 603 (RFC 3261 8.1.3.4 against 7.2 and 21.6)."""

from __future__ import annotations

from harness.judge.attempts import Attempt
from harness.judge.calls import Call, calls
from harness.judge.redirection import NOT_FOLLOWED
from harness.judge.say import Findings, unseen
from harness.judge.silence import silent
from harness.model.finding import Finding
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from harness.sip.uri import same_uri
from suites.uac._plans import BRIDGED_DECLINES, HUNT_DECLINES, THEN_DECLINE


@purpose(
    "INT-302-603-01",
    plan={"uac": (THEN_DECLINE, HUNT_DECLINES), "b2bua": (THEN_DECLINE, BRIDGED_DECLINES)},
    faults=["second_contact_after_603", "unknown_6xx_as_4xx"],
)
def test_decline_of_a_target_ends_the_call(flow: Flow) -> Findings:
    """When the first of several Contacts answers a 6xx, the call is over: no other Contact, no original URI.

    The user was reached and does not want the call.  Typical defects: every failure leads to the next Contact, because
    8.1.3.4 names "codes above 399"; or 600 and 603 end the call, and 604, 607 or an unknown 6xx does not.

    Two clauses disagree. 8.1.3.4 lets any code above 399 lead to the next Contact; by the meaning of 6xx (7.2, 21.6)
    the user has declined everywhere.  Stopping is a pass.  Calling the next Contact is a warning, and a pass by the
    letter, because the second Contact may be another person.  Calling a URI again that the call has already tried is a
    fail.
    """
    if not any(len(call.tries) > 1 for call in calls(flow)):
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    declined = [(call, one) for call in calls(flow) for one in call.tries[1:] if (one.status or 0) >= 600]
    if not declined:
        yield unseen("no target answered 6xx in this flow", code="not-declined")
    for call, one in declined:
        yield _ends_there(flow, call, one)


def _ends_there(flow: Flow, call: Call, declined: Attempt) -> Finding:
    final = declined.final
    assert final is not None
    known = (*call.before(declined), declined)

    def tried_before(attempt: Attempt) -> bool:
        return any(same_uri(attempt.invite.request_uri, earlier.invite.request_uri) for earlier in known)

    later = [attempt for attempt in call.tries if attempt.invite.number > final.number]
    worse = any(map(tried_before, later))
    return silent(
        flow,
        code="tried-again" if worse else "next-contact-called",
        after=final,
        unless=lambda attempt: attempt not in later or (worse and not tried_before(attempt)),
        expected=f"an ACK of the {final.status}, and no further INVITE: no other Contact, and none that was tried",
        means="a user who declined the call hears it ring on the next phone",
        look_at="is 6xx distinguished from 4xx and 5xx when the next Contact is chosen? Is every 6xx?",
        at_least=Verdict.FAIL if worse else Verdict.NONE,
    )
