"""The response to the caller when several branches have failed: one, and the right one (RFC 3261 16.7 item 6)."""

from __future__ import annotations

from harness.judge.branches import ResponseContext, contexts, last_end
from harness.judge.declines import since
from harness.judge.say import Findings, satisfied, unseen, violated
from harness.judge.silence import silent
from harness.judge.upstream import no_final, outcomes
from harness.model.flow import Event, Flow
from harness.purposes.purpose import purpose
from harness.sip.uri import request_uri_of, same_uri
from suites.plans import DECLINE, REDIRECT
from suites.progress import RELAYED_DECLINES
from suites.proxy._plans import (
    FORK_DECLINE,
    FORK_ORDERS,
    FORK_STORED,
    NO_CONTACT,
    RECURSION,
)

NOT_COMPLETE = "not every branch of this call has ended, so no response was due"


def _decline_goes_up(flow: Flow, context: ResponseContext, call: str) -> Findings:
    refused, told = context.refused, context.asked.final
    if refused is None or refused.final is None:
        yield unseen(f"{call}no branch was answered with a 6xx", code="not-declined")
    elif told is None:
        yield unseen(f"{call}the caller got no final response (another rule covers this)", code="no-final-response")
    elif told.number < refused.final.number:
        yield unseen(
            f"{call}the caller had {told.start_line} before the {refused.status} was sent", code="answered-before"
        )
    elif (told.status or 0) < 300:
        yield unseen(f"{call}the call was answered", code="answered")
    else:
        stored = {final.status for final in context.finals if final.number < told.number}
        if told.status in stored and (told.status or 0) >= 600:
            yield satisfied(f"{call}{told.start_line} at the caller", event=told)
            return
        others = ", ".join(str(final.status) for final in context.finals)
        yield violated(
            code="decline-replaced",
            expected=f"{call}the {refused.status}",
            actual=f"{told.start_line} at the caller; the branches had ended with {others}",
            event=told,
            means="the caller's side tries a call again, or elsewhere, that the callee has declined",
            look_at="the order in which stored responses are preferred; a mapping of 603 to another code",
        )


@purpose("RFC3261-16.7.6-01", plan=(DECLINE, RELAYED_DECLINES), faults=["changes_6xx", "softens_6xx_after_ringing"])
def test_decline_of_the_only_branch_goes_up_as_it_is(flow: Flow) -> Findings:
    """With one branch there is nothing to choose: its 603 is what the caller gets.

    A 480 in its place means "try again later", and callers do.  Typical defect: the proxy maps 6xx to "softer" codes
    because some old phone redialled after them; or, once the phone has rung, it takes the call for a missed one.
    """
    for context in contexts(flow):
        yield from _decline_goes_up(flow, context, "")


@purpose(
    "RFC3261-16.7.6-01",
    "INT-302-603-05",
    plan=FORK_ORDERS,
    faults=["changes_6xx", "prefers_other_class", "tries_contacts_after_603"],
    roles=["proxy"],
)
def test_decline_is_preferred_to_every_other_answer(flow: Flow) -> Findings:
    """A 6xx among the stored responses is chosen before 3xx and 407, whichever came first.

    A 302 in its place makes the caller follow a callee who has declined; a 407 makes the caller's phone ask for a
    password.  Typical defects: "lowest code wins", which is the rule for the other classes; or the proxy still follows
    a 302 that comes after the 603, because recursion looks at its own branch only.

    16.7.5-02 and INT-302-603-03 judge whether a target that was called before the 603 is cancelled.
    """
    for number, context in enumerate(contexts(flow), 1):
        yield from _decline_goes_up(flow, context, f"call {number}: ")
        refused = context.refused
        moved = next((branch for branch in context.branches if 300 <= branch.status < 400), None)
        if refused is None or refused.final is None or moved is None or moved.final is None:
            why = f"call {number}: there was no 302 on one branch and 603 on another"
            yield unseen(why, code="not-forked", requirement="INT-302-603-05")
        elif moved.final.time > refused.final.time:  # not by number: who sent first is told by the clocks alone
            ours = {branch.invite.number for branch in context.branches}
            yield silent(
                since(flow, refused.attempt),
                code="redirection-followed",
                after=refused.final,
                at=["target"],
                unless=lambda attempt, ours=ours: attempt.invite.number not in ours,  # type: ignore[misc]
                expected=f"call {number}: the {moved.status} after the {refused.status} is not followed",
                means="a call that was declined rings at the redirect target",
                look_at="does recursion ask whether a 6xx is stored in the response context?",
                requirement="INT-302-603-05",
            )


@purpose("RFC3261-16.7.6-02", plan=FORK_STORED, faults=["prefers_other_class"])
def test_redirection_is_preferred_to_a_failure(flow: Flow) -> Findings:
    """Without a 6xx the lowest class is preferred: a 302 that was not followed beats 486 and 503.

    With the 302 the caller can still reach the callee; with the 486 the caller gives up.  Typical defect: the proxy
    relays the last response, or the first one.

    A 302 whose Contacts the proxy has all tried is no candidate any more (16.7 item 4).
    """
    for context in contexts(flow):
        told = context.asked.final
        classes = {(final.status or 0) // 100 for final in context.finals if not _all_tried(context, final)}
        if told is None or last_end(context.branches) is None:
            if told is None:
                yield unseen("the caller got no final response (another rule covers this)", code="no-final-response")
            else:
                yield unseen(NOT_COMPLETE, code="branch-open")
        elif not classes <= {3, 4, 5} or len(classes) < 2:
            yield unseen("the branches did not fail in several classes below 6xx", code="one-class")
        elif (told.status or 0) // 100 <= min(classes):  # an emptied 302 is another rule's
            yield satisfied(f"{told.start_line} at the caller", event=told)
        else:
            yield violated(
                code="higher-class-preferred",
                expected=f"a {min(classes)}xx, the lowest class that came",
                actual=f"{told.start_line}; the branches had ended with "
                + ", ".join(str(final.status) for final in context.finals),
                event=told,
                means="the caller gives up a call that could still have been placed",
                look_at="the order in which stored responses are preferred",
            )


def _all_tried(context: ResponseContext, final: Event) -> bool:
    """Whether ``final`` is a 3xx that has no Contact left for the caller."""
    if not 300 <= (final.status or 0) < 400:
        return False
    return bool(final.contact_uris) and all(
        any(same_uri(request_uri_of(uri), branch.invite.request_uri) for branch in context.branches)
        for uri in final.contact_uris
    )


@purpose("RFC3261-16.7.6-03", plan=(DECLINE, REDIRECT), faults=["second_final_upstream"])
def test_caller_is_answered_once(flow: Flow) -> Findings:
    """A refused or redirected INVITE gets exactly one final response, once its branch has ended.

    Without one the caller waits until they lose patience; a second one meets a caller whose call is over.  Typical
    defect: the proxy relays the response, and then the script that handled it sends another one for the same
    transaction.
    """
    yield from _one_final(flow)


@purpose(
    "RFC3261-16.7.6-03",
    plan=(FORK_DECLINE, FORK_STORED, RECURSION, NO_CONTACT),
    faults=["second_final_upstream", "swallows_302", "swallows_302_without_contact"],
)
def test_caller_is_answered_once_however_many_branches_there_were(flow: Flow) -> Findings:
    """Several branches, and copies of their responses, lead to exactly one final response for the caller.

    It comes once all branches have ended, also where a redirection was followed or could not be.  Typical defects: the
    copy of a 603 starts the choice again; or a 302 without Contact leaves the context without a response to send.
    """
    yield from _one_final(flow)


def _one_final(flow: Flow) -> Findings:
    for context in contexts(flow):
        told, end = outcomes(context.asked), last_end(context.branches)
        if end is None:
            if context.branches:
                yield unseen(NOT_COMPLETE, code="branch-open")
            else:
                yield unseen("no branch was opened for this call", code="no-branch")
        elif not told:
            yield no_final(flow, context.asked, end)
        elif len(told) == 1:
            yield satisfied(f"{told[0].start_line} at the caller, and nothing else", event=told[0])
        else:
            yield violated(
                code="second-final-response",
                expected="one final response at the caller",
                actual=", then ".join(final.start_line for final in told),
                event=told[1],
                means="the caller's phone gets two outcomes of one call",
                look_at="is the response context closed once a final response has gone up?",
            )
