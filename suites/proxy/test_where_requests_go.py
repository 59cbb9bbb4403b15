"""Whether a proxy may relay a request at all, and to which target: hops, responsibility, no target (16.3, 16.5)."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judge.answers import first_asked
from harness.judge.branches import NOT_PROXIED, context_of
from harness.judge.declines import since
from harness.judge.say import Findings, expect, satisfied, unseen, violated
from harness.judge.silence import silent
from harness.judge.upstream import no_final, outcomes, values
from harness.model.flow import Flow
from harness.purposes.purpose import purpose
from suites.plans import DECLINE, REDIRECT
from suites.proxy._plans import NO_TARGET, ZERO_HOPS


@purpose("RFC3261-16.3-01", plan=(DECLINE, ZERO_HOPS), faults=["forwards_at_zero_hops"])
def test_request_without_hops_left_goes_no_further(flows: Sequence[Flow]) -> Findings:
    """An INVITE with Max-Forwards 0 is answered 483 and is not relayed.

    This is the last protection against loops, loops of redirections included: without it two proxies that point to each
    other send one call to and fro without end.  Typical defects: the number is lowered below zero; or the check is
    missing where the request is for a user of the proxy's own.
    """
    flow = flows[1]
    asked = first_asked(flow)
    if asked is None:
        yield unseen(NOT_PROXIED, code="not-sent")
        return
    yield silent(
        flow,
        code="sent-on",
        after=asked.request,
        expected="483 for the caller, and the request is not relayed",
        means="a loop of redirections or of proxies never ends",
        look_at="is Max-Forwards checked before a request is relayed, also for users of the proxy's own?",
    )
    told = asked.final
    if told is None:
        yield no_final(flow, asked, asked.request, look_at="how a proxy handles a request that it may not relay")
    else:
        yield expect(
            told.status == 483,
            code="wrong-final-response",
            expected="483 Too Many Hops",
            actual=f"{told.start_line} at the caller",
            event=told,
            means="the response hides the loop from an operator who looks for it",
            look_at="which response a request with Max-Forwards 0 gets",
        )


@purpose(
    "RFC3261-16.5-02",
    "RFC3261-21.3.4-02",
    plan=REDIRECT,
    faults=["recurses_for_others", "rewrites_302", "relays_302_without_contact"],
    roles=["proxy"],
)
def test_redirection_of_a_foreign_user_goes_to_the_caller(flow: Flow) -> Findings:
    """A proxy that is not responsible for the Request-URI relays its 302 to the caller and does not follow it.

    The caller decides whom to call instead, and pays for that call.  Typical defects: recursion is switched on for
    every call that passes, trunks included; or the proxy writes its own address over the Contact.

    A B2BUA may follow: it calls on its own account, and declares that role.  A proxy must not make a 305 of the 302
    (21.3.4).
    """
    context = context_of(flow)
    moved = next((b for b in context.branches if 300 <= b.status < 400), None) if context else None
    if context is None or moved is None or moved.final is None:
        yield unseen("the 302 was never sent", code="not-sent")
        return
    told = outcomes(context.asked)
    yield expect(
        all(final.status != 305 for final in told),
        code="answers-305",
        expected="no 305",
        actual=", ".join(final.start_line for final in told) or "nothing at the caller",
        event=told[0] if told else moved.final,
        means="the caller is sent through a proxy that no callee has named",
        look_at="what turns a 302 into a 305",
        requirement="RFC3261-21.3.4-02",
    )
    quiet = silent(
        since(flow, moved.attempt),
        code="followed",
        after=moved.final,
        expected="the 302 goes to the caller, and no other target is called",
        means="the proxy calls a target that the caller did not ask for and may have to pay for",
        look_at="for which Request-URIs recursion is switched on",
        requirement="RFC3261-16.5-02",
    )
    yield quiet
    if quiet.outcome == "violated":
        return
    if not told:
        yield no_final(flow, context.asked, moved.final, requirement="RFC3261-16.5-02")
        return
    same = told[0].status == moved.status and values(told[0], "Contact") == values(moved.final, "Contact")
    contacts = ", ".join(values(told[0], "Contact")) or "(none)"
    yield expect(
        same,
        code="contacts-changed" if told[0].status == moved.status else "other-answer",
        expected=f"{moved.final.start_line}, Contact: {', '.join(values(moved.final, 'Contact'))}",
        actual=f"{told[0].start_line}, Contact: {contacts}",
        event=told[0],
        means="the caller does not learn where the callee is",
        look_at="what changes a 3xx that is relayed: recursion, topology hiding, NAT traversal",
        requirement="RFC3261-16.5-02",
    )


@purpose("RFC3261-16.5-04", plan=NO_TARGET, faults=["empty_302_for_unknown", "blocks_everything"])
def test_user_without_target_is_reported_as_one(flow: Flow) -> Findings:
    """A proxy without target for a user of its own answers 480, or another 4xx.

    Typical defects: a script ends without an answer, so the caller waits for half a minute; the proxy answers 302
    without Contact; or it answers 5xx, which sends the caller's side to the next route.
    """
    asked = first_asked(flow)
    if asked is None:
        yield unseen(NOT_PROXIED, code="not-sent")
    elif asked.final is None:
        yield no_final(
            flow, asked, asked.request, look_at="which response is sent when the location lookup finds nothing"
        )
    elif 400 <= asked.status < 500:
        note = "" if asked.status == 480 else "480 is preferred"
        yield satisfied(f"{asked.final.start_line} at the caller", event=asked.final, note=note)
    else:
        yield violated(
            code="wrong-final-response",
            expected=("480 Temporarily Unavailable", "another 4xx"),
            actual=f"{asked.final.start_line} at the caller",
            event=asked.final,
            means="the caller's side does not recognise a missing user, and tries further routes",
            look_at="which response is sent when the location lookup finds nothing",
        )
