"""A redirect target declines: 302 and then 603 (RFC 3261 8.1.3.4 against 7.2 and 21.6)."""

from __future__ import annotations

from harness.judge.attempts import Attempt, tries
from harness.judge.redirection import NOT_FOLLOWED, redirected
from harness.judge.say import Findings, unseen
from harness.judge.silence import silent
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from harness.sip.uri import same_uri
from suites.uac._plans import THEN_DECLINE


@purpose("INT-302-603-01", plan=THEN_DECLINE, faults=["second_contact_after_603"])
def test_decline_of_a_target_ends_the_call(flow: Flow) -> Findings:
    """When the first of several Contacts declines, the call is over: no other Contact, no original URI.

    The user was reached and does not want the call.  Typical defect: every failure leads to the next Contact, because
    8.1.3.4 names "codes above 399".

    Two clauses disagree. 8.1.3.4 lets any code above 399 lead to the next Contact; by the meaning of 6xx (7.2, 21.6)
    the user has declined everywhere.  Stopping is a pass.  Calling the next Contact is a warning, and a pass by the
    letter, because the second Contact may be another person.  Calling a URI again that the call has already tried is a
    fail.
    """
    if redirected(flow) is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    declined = next((attempt for attempt in tries(flow)[1:] if attempt.status == 603), None)
    if declined is None or declined.final is None:
        yield unseen("no target answered 603 in this flow", code="not-declined")
        return
    known = [attempt for attempt in tries(flow) if attempt.invite.number <= declined.invite.number]

    def tried_before(attempt: Attempt) -> bool:
        return any(same_uri(attempt.invite.request_uri, earlier.invite.request_uri) for earlier in known)

    later = [attempt for attempt in tries(flow) if attempt.invite.number > declined.final.number]
    worse = any(map(tried_before, later))
    yield silent(
        flow,
        code="tried-again" if worse else "next-contact-called",
        after=declined.final,
        unless=lambda attempt: worse and not tried_before(attempt),
        expected="an ACK, and no further INVITE: neither the other Contact nor those that were tried",
        means="a user who declined the call hears it ring on the next phone",
        look_at="is 6xx distinguished from 4xx and 5xx when the next Contact is chosen?",
        at_least=Verdict.FAIL if worse else Verdict.NONE,
    )
