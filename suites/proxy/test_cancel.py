"""CANCEL through and by a proxy: when it is due, when it is too early, and its Reason (16.7 item 10, RFC 3326)."""

from __future__ import annotations

from harness.judge.answers import answers_to
from harness.judge.branches import context_of
from harness.judge.cancels import cancelled
from harness.judge.responses import repeated_protocols
from harness.judge.say import Findings, expect, satisfied, unseen, violated
from harness.judge.upstream import CROSSING_S, values
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from suites.proxy._plans import CANCELLED, FORK_ANSWER, FORK_LATE_RINGING, RICH_DECLINE


@purpose("RFC3261-16.7.10-01", plan=FORK_ANSWER, faults=["no_cancel_after_final"])
def test_what_rings_is_cancelled_after_an_answer(flow: Flow) -> Findings:
    """When a 200 has gone to the caller, the proxy cancels every branch that still rings.

    A user who picks up the second phone finds no caller.  Typical defect: the transaction is over for the proxy once it
    has sent the 200, and it leaves its branches open.
    """
    context = context_of(flow)
    told = context.asked.final if context else None
    if context is None or told is None or not 200 <= context.asked.status < 300:
        yield unseen("the caller's call was not answered in this flow", code="not-answered")
        return
    answer = next((b.final for b in context.branches if b.final and 200 <= b.status < 300), told)
    ringing = [branch for branch in context.branches if branch.pending_at(answer)]
    if not ringing:
        yield unseen("no other branch rang when the 200 came", code="not-forked")
    for branch in ringing:
        yield cancelled(flow, branch, answer, look_at="which branches are cancelled after a 2xx was relayed")


@purpose(
    "RFC3261-16.7.10-02",
    plan=FORK_LATE_RINGING,
    faults=["cancels_before_provisional", "leaves_branches_ringing"],
)
def test_cancel_waits_for_the_first_provisional(flow: Flow) -> Findings:
    """A branch without any response is not cancelled before its first provisional response, and then at once.

    A CANCEL that overtakes its INVITE is answered 481; the INVITE comes after it, and the phone rings.  Typical
    defects: the proxy sends the CANCEL at once; or it holds the CANCEL back and forgets it when the 180 comes.
    """
    context = context_of(flow)
    refused = context.refused if context else None
    if context is None or refused is None or refused.final is None:
        yield unseen("no branch of this call was answered with a 6xx", code="not-declined")
        return
    silent = [b for b in context.others(refused) if b.open_at(refused.final) and not b.pending_at(refused.final)]
    if not silent:
        yield unseen("no branch was open and without a provisional response when the 603 came", code="not-forked")
    for branch in silent:
        first = next(iter(branch.provisionals), None)
        early = branch.cancel
        if early is not None and (first is None or early.number < first.number):
            yield violated(
                code="cancel-too-early",
                expected=f"no CANCEL at {branch.seat} before its first provisional response",
                actual=f"{early.start_line} {early.time - branch.invite.time:.1f} s after the INVITE",
                event=early,
                means="a CANCEL that overtakes its INVITE is lost, and the phone rings",
                look_at="is a CANCEL held back until the branch has a 1xx (9.1)?",
            )
        elif first is None:
            yield unseen(f"{branch.seat} never sent a provisional response", code="no-provisional")
        else:
            # That a 6xx leads to a CANCEL at all is a SHOULD (item 5) until the caller has been told (item 10).
            told = context.asked.final
            over = told is not None and (branch.final is None or branch.final.time - told.time > CROSSING_S)
            yield cancelled(
                flow,
                branch,
                first,
                look_at="is a CANCEL that was held back sent with the first 1xx?",
                at_most=Verdict.FAIL if over else Verdict.WARN,
            )


@purpose("RFC3326-2-01", plan=CANCELLED, faults=["changes_reason"], roles=["proxy"])
def test_reason_of_a_cancel_is_passed_on(flow: Flow) -> Findings:
    """The CANCELs of the proxy repeat the Reason of the caller's CANCEL.

    By it a phone distinguishes "answered elsewhere" or "declined elsewhere" from a missed call.  Typical defect: the
    proxy makes its own CANCEL and copies only the branch.
    """
    sent, _ = answers_to(flow, "CANCEL")
    wanted = values(sent[0], "Reason") if sent else ()
    if not wanted:
        yield unseen("the caller sent no CANCEL with a Reason", code="no-reason")
        return
    context = context_of(flow)
    cancels = [branch.cancel for branch in context.branches if branch.cancel] if context else []
    if not cancels:
        yield unseen("the proxy sent no CANCEL (another rule covers this)", code="no-cancel")
    for cancel in cancels:
        got = values(cancel, "Reason")
        yield expect(
            all(value in got for value in wanted),
            code="reason-lost",
            expected=f"Reason: {', '.join(wanted)}",
            actual=f"Reason: {', '.join(got) or '(none)'}",
            event=cancel,
            means="a call that another phone answered is shown as missed",
            look_at="which headers of the caller's CANCEL are copied into the proxy's own",
        )


@purpose("RFC3326-2-03", plan=(CANCELLED, RICH_DECLINE), faults=["repeats_reason"], roles=["proxy", "b2bua"])
def test_reasons_are_of_different_protocols(flow: Flow) -> Findings:
    """A message has at most one Reason of each protocol: one SIP, one Q.850.

    With two of one protocol a reader takes either of them.  Typical defect: the device adds a Reason of its own to the
    one that it relays.

    RFC 9366 allows several for protocols that say so; SIP and Q.850 do not.
    """
    heard = [
        event
        for event in flow.select(received=True)
        if event.method in ("CANCEL", "BYE") or ((event.status or 0) >= 300 and event.cseq_method == "INVITE")
    ]
    if not heard:
        yield unseen("the device sent no CANCEL, no BYE and no refusal", code="no-message")
        return
    for event in heard:
        if repeated_protocols(event):
            yield violated(
                code="reason-repeated",
                expected="one Reason of each protocol",
                actual=f"{event.start_line} with Reason: {', '.join(values(event, 'Reason'))}",
                event=event,
                means="a phone shows either of the two reasons",
                look_at="does the device add a Reason of its own to the one that it relays?",
            )
            return
    told = sum(bool(values(event, "Reason")) for event in heard)
    yield satisfied(f"{told} of {len(heard)} messages have a Reason, none two of one protocol")
