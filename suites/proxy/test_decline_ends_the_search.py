"""A 603 on one branch speaks for all: no further target, and no phone rings on (RFC 3261 16.7 items 5 and 10)."""

from __future__ import annotations

import dataclasses

from harness.judge.answers import unproven
from harness.judge.branches import NOT_FORKED, Branch, context_of, contexts
from harness.judge.cancels import cancelled
from harness.judge.declines import since
from harness.judge.extent import later as after_so_long
from harness.judge.say import Findings, satisfied, unseen, violated
from harness.judge.silence import silent
from harness.judge.upstream import CROSSING_S, HANGS, outcomes
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from suites.proxy._plans import FORK_CROSSING, FORK_DECLINE, FORK_UNENDING, SERIAL_DECLINES

NOT_DECLINED = "no branch of this call was answered with a 6xx"
NONE_LEFT = "the proxy had called every target when the 6xx came"
GIVEN_UP_S = 32.0
"""64*T1: how long a proxy waits for the end of a cancelled branch (9.1)."""
SLACK_S = 4.0


@purpose(
    "RFC3261-16.7.5-03",
    "RFC3261-6-01",
    plan=SERIAL_DECLINES,
    faults=["new_branch_after_6xx"],
    roles=["proxy"],
)
def test_no_further_target_is_called_after_a_6xx(flow: Flow) -> Findings:
    """Every 6xx ends the search: the proxy calls none of the targets that are left.

    The callee declined the call.  If their mobile, their colleague or their mailbox rings all the same, the decline
    button has no meaning.  Typical defect: the serial fork goes on after every failure, or after all but 600 and 603.

    Some products have a switch for it ("ignore 6xx").  Where it is on by default the finding applies.  Other tests
    judge the response to the caller; section 6 says the same of any sequential search.  A proxy that calls all targets
    at once, whatever their q, has no target left; that is noted.
    """
    for number, context in enumerate(contexts(flow), 1):
        refused = context.refused
        if refused is None or refused.final is None:
            yield unseen(f"call {number}: {NOT_DECLINED}", code="not-declined")
            continue
        ours = {branch.invite.number for branch in context.branches}
        quiet = silent(
            since(flow, refused.attempt),
            code="search-goes-on",
            after=refused.final,
            unless=lambda attempt, ours=ours: attempt.invite.number not in ours,  # type: ignore[misc]
            expected=f"no other target is called after the {refused.status}",
            means="the callee has declined, and their next phone rings",
            look_at="what ends a serial fork: is a 6xx distinguished from other failures? an 'ignore 6xx' switch?",
        )
        at_once = any(branch.invite.number < refused.final.number for branch in context.others(refused))
        yield dataclasses.replace(quiet, note=NONE_LEFT) if at_once and quiet.outcome == "satisfied" else quiet


@purpose("RFC3261-16.7.5-02", plan=FORK_DECLINE, faults=["leaves_branches_ringing"])
def test_what_rings_is_cancelled_after_a_decline(flow: Flow) -> Findings:
    """When one branch is declined, the proxy cancels every other branch that rings.

    The user declined on one phone, and the other phones ring on.  Typical defect: the proxy cancels branches when a
    call is answered, and in no other case.

    The clause says SHOULD. Once the 603 has gone to the caller, 16.7 item 10 says MUST, and a branch that still rings
    is a fail.
    """
    context = context_of(flow)
    refused = context.refused if context else None
    if context is None or refused is None or refused.final is None:
        yield unseen(NOT_DECLINED, code="not-declined")
        return
    ringing = [branch for branch in context.others(refused) if branch.pending_at(refused.final)]
    if not ringing:
        yield unseen(NOT_FORKED, code="not-forked")
    told = context.asked.final
    for branch in ringing:
        over = told is not None and (branch.final is None or branch.final.time - told.time > CROSSING_S)
        yield cancelled(
            flow,
            branch,
            refused.final,
            look_at="which branches are cancelled after a 6xx; a setting like disable_6xx_block",
            at_least=Verdict.FAIL if over else Verdict.NONE,
        )


@purpose("RFC3261-16.7.5-01", plan=FORK_DECLINE, faults=["sends_603_early"])
def test_decline_waits_for_the_branches_that_are_open(flow: Flow) -> Findings:
    """A 603 is held back while another branch is open, and goes to the caller when the last one has ended.

    Until then that branch may be answered, and a caller who was already declined gets a call.  Typical defect: the
    proxy relays a 6xx at once like a 2xx, to save the caller a second.

    The clause states it as a fact, with its reason and without a keyword: by the letter it is a warning.  A cancelled
    branch that never ends may be given up after 32 s.
    """
    context = context_of(flow)
    refused = context.refused if context else None
    if context is None or refused is None or refused.final is None:
        yield unseen(NOT_DECLINED, code="not-declined")
        return
    told = context.asked.final
    waiting = [branch for branch in context.others(refused) if branch.open_at(refused.final)]
    if told is None:
        yield unseen("the caller got no final response (another rule covers this)", code="no-final-response")
    elif not waiting:
        # A proxy that does not fork has nothing to wait for; one that says it does has not been seen to.
        forks = flow.device["pics"].get("forking_proxy")
        yield (
            unseen(NOT_FORKED, code="not-forked")
            if forks
            else satisfied(f"{told.start_line} at the caller", note=NOT_FORKED)
        )
    else:
        early = [branch for branch in waiting if not _over(branch, told.time)]
        if not early:
            yield satisfied(f"{told.start_line} at the caller after the last branch had ended", event=told)
            return
        end = early[0].final
        answered = any((final.status or 0) < 300 for final in outcomes(context.asked)[1:])
        ended = f"ended only {after_so_long(end.time - told.time)} later" if end else "never ended"
        yield violated(
            code="decline-too-early",
            expected=f"the {refused.status} at the caller when every branch has ended",
            actual=f"{told.start_line} at the caller; the branch at {early[0].seat} {ended}",
            event=told,
            means="a caller who was already declined may still be answered",
            look_at="is a 6xx relayed like a 2xx, without waiting for the 487 of the cancelled branches?",
            at_least=Verdict.FAIL if answered else Verdict.NONE,
        )


def _over(branch: Branch, moment: float) -> bool:
    """Whether ``branch`` had ended at ``moment`` (epoch), or could be given up."""
    if branch.final is not None and branch.final.time - moment <= CROSSING_S:
        return True
    return branch.cancel is not None and moment - branch.cancel.time >= GIVEN_UP_S - 1.0


@purpose("RFC3261-9.1-04", plan=FORK_UNENDING, faults=["never_gives_up"], roles=["proxy"], least_window=40.0)
def test_cancelled_branch_that_never_ends_is_given_up(flow: Flow) -> Findings:
    """A cancelled branch without final response is given up after 32 s, and the 603 goes to the caller.

    Otherwise a phone that left the network while it rang keeps the caller waiting for a call that was declined.
    Typical defect: the proxy waits for the 487 until Timer C (three minutes and more), or without end.

    A proxy that does not wait at all is judged under 16.7.5-01.
    """
    context = context_of(flow)
    refused = context.refused if context else None
    if context is None or refused is None or refused.final is None:
        yield unseen(NOT_DECLINED, code="not-declined")
        return
    hanging = [branch for branch in context.others(refused) if branch.final is None and branch.cancel is not None]
    if not hanging or hanging[0].cancel is None:
        yield unseen("no branch was cancelled and then left without a final response", code="not-cancelled")
        return
    cancel, told = hanging[0].cancel, context.asked.final
    waited = told.time - cancel.time if told else 0.0
    if told is not None and waited <= GIVEN_UP_S + SLACK_S:
        yield satisfied(f"{told.start_line} at the caller {waited:.1f} s after the CANCEL", event=told)
    elif told is None and (doubt := unproven(flow, context.asked.seat, cancel.time + GIVEN_UP_S + SLACK_S)):
        yield unseen(f"the caller got no final response, but {doubt}", code="not-proven")
    else:
        yield violated(
            code="given-up-late" if told else "no-final-response",
            expected=f"the {refused.status} at the caller within {GIVEN_UP_S:g} s of the CANCEL",
            actual=f"{told.start_line} after {waited:.1f} s"
            if told
            else f"nothing within {flow.watch.closed_at - cancel.time:.0f} s of the CANCEL",
            event=told or cancel,
            means=HANGS,
            look_at="what ends a cancelled INVITE transaction that gets no 487: 64*T1, or only Timer C?",
        )


@purpose("RFC3261-16.7.5-04", plan=FORK_CROSSING, faults=["holds_2xx", "sends_603_early"])
def test_answer_that_crosses_the_cancel_wins(flow: Flow) -> Findings:
    """A 200 that comes after a 603 on another branch goes to the caller at once, and the 603 never does.

    A user has picked up.  If the 200 is held back, that user hears no caller; if the 603 is sent as well, the caller's
    phone ends the established call.  Typical defect: the first 6xx closes the context, and later final responses are
    dropped.
    """
    context = context_of(flow)
    refused = context.refused if context else None
    if context is None or refused is None or refused.final is None:
        yield unseen(NOT_DECLINED, code="not-declined")
        return
    answer = next((b.final for b in context.others(refused) if b.final and 200 <= b.status < 300), None)
    if answer is None:
        yield unseen("no branch was answered after the 603", code="not-answered")
        return
    told = outcomes(context.asked)
    good = [final for final in told if (final.status or 0) < 300]
    bad = [final for final in told if (final.status or 0) >= 300]
    if good and not bad:
        yield satisfied(f"{good[0].start_line} at the caller, and nothing else", event=good[0])
        return
    if not told and (doubt := unproven(flow, context.asked.seat, answer.time + 2.0)):
        yield unseen(f"the caller got no final response, but {doubt}", code="not-proven")
        return
    yield violated(
        code="second-final-response" if good else "answer-lost",
        expected=f"the {answer.status} at the caller, and no other final response",
        actual=" and ".join(final.start_line for final in told) + " at the caller" if told else "nothing at the caller",
        event=(*bad, answer)[0],
        means="the user who picked up hears no caller"
        if not good
        else "the caller's phone ends a call that was answered",
        look_at="how a 2xx is handled when a 6xx is stored; is the 6xx sent too early?",
    )
