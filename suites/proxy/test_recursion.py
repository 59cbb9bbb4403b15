"""A proxy that follows a 302 itself: its targets, what is left of the 302, and its end (16.5, 16.7 item 4)."""

from __future__ import annotations

from harness.judge.answers import first_asked, unproven
from harness.judge.attempts import tries
from harness.judge.branches import NOT_RECURSED, context_of
from harness.judge.declines import watched_seats
from harness.judge.extent import extent
from harness.judge.patience import may_yet_come
from harness.judge.say import Findings, expect, not_proven, satisfied, unseen, violated
from harness.judge.silence import gap
from harness.judge.targets import asked_for, repeats
from harness.judge.upstream import CROSSING_S, outcomes
from harness.model.flow import Flow
from harness.purposes.purpose import purpose
from harness.sip.uri import request_uri_of, same_uri
from suites.plans import REDIRECT, recursed
from suites.proxy._plans import (
    RECURSION,
    RECURSION_AGAIN,
    RECURSION_MESSAGE,
    RECURSION_UNREACHABLE,
)

TIMER_F_S = 32.0
NO_FINAL = "the caller got no final response (another rule covers this)"


@purpose("RFC3261-16.5-03", plan=recursed(REDIRECT), faults=["never_recurses", "keeps_callers_transport"])
def test_proxy_that_claims_to_recurse_calls_the_contact(flow: Flow) -> Findings:
    """A proxy that claims to follow redirections calls the Contact of a 302 for a user of its own.

    Recursion is a choice (16.5), so only the claim is tested.  Typical defect: the script has a route for redirections,
    and no failure route leads there.
    """
    context = context_of(flow)
    answered = next((b for b in context.branches if 300 <= b.status < 400), None) if context else None
    if context is None or answered is None or answered.final is None:
        yield unseen("no branch of this call was answered 3xx", code="not-redirected")
        return
    called = context.at("target")
    if called:
        yield satisfied("the Contact was called", event=called[0].invite)
    elif missing := gap(flow, ("callee",)) or (None if context.asked.final else may_yet_come(flow, answered.final)):
        yield not_proven("no INVITE arrived at the Contact", missing)
    else:
        told = context.asked.final
        yield violated(
            code="not-recursed",
            expected=f"an INVITE for {', '.join(asked_for(answered.final))}",
            actual=f"the caller got {told.start_line}" if told else "no INVITE, and nothing for the caller",
            event=told or answered.final,
            means="users who have moved cannot be reached through a proxy that promises it",
            look_at="is recursion switched on? If it is not meant to be, declare proxy_recurses_3xx = false",
        )


@purpose(
    "RFC3261-16.5-01",
    plan=RECURSION_AGAIN,
    faults=["tries_same_target_again", "tries_same_target_twice"],
)
def test_no_uri_is_tried_twice(flow: Flow) -> Findings:
    """A URI enters the target set once: a Contact that was already tried is not tried again.

    Otherwise two users who forward to each other keep a proxy busy until it runs out of memory.  Typical defect: the
    proxy looks at the last redirection only, so it detects A to A and not A to B to A.

    URIs are compared by 19.1.4.
    """
    context = context_of(flow)
    if context is None or len(context.branches) < 2:
        yield unseen(NOT_RECURSED, code="not-recursed")
        return
    for attempt in tries(flow):
        earlier = repeats(flow, attempt)
        if earlier is not None:
            again = [other for other in tries(flow) if repeats(flow, other) is not None]
            yield violated(
                code="tried-twice",
                expected="one INVITE transaction for each URI",
                actual=f"{attempt.invite.start_line} again; it was tried before (message {earlier.invite.number})"
                + extent(flow, again),
                event=attempt.invite,
                means="two users who forward to each other keep the proxy busy without end",
                look_at="is a new Contact compared with all URIs that were ever in the target set (16.5)?",
            )
            return
    if missing := gap(flow, watched_seats(flow)):
        yield not_proven("no URI was tried twice", missing)
    else:
        yield satisfied(f"{len(context.branches)} URIs, each tried once")


@purpose("RFC3261-16.6-06", plan=RECURSION, faults=["recursion_ignores_q"])
def test_contacts_are_tried_in_the_order_of_q(flow: Flow) -> Findings:
    """Contacts with different q are tried from the highest down, each when the one before it has failed.

    q says where the callee prefers to be reached.  Typical defect: the proxy tries the Contacts in the order of the
    header, or all at once although q says otherwise.

    A proxy may be configured to call them at once.  Then they ring together, and this is only noted.
    """
    context = context_of(flow)
    best = context.at("target") if context else ()
    next_ = context.at("second") if context else ()
    if not best or not next_:
        if best or next_:
            yield unseen("the proxy tried one of the two Contacts only", code="one-contact-tried")
        else:
            yield unseen(NOT_RECURSED, code="not-recursed")
        return
    first, then = best[0], next_[0]
    ahead = first.invite.time - then.invite.time
    if abs(ahead) <= CROSSING_S:
        yield satisfied("both at once", event=then.invite, note="the Contacts are tried at once, whatever their q")
    elif ahead < 0 and first.final is not None and first.final.number < then.invite.number:
        yield satisfied(f"the one with q=1.0, and after its {first.status} the one with q=0.5", event=then.invite)
    else:
        yield violated(
            code="wrong-order" if ahead > 0 else "called-too-early",
            expected=("the Contact with q=1.0, and when it has failed the one with q=0.5", "both at once"),
            actual=f"the Contact with q=0.5 was called {abs(ahead):.1f} s "
            + ("before the one with q=1.0" if ahead > 0 else "after the other one, which still rang"),
            event=then.invite,
            means="the callee's phones ring in an order that they did not ask for",
            look_at="are the Contacts of a 3xx sorted by q before they enter the target set?",
        )


@purpose("RFC3261-16.7.4-01", plan=RECURSION, faults=["leaves_tried_contacts"])
def test_contacts_that_were_tried_are_not_handed_on(flow: Flow) -> Findings:
    """A Contact that the proxy has tried itself is removed from the 3xx before that can become the answer.

    Otherwise the caller calls a target again that has just refused.  Typical defect: the proxy stores the 302 as it
    came, and its recursion does not know of that copy.
    """
    context = context_of(flow)
    if context is None or len(context.branches) < 2:
        yield unseen(NOT_RECURSED, code="not-recursed")
        return
    told = outcomes(context.asked)
    if not told:
        yield unseen(NO_FINAL, code="no-final-response")
    for final in told:
        tried = [
            uri
            for uri in final.contact_uris
            if any(same_uri(request_uri_of(uri), branch.invite.request_uri) for branch in context.branches)
        ]
        yield expect(
            (final.status or 0) < 300 or not tried,
            code="tried-contact-handed-on",
            expected="a final response that names no URI which the proxy has tried",
            actual=f"{final.start_line}" + (f", Contact: {', '.join(tried)}" if tried else ""),
            event=final,
            means="the caller calls a target again that has just refused",
            look_at="is the Contact removed from the stored 3xx when it enters the target set?",
        )


@purpose("RFC3261-16.7.4-03", plan=RECURSION, faults=["emptied_302_upstream"])
def test_emptied_redirection_is_no_answer(flow: Flow) -> Findings:
    """A 3xx of which every Contact was tried is discarded: the answer comes from the targets.

    A 302 without Contact redirects the caller and names no target.  Typical defect: the proxy removes the Contacts as
    it should, and still chooses the lowest class.
    """
    context = context_of(flow)
    if context is None or len(context.branches) < 2:
        yield unseen(NOT_RECURSED, code="not-recursed")
        return
    told = context.asked.final
    if told is None:
        yield unseen(NO_FINAL, code="no-final-response")
    elif 300 <= context.asked.status < 400 and told.contact_uris:
        yield unseen(f"the caller got {told.start_line} with a Contact (another rule covers this)", code="contact-left")
    else:
        tried = ", ".join(str(branch.status) for branch in context.branches[1:])
        yield expect(
            not 300 <= context.asked.status < 400,
            code="empty-redirection",
            expected=f"one of the answers of the targets: {tried}",
            actual=f"{told.start_line} at the caller, without Contact",
            event=told,
            means="the caller is redirected, and no target is named",
            look_at="is a 3xx dropped from the stored responses when its last Contact was used?",
        )


@purpose("RFC3261-16.9-01", plan=RECURSION_UNREACHABLE, faults=["unreachable_contact_ends_search"], least_window=40.0)
def test_unreachable_contact_is_a_failed_branch(flow: Flow) -> Findings:
    """A Contact that cannot be reached counts as a 503 of its branch: the search goes on.

    The callee named two places, and one of them is switched off.  Typical defect: an error of the socket, or a timeout,
    ends the whole context.

    On UDP a closed port need not be reported to the proxy: it may take Timer B (32 s) to notice.
    """
    context = context_of(flow)
    moved = next((b.final for b in context.branches if b.final and 300 <= b.status < 400), None) if context else None
    if context is None or moved is None:
        yield unseen("the 302 was never sent", code="not-sent")
        return
    tried = context.at("target")
    told = context.asked.final
    if tried:
        late = tried[0].invite.time - moved.time
        yield satisfied(f"the second Contact was called {late:.1f} s after the 302", event=tried[0].invite)
    elif told is None:
        if doubt := unproven(flow, context.asked.seat, moved.time + 36.0):
            yield unseen(f"the second Contact was not called, but {doubt}", code="not-proven")
        else:
            yield violated(
                code="no-final-response",
                expected="an INVITE to the second Contact within about 32 s",
                actual=f"nothing in {flow.watch.closed_at - moved.time:.0f} s, neither there nor at the caller",
                event=moved,
                means="one phone that is switched off keeps the caller waiting without end",
                look_at="how a timeout or a socket error changes the response context",
            )
    else:
        left = [uri for uri in told.contact_uris if same_uri(request_uri_of(uri), asked_for(moved)[1])]
        only = len(told.contact_uris) == 1 and 300 <= context.asked.status < 400
        yield expect(
            bool(left) and only,
            code="search-ends",
            expected=("an INVITE to the second Contact", "a 3xx with the second Contact alone"),
            actual=f"{told.start_line} at the caller, and the second Contact was not called",
            event=told,
            means="one phone that is switched off makes the others unreachable",
            look_at="is the rest of the target set tried when a branch fails, by whatever it fails: a response, a "
            "timeout or a socket error (16.9)?",
        )


@purpose("RFC4320-4.2-01", plan=RECURSION_MESSAGE, faults=["sends_408_to_message"], roles=["proxy"], least_window=40.0)
def test_message_that_runs_out_of_time_gets_no_408(flow: Flow) -> Findings:
    """When the redirect target of a MESSAGE never answers, the proxy does not answer 408.

    The sender's own transaction ends at the same moment.  A 408 just after it is a stray, and one just before it makes
    the proxy look like the cause.  Typical defect: the proxy uses the timeout of an INVITE for every method.

    No response at all conforms, and so does another final response that comes in time.
    """
    asked = first_asked(flow)
    tried = flow.select("MESSAGE", received=True, at="target")
    if asked is None or not tried:
        yield unseen(
            "the proxy did not send the MESSAGE to the Contact, so there was nothing to wait for", code="not-recursed"
        )
    elif asked.status == 408:
        yield violated(
            code="answers-408",
            expected=("no final response", "a final response other than 408, in time"),
            actual=f"{asked.final} after {asked.final.time - asked.request.time:.1f} s" if asked.final else "",
            event=asked.final,
            means="the response comes too late to be of use, and blames the wrong element",
            look_at="which response a timeout of a non-INVITE client transaction (Timer F) becomes",
        )
    elif asked.final is not None:
        yield satisfied(f"{asked.final.start_line} at the sender", event=asked.final)
    elif doubt := unproven(flow, asked.seat, tried[0].time + TIMER_F_S + 2.0):
        yield unseen(f"no 408 came, but {doubt}", code="not-proven")
    else:
        yield satisfied(f"no final response in {flow.watch.closed_at - tried[0].time:.0f} s")
