"""What ends a proxy's search through the Contacts of a 302: a 603, and the caller's CANCEL (16.7 item 5, 16.10).

Another failure does not end it.
"""

from __future__ import annotations

import dataclasses

from harness.judge.answers import answers_to, unproven
from harness.judge.branches import NOT_RECURSED, ResponseContext, context_of, contexts, last_end
from harness.judge.cancels import cancelled
from harness.judge.declines import since
from harness.judge.patience import may_yet_come
from harness.judge.say import Findings, expect, not_proven, satisfied, unseen, violated
from harness.judge.silence import gap, silent
from harness.judge.targets import asked_for
from harness.judge.upstream import CROSSING_S, PROMPT_S, no_final, values
from harness.model.finding import Finding
from harness.model.flow import Flow
from harness.model.plan import Answer, Response
from harness.purposes.purpose import purpose
from harness.sip.uri import request_uri_of, same_uri
from suites.plans import MOVED, callee, redirect, target
from suites.proxy._plans import (
    CALLEE,
    RECURSION_AT_ONCE,
    RECURSION_CANCELLED,
    RECURSION_DECLINED,
    RECURSION_DECLINES,
    RECURSION_FAILS,
    SECOND,
    SOON_S,
    THIRD,
    at_once,
    bound,
    later,
    second,
    third,
)

OF_TWO_BRANCHES = bound(
    callee(redirect(MOVED)),
    second(Answer((Response(302, contacts=(THIRD,), after=SOON_S),))),
    target(later(486, after=1.0)),
    third(later(404)),
    to=at_once(CALLEE, SECOND),
)
"""Two phones at once; both have moved, and one says so when the Contact of the other is called. Nobody answers."""


NO_FINAL = "the caller got no final response (another rule covers this)"
BOTH = "the proxy had called both Contacts when the 603 came, although their q differ"
T1_DECLINED = "the first Contact never answered 6xx"


@purpose(
    "INT-302-603-02",
    plan=(RECURSION_DECLINED, RECURSION_DECLINES),
    faults=["tries_contacts_after_603", "recursion_ends_after_603_only"],
)
def test_decline_of_a_contact_ends_the_recursion(flow: Flow) -> Findings:
    """When a Contact of the 302 answers any 6xx, the next one is not tried, and the 6xx goes to the caller.

    The redirected callee has declined, and their second number would ring all the same.  Typical defect: the proxy
    takes the Contacts of a 3xx for a hunt list, and a hunt list goes on after every failure but 603.
    """
    for context in contexts(flow):
        yield from _ends_here(flow, context)


def _ends_here(flow: Flow, context: ResponseContext) -> Findings:
    refused = context.refused
    if refused is None or refused.final is None:
        yield unseen(T1_DECLINED, code="not-declined")
        return
    own = [branch.attempt for branch in context.branches]
    quiet = silent(
        since(flow, refused.attempt),
        code="search-goes-on",
        after=refused.final,
        unless=lambda attempt: attempt not in own,
        expected=f"no further Contact is called after the {refused.status}",
        means="the callee has declined, and their next number rings",
        look_at="what ends the search through the Contacts of a 3xx",
    )
    at_once = any(branch.invite.number < refused.final.number for branch in context.at("second"))
    yield dataclasses.replace(quiet, note=BOTH) if at_once and quiet.outcome == "satisfied" else quiet
    told = context.asked.final
    if told is None:
        yield no_final(flow, context.asked, refused.final)
    elif told.number > refused.final.number:
        yield expect(
            not 300 <= context.asked.status < 400,
            code="redirection-handed-on",
            expected=f"the {refused.status}",
            actual=f"{told.start_line} at the caller, Contact: {', '.join(values(told, 'Contact')) or '(none)'}",
            event=told,
            means="the caller's side goes on with a call that the callee has declined",
            look_at="what becomes of a 3xx when one of its Contacts has declined",
        )


@purpose(
    "INT-302-603-03",
    plan=RECURSION_AT_ONCE,
    faults=["parallel_recursion_leaves_ringing", "leaves_branches_ringing", "sends_603_early"],
)
def test_decline_of_a_contact_stops_the_others_ringing(flow: Flow) -> Findings:
    """When two Contacts ring and one declines, the proxy cancels the other one and relays the 603 after its 487.

    This is the rule for forks (16.7.5-02), applied to branches that a redirection has opened.  Typical defect: recursed
    branches are missing from the list of branches to cancel.

    A proxy that tries the Contacts one after the other has nothing to cancel, and passes.
    """
    context = context_of(flow)
    refused = context.refused if context else None
    if context is None or refused is None or refused.final is None:
        yield unseen("no Contact answered 603", code="not-declined")
        return
    ringing = [branch for branch in context.others(refused) if branch.pending_at(refused.final)]
    if not ringing:
        one_by_one = len(context.branches) < 3
        note = "the Contacts were tried one after the other"
        yield (
            satisfied("nothing else rang", note=note)
            if one_by_one
            else unseen("nothing else rang when the 603 came", code="not-forked")
        )
        return
    for branch in ringing:
        yield cancelled(flow, branch, refused.final, look_at="which branches are cancelled after a 6xx: recursed ones?")
    told, end = context.asked.final, last_end(context.branches)
    if told is None or end is None:
        yield unseen(NO_FINAL, code="no-final-response")
    elif branch_cancelled := ringing[0].cancel:
        early = end.time - told.time > CROSSING_S
        yield expect(
            not early,
            code="decline-too-early",
            expected=f"the {refused.status} at the caller when the cancelled branch has ended",
            actual=f"{told.start_line} at the caller"
            + (
                f" {end.time - told.time:.1f} s before the branch cancelled by message {branch_cancelled.number} ended"
                if early
                else ""
            ),
            event=told,
            means="a caller who was already declined may still be answered",
            look_at="is a 6xx relayed without waiting for the other branches?",
        )


@purpose("RFC3261-16.10-01", plan=RECURSION_CANCELLED, faults=["recurses_after_cancel"])
def test_cancel_ends_the_recursion(flow: Flow) -> Findings:
    """When the caller hangs up, the proxy cancels what rings, answers 200 and 487, and calls no further Contact.

    The caller has gone, and the callee's second number would ring.  Typical defect: the 487 of the cancelled target
    counts as one more failure, after which the next Contact is tried.

    That no new branch is opened follows from the purpose of CANCEL; the text says it of a 6xx only.
    """
    context = context_of(flow)
    cancels, answers = answers_to(flow, "CANCEL")
    if context is None or not cancels or len(context.branches) < 2:
        if context is None or len(context.branches) < 2:
            yield unseen(NOT_RECURSED, code="not-recursed")
        else:
            yield unseen("the caller sent no CANCEL", code="not-cancelled")
        return
    cancel = cancels[0]
    yield silent(
        flow,
        code="search-goes-on",
        after=cancel,
        expected="no further Contact is called after the CANCEL",
        means="the callee's next number rings for a caller who has hung up",
        look_at="is the context marked as cancelled before the 487 counts as a failure?",
    )
    for branch in context.branches:
        if branch.pending_at(cancel):
            yield cancelled(flow, branch, cancel, look_at="which branches the caller's CANCEL reaches: recursed ones?")
    if answers:
        yield expect(
            answers[0].status == 200,
            code="cancel-refused",
            expected="200 for the CANCEL",
            actual=f"{answers[0].start_line} for the CANCEL",
            event=answers[0],
            means="the caller's phone believes that its call goes on",
            look_at="how a CANCEL is matched with its INVITE",
        )
    elif doubt := unproven(flow, context.asked.seat, cancel.time + PROMPT_S):
        yield unseen(f"the CANCEL was not answered, but {doubt}", code="not-proven")
    else:
        yield violated(
            code="cancel-unanswered",
            expected="200 for the CANCEL",
            actual="no answer to the CANCEL",
            event=cancel,
            means="the caller's phone repeats its CANCEL for 32 s",
            look_at="how a CANCEL is matched with its INVITE",
        )
    told, end = context.asked.final, last_end(context.branches)
    if told is not None:
        # The refusal of a target that was called beside it is as good a choice (16.7 item 6).
        ended = (branch.status for branch in context.branches if not branch.open_at(cancel))
        offered = {487, *(status for status in ended if status // 100 == 4)}
        yield expect(
            told.status in offered,
            code="wrong-final-response",
            expected="487 for the INVITE",
            actual=f"{told.start_line} at the caller",
            event=told,
            means="the caller's phone shows a failure for a call that was hung up",
            look_at="which response is chosen when the caller has hung up",
        )
    elif end is None:
        yield unseen("the cancelled branch never ended", code="branch-open")
    else:
        yield no_final(flow, context.asked, end)


@purpose("RFC3261-16.6-07", plan=RECURSION_FAILS, faults=["recursion_ends_after_failure"])
def test_failure_of_one_contact_leaves_the_others(flow: Flow) -> Findings:
    """When a Contact of the 302 is busy, absent or broken, the one that was not tried is called, or handed back.

    "Mobile first, then the desk": the mobile is busy, and nobody calls the desk.  Typical defect: what follows a
    redirection is one more target and no target set, so the first refusal is the answer; or one code (486, 503) is
    taken for the refusal of the callee.

    What a proxy does not call itself stays in the 3xx (16.7 item 4), which is a lower class than the failure (item 6).
    A proxy that calls both at once has lost nothing.
    """
    for context in contexts(flow):
        yield _untried_is_not_lost(flow, context)


@purpose("RFC3261-16.6-07", plan=OF_TWO_BRANCHES, faults=["follows_one_branch"])
def test_each_branch_that_has_moved_is_followed(flow: Flow) -> Findings:
    """When two phones of a user have moved, the Contact of either is called, or handed back.

    Typical defect: the search follows one redirection, and what comes from another branch meanwhile is thrown away.
    """
    context = next(iter(contexts(flow)), None)
    moved = [b.final for b in context.branches if b.final and 300 <= b.status < 400] if context else []
    if context is None or len(moved) < 2:
        yield unseen("no two branches of this call were redirected", code="not-moved")
        return
    told = context.asked.final
    if told and (context.asked.status < 300 or context.asked.status >= 600):
        yield unseen(f"the caller had {told.start_line}", code="answered-before")
        return
    named = told.contact_uris if told and context.asked.status < 400 else ()
    for final in moved:
        for uri in asked_for(final):
            tried = next((b.invite for b in context.branches if same_uri(b.invite.request_uri, uri)), None)
            if tried or any(same_uri(request_uri_of(one), uri) for one in named):
                yield satisfied(f"{uri} was {'called' if tried else 'handed back'}", event=tried or told)
            elif missing := gap(flow, ("target", "third")) or (None if told else may_yet_come(flow, final)):
                yield not_proven(f"{uri} was not called", missing)
            else:
                yield violated(
                    code="branch-lost",
                    expected=(f"an INVITE for {uri}", "a 3xx that names it"),
                    actual=f"{told.start_line} at the caller" if told else "nothing, neither there nor at the caller",
                    event=told or final,
                    means="a callee whose two phones have moved is looked for at one of the new places only",
                    look_at="what becomes of a 3xx that comes when another one is being followed?",
                )


def _untried_is_not_lost(flow: Flow, context: ResponseContext) -> Finding:
    moved = next((b.final for b in context.branches if b.final and 300 <= b.status < 400), None)
    failed = next((branch for branch in context.at("target") if 400 <= branch.status < 600), None)
    then, told = context.at("second"), context.asked.final
    if moved is None or failed is None or failed.final is None or len(asked_for(moved)) < 2:
        return unseen("the preferred Contact did not fail in this call", code="not-failed")
    if then:
        return satisfied(f"the other Contact was called, beside or after the {failed.status}", event=then[0].invite)
    left = [uri for uri in asked_for(moved) if not same_uri(uri, failed.invite.request_uri)]
    if told is None:
        if missing := gap(flow, (failed.seat, context.asked.seat)) or may_yet_come(flow, failed.final):
            return not_proven(f"nothing followed the {failed.status}", missing)
    elif told.number < failed.final.number:
        return unseen(f"the caller had {told.start_line} before the Contact failed", code="answered-before")
    elif 300 <= context.asked.status < 400 and any(
        same_uri(request_uri_of(named), uri) for named in told.contact_uris for uri in left
    ):
        return satisfied(f"{told.start_line} at the caller, with the Contact that was not tried", event=told)
    return violated(
        code="contact-lost",
        expected=(f"after the {failed.status} an INVITE for {left[0]}", "a 3xx that names it"),
        actual=f"{told.start_line} at the caller" if told else "nothing, neither there nor at the caller",
        event=told or failed.final,
        means="a callee who has moved to two places is not reached at the second when the first is busy",
        look_at="do all Contacts of a 3xx join the target set, and which failures empty it?",
    )
