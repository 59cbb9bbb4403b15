"""Every redirection is one: whatever its code, what came before it, and how its Contact is written."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.judge.attempts import Attempt
from harness.judge.redirection import beyond_its_limit, dropped, lost_ack, redirections
from harness.judge.say import Findings, expect, satisfied, unseen
from harness.judge.targets import asked_for, hops, lapses, user_of
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from suites.plans import CHAIN, followed
from suites.progress import PROGRESS
from suites.uac._chains import CODES, FORMS, USERS

NEVER_SENT = "no redirection was sent in this flow"
NOT_ASKED = frozenset({300, 305, 380})
"""Codes after which a device may ask its user, or call nobody (21.3.1, 21.3.4, 21.3.5)."""


@purpose("RFC3261-8.1.3.4-01", plan=(CHAIN, CODES), faults=["follows_302_only"])
def test_other_codes_redirect_as_well(flows: Sequence[Flow]) -> Findings:
    """A 301 is followed like a 302; 300, 305 and 380 are acknowledged, and followed or not.

    A user who has moved for good is answered 301 by many servers.  Typical defect: "302" is written in the code, and
    every other 3xx ends the call.

    On 300 a device may let its user choose (21.3.1), 305 names a proxy, and 380 describes a service in its body. So
    there it may end the call.
    """
    yield from _each_step(flows[1], flows[0], means="a user who has moved for good cannot be reached")


@purpose("INT-302-18X-01", plan=(CHAIN, PROGRESS), faults=["ignores_3xx_after_media", "keeps_to_tag"])
def test_redirection_is_followed_whatever_came_before_it(flows: Sequence[Flow]) -> Findings:
    """A 302 after a 100, after 100 and 180, or after 183 with early media is followed like one that comes at once.

    Gateways play an announcement (183) before they redirect.  Typical defect: early media makes the call "connected",
    and a final response other than 2xx then only ends it.
    """
    plain, odd = flows
    yield from _each_step(odd, plain, means="calls are forwarded at once, and not after ringing or an announcement")
    for step in redirections(odd):
        early = {response.to_tag for response in step.old.responses} - {None}
        yield expect(
            step.new.invite.to_tag not in early,
            code="to-tag-kept",
            expected="an INVITE without To tag",
            actual=f"To: {step.new.invite.header('To')}",
            event=step.new.invite,
            means="the target answers 481, and the call is lost instead of forwarded",
            look_at="from which message the next INVITE is built",
        )


@purpose("RFC3261-8.1.3.4-01", plan=(CHAIN, USERS), faults=["skips_same_place"])
def test_contact_at_the_same_address_is_a_target(flows: Sequence[Flow]) -> Findings:
    """A Contact at the host and port that has redirected is called like any other, if its user is another.

    An exchange that forwards from one of its numbers to another answers so.  Typical defect: a guard against loops that
    compares addresses and not URIs.
    """
    first = hops(flows[1])[:1]
    yield from _each_step(flows[1], flows[0], first, means="calls that are forwarded within one exchange fail")


@purpose(
    "RFC3261-8.1.3.4-08",
    plan=(CHAIN, USERS),
    faults=["decodes_user", "cuts_user_at_semicolon", "needs_user", "keeps_old_host", "drops_contact_parameters"],
)
def test_user_of_the_contact_is_kept_as_it_is(flows: Sequence[Flow]) -> Findings:
    """The user of a Contact may have escapes, parameters of a telephone number, or be missing: it is copied as it is.

    ``%23`` is a ``#`` of a feature code, and ``;phone-context`` in front of the ``@`` belongs to the number.  Typical
    defects: the URI is unescaped and not escaped again; it is cut at the first semicolon.

    A Contact without user names a host.  A device that passes over it gets a warning.
    """
    plain, odd = flows
    means = "the call goes to another number, or the target answers 400 or 404"
    yield from _each_step(odd, plain, hops(odd)[1:], means=means)
    for step in redirections(odd)[1:]:
        wanted, invite = asked_for(step.response)[0], step.new.invite
        wrong, harmless = lapses(wanted, invite.request_uri, invite.transport)
        if bare := _unescaped(invite.request_uri):
            wrong, harmless = (*wrong, f"{bare} is not escaped"), False
        yield expect(
            not wrong,
            code="request-uri-rewritten" if harmless else "user-unescaped" if bare else "wrong-request-uri",
            expected=wanted,
            actual=f"{invite.request_uri} ({'; '.join(wrong)})" if wrong else invite.request_uri,
            event=invite,
            means=means,
            look_at="how the user of a Contact is taken apart and written again",
            at_most=Verdict.WARN if harmless else Verdict.FAIL,
        )


@purpose(
    "RFC3261-20.10-02",
    plan=followed(CHAIN, FORMS),
    faults=["takes_apostrophe_for_quote", "needs_brackets_for_quotes"],
)
def test_what_is_in_quotes_ends_no_contact(flows: Sequence[Flow]) -> Findings:
    """Brackets, commas, semicolons and apostrophes inside quotes end nothing, in a display name or in a parameter.

    Phones write ``+sip.instance="<urn:uuid:…>"`` behind their URI, and people are called O'Brien.  Typical defects: the
    first bracket of the line begins the URI; an apostrophe opens a quotation that nothing closes.
    """
    plain, odd = flows
    means = "a user cannot be reached by forwarding because of a name or of a phone's own parameters"
    yield from _each_step(odd, plain, means=means, look_at="the parser of Contact: quotes first, then all the rest")
    for step in redirections(odd):
        wanted, invite = asked_for(step.response)[0], step.new.invite
        yield expect(
            user_of(invite.request_uri) == user_of(wanted),
            code="wrong-target",
            expected=wanted,
            actual=invite.request_uri,
            event=invite,
            means="the call goes to something that is no target",
            look_at="the parser of Contact: quotes first, then all the rest",
        )


def _unescaped(uri: str) -> str:
    """The first character of the user that must be escaped there (25.1); "" if there is none."""
    user = uri.partition(":")[2].rpartition("@")[0]
    found = re.search(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-_.!~*'()&=+$,;?/:%]", user)
    return found[0] if found else ""


def _each_step(
    flow: Flow, plain: Flow, steps: Sequence[Attempt] | None = None, *, means: str, look_at: str = ""
) -> Findings:
    """Each 3xx of the flow (or those of ``steps``) is acknowledged, and followed like that of ``plain``.

    A device may end a chain by a limit of its own: it must be as far in ``plain``, where every step is an ordinary 302.
    """
    steps = hops(flow) if steps is None else steps
    if not steps:
        yield unseen(NEVER_SENT, code="not-sent")
    for attempt in steps:
        final = attempt.final
        if final is None:
            continue
        written = ", ".join(final.headers("Contact"))
        came = ", ".join(str(response.status) for response in attempt.responses if (response.status or 0) < 200)
        what = f"the {final.status} with Contact: {written}" + (f" after {came}" if came else "")
        if lost := lost_ack(flow, attempt, plain, what=what):
            yield lost
        elif any(step.old == attempt for step in redirections(flow)):
            yield satisfied(f"followed: {what}", event=final)
        elif beyond_its_limit(flow, attempt, plain):
            limit = f"the device follows {len(redirections(plain))} redirections in a call, and this was the next"
            yield satisfied("acknowledged, and the end of the call", event=final, note=limit)
        elif final.status in NOT_ASKED:
            yield satisfied(f"acknowledged, and not followed: {what}", event=final)
        else:
            yield dropped(
                flow,
                attempt,
                plain,
                expected=f"an ACK, and INVITE {asked_for(final)[0]}",
                means=means,
                look_at=look_at or f"what is different about {what}?",
                at_most=Verdict.FAIL if user_of(asked_for(final)[0]) else Verdict.WARN,
            )
