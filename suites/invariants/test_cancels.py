"""Every CANCEL: whether there was something to cancel, and a reason to; and whether ours are answered (RFC 3261 9)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.judge.acks import routes
from harness.judge.answers import callers, unproven
from harness.judge.attempts import Attempt, attempts
from harness.judge.calls import Call, calls
from harness.judge.declines import watched_seats
from harness.judge.say import Findings, satisfied, violated
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.purposes.invariant import invariant
from harness.sip.uri import same_uri

BOUND_S = 2.0
"""Seconds by which a CANCEL must have its answer; a device needs none of them."""
CROSSING_S = 0.5
"""So long after the final response a CANCEL may arrive that was sent before it was read: a user agent's application may
be slower than its transaction."""
PROMPT_S = 5.0
"""What is cancelled later may have been so by a timer of the device, for all that can be seen."""


@invariant(
    "RFC3261-9.1-06",
    faults=["cancels_with_new_branch", "cancels_as_other_host", "looks_up_again", "returns_to_first_server"],
)
def test_each_cancel_matches_an_invite(flow: Flow) -> Findings:
    """A CANCEL has Via, Request-URI, CSeq number, tags and Route of its INVITE, and arrives where that arrived.

    One that matches nothing is answered 481, and the phone rings on. Typical defect: after a redirection the CANCEL is
    built from the first INVITE; its Via names another address of the device.
    """
    for cancel, _, attempt in _cancels(flow):
        if attempt is None:
            yield violated(
                code="stray-cancel",
                expected="the branch of an INVITE that was sent to the same address",
                actual=f"{cancel.start_line} with branch {cancel.branch}, at {cancel.seat}",
                event=cancel,
                means="the CANCEL is answered 481 and the phone rings on",
                look_at="from which INVITE the CANCEL is built: the one that is pending now",
            )
        elif words := _differences(cancel, attempt.invite):
            yield violated(
                code="cancel-differs",
                expected=f"{words[0]} of the INVITE (message {attempt.invite.number})",
                actual=words[1],
                event=cancel,
                means="a server may not find the INVITE, or an element on the way sends the CANCEL elsewhere",
                look_at="what the CANCEL takes from its INVITE (9.1)",
            )
        else:
            yield satisfied(event=cancel)


@invariant(
    "RFC3261-9.1-05",
    faults=["cancels_after_302", "cancels_after_603", "cancels_after_final", "cancels_before_provisional"],
)
def test_only_what_is_pending_is_cancelled(flow: Flow) -> Findings:
    """A CANCEL is sent after a provisional response, and not after a final one.

    Typical defects: the CANCEL goes out with the hang-up, before anybody has answered, and overtakes its INVITE; or it
    is sent for an INVITE that has been refused.

    A CANCEL that crosses the final response is right.
    """
    for cancel, _, attempt in _cancels(flow):
        if attempt is None:
            continue
        first = next((r for r in attempt.responses if r.number < cancel.number), None)
        final = attempt.final
        if first is None:
            yield violated(
                code="cancel-too-early",
                expected="no CANCEL before the first provisional response",
                actual=f"{cancel.start_line} {cancel.time - attempt.invite.time:.2f} s after the INVITE, "
                "which had no response yet",
                event=cancel,
                means="a CANCEL that overtakes its INVITE has no effect, and the phone rings",
                look_at="whether a CANCEL waits for the first 1xx of its INVITE",
            )
        elif final is not None and final.number < cancel.number and not _crossed(cancel, attempt, final):
            yield violated(
                code="cancel-after-final",
                expected=f"no CANCEL after the {final.status} (message {final.number})",
                actual=f"{cancel.start_line} {cancel.time - final.time:.1f} s after it",
                event=cancel,
                means="the other side answers 481; nothing else happens",
                look_at="does hanging up look at the state of the INVITE?",
                at_most=Verdict.WARN,
            )
        else:
            yield satisfied(event=cancel)


@invariant("RFC3261-9.1-07", faults=["cancels_after_4xx"])
def test_each_cancel_has_a_cause(flow: Flow) -> Findings:
    """A branch that rings is cancelled because the caller gave up, or another branch got a 2xx or 6xx, or a timer ran
    out.

    A 3xx, 4xx or 5xx of one branch says nothing about the others. Typical defect: the first final response of a fork
    ends it, whatever it is.

    What has rung for longer than 5 s may have been cancelled by a timer.
    """
    for cancel, call, attempt in _cancels(flow):
        if attempt is None or call is None:
            continue
        cause = _cause(flow, call, attempt, cancel)
        if cause:
            yield satisfied(cause, event=cancel)
            continue
        others = [
            a.final for a in call.tries if a is not attempt and a.final is not None and a.final.number < cancel.number
        ]
        last = max(others, key=lambda final: final.number, default=None)
        seen = f"; the last thing before it was {last.start_line} at {last.seat}" if last else ""
        yield violated(
            code="cancel-without-cause",
            expected=f"no CANCEL at {cancel.seat} before a 2xx or 6xx, or the caller's CANCEL",
            actual=f"{cancel.start_line} {cancel.time - attempt.invite.time:.1f} s after the INVITE{seen}",
            event=cancel,
            means="a phone that would have been answered stops ringing because another one was busy",
            look_at="which final responses end a fork: 2xx and 6xx only",
        )


@invariant("RFC3261-9.2-03", faults=["ignores_cancel"])
def test_our_cancel_is_answered(flow: Flow) -> Findings:
    """Each CANCEL of a caller gets a final response of its own: 200, or 481 where there is nothing to cancel.

    Without it the caller repeats its CANCEL for 32 s.  Typical defect: only the INVITE is answered (487).
    """
    seats = set(callers(flow))
    first: dict[tuple[str, str | None], Event] = {}
    for event in flow.select("CANCEL", received=False, where=lambda e: e.seat in seats):
        first.setdefault((event.call_id, event.branch), event)
    answers = flow.select(
        received=True, where=lambda e: e.seat in seats and (e.status or 0) >= 200 and e.cseq_method == "CANCEL"
    )
    for cancel in first.values():
        answer = next((a for a in answers if (a.call_id, a.branch) == (cancel.call_id, cancel.branch)), None)
        if answer is not None and (200 <= (answer.status or 0) < 300 or answer.status == 481):
            yield satisfied(f"CANCEL answered {answer.status}", event=answer)
        elif answer is not None:
            yield violated(
                code="cancel-refused",
                expected=f"200 or 481 to the CANCEL (message {cancel.number})",
                actual=answer.start_line,
                event=answer,
                means="the caller's phone shows an error when its user hangs up",
                look_at="how the transaction layer answers a CANCEL (9.2)",
                at_most=Verdict.WARN,
            )
        elif not unproven(flow, cancel.seat, cancel.time + BOUND_S):
            yield violated(
                code="cancel-unanswered",
                expected=f"200 or 481 to the CANCEL (message {cancel.number})",
                actual=f"no final response to the CANCEL in {flow.watch.closed_at - cancel.time:.1f} s",
                event=cancel,
                means="the caller repeats its CANCEL for 32 s, and cannot know whether the call has ended",
                look_at="the CANCEL is a transaction of its own: is it answered beside the INVITE?",
            )


def _cancels(flow: Flow) -> Iterator[tuple[Event, Call | None, Attempt | None]]:
    """The device's CANCELs, copies left out, each with the INVITE that it matches and the call of that."""
    by_branch = {(a.seat, a.invite.call_id, a.invite.branch): a for a in attempts(flow)}
    of_call = {a.invite.number: call for call in calls(flow) for a in call.tries}
    seats = set(watched_seats(flow))
    seen = set()
    for cancel in flow.select("CANCEL", received=True, where=lambda event: event.seat in seats):
        key = (cancel.seat, cancel.call_id, cancel.branch)
        if key not in seen:
            seen.add(key)
            attempt = by_branch.get(key)
            yield cancel, of_call.get(attempt.invite.number) if attempt else None, attempt


def _differences(cancel: Event, invite: Event) -> tuple[str, str] | None:
    """The first thing in which a CANCEL is not as its INVITE: its name, and how it is written."""
    if not same_uri(cancel.request_uri, invite.request_uri):
        return "the Request-URI", cancel.start_line
    if cancel.cseq_number != invite.cseq_number:
        return "the CSeq number", f"CSeq: {cancel.header('CSeq')}"
    if (cancel.from_tag, cancel.to_tag) != (invite.from_tag, invite.to_tag):
        return "the tags", f"From: {cancel.header('From')}, To: {cancel.header('To')}"
    if cancel.vias and invite.vias and cancel.vias[0].sent_by != invite.vias[0].sent_by:
        # A server matches by branch and sent-by (9.2, 17.2.3).
        return "the sent-by", f"Via: {cancel.vias[0].text}"
    if routes(cancel) != routes(invite):
        return "the Route", f"Route: {', '.join(routes(cancel)) or '(none)'}"
    return None


def _crossed(cancel: Event, attempt: Attempt, final: Event) -> bool:
    """Whether the device may have sent the CANCEL before it read the final response: its ACK shows when it had."""
    acks = [ack.number for ack in attempt.acks if ack.seat == attempt.seat and ack.number > final.number]
    return cancel.number < acks[0] if acks else cancel.time - final.time <= CROSSING_S


def _cause(flow: Flow, call: Call, attempt: Attempt, cancel: Event) -> str:
    """Why ``cancel`` was sent, as far as it can be seen; "" if nothing explains it."""
    if cancel.time - attempt.invite.time >= PROMPT_S:
        return "it may have been a timer"
    ended = (
        final
        for other in call.tries
        if other is not attempt
        for final in other.finals
        if final.number < cancel.number and (200 <= (final.status or 0) < 300 or (final.status or 0) >= 600)
    )
    if (final := next(ended, None)) is not None:
        return f"after the {final.status} at {final.seat}"
    if call.asked is None:
        return "its user may have asked for it"
    own = call.asked.request
    gave_up = flow.select(
        received=False,
        at=own.seat,
        where=lambda e: e.method in ("CANCEL", "BYE") and e.call_id == own.call_id and e.number < cancel.number,
    )
    return "the caller gave up" if gave_up else ""
