"""A response on its way through a proxy: what is relayed, what is not, and what must not change (16.7)."""

from __future__ import annotations

from harness.judge.answers import unproven
from harness.judge.branches import context_of
from harness.judge.say import Findings, expect, satisfied, unseen, violated
from harness.judge.upstream import lost_values, values
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from suites.proxy._plans import FORK_STORED, MARK, RICH_DECLINE, RICH_REDIRECT

_OF_A_DECLINE = ("Reason", "Retry-After", "Error-Info", "Warning", "Call-Info", "X-Sipverdict-Unknown", "Content-Type")
_OF_A_REDIRECT = ("Expires", "Diversion", "Reason", "X-Sipverdict-Unknown", "Content-Type")


def _final_pair(flow: Flow, wanted: range) -> tuple[Event, Event] | Finding:
    """The callee's final response of the class and the caller's copy of it; else the finding that there is none."""
    context = context_of(flow)
    was = next((final for final in context.finals if final.status in wanted), None) if context else None
    if context is None or was is None:
        return unseen("the response that was to be passed on was never sent", code="not-sent")
    now = context.asked.final
    if now is None:
        return unseen("the caller got no final response (another rule covers this)", code="no-final-response")
    if now.status != was.status:
        return unseen(f"the caller got {now.start_line} instead (another rule covers this)", code="other-response")
    return was, now


def _kept(was: Event, now: Event, names: tuple[str, ...]) -> Findings:
    """A finding for each header of which something is missing, and for the body; or one that all of it is there."""
    whole = True
    for name in names:
        lost = lost_values(was, now, name)
        if lost:
            whole = False
            yield violated(
                code=f"{name.lower()}-lost",
                expected=f"{name}: {', '.join(values(was, name))}",
                actual=f"{name}: {', '.join(values(now, name)) or '(none)'}",
                event=now,
                means=f"what the callee's side says in {name} does not reach the caller",
                look_at="which header filters or reply routes change a response that is relayed",
            )
    if was.body.strip() != now.body.strip():
        whole = False
        yield violated(
            code="body-changed",
            expected=f"the body of message {was.number} ({len(was.body)} bytes)",
            actual=f"{len(now.body)} bytes: {now.body[:60]!r}",
            event=now,
            means="the body from the callee's side does not reach the caller",
            look_at="is the response relayed, or built anew with the same status?",
        )
    if whole:
        yield satisfied(f"{now.start_line} at the caller, with every header and the body", event=now)


@purpose(
    "RFC3261-16.7.9-01",
    plan=RICH_DECLINE,
    faults=[
        *("loses_retry_after", "resets_603plus_phrase", "strips_reason_of_603plus", "makes_plain_603"),
        *("loses_603plus_after_180", "cuts_reason_at_semicolon", "rewrites_redress", "doubles_quotes", "lowers_reason"),
    ],
)
def test_decline_keeps_its_headers_and_its_body(flow: Flow) -> Findings:
    """A 603 that a proxy relays keeps all its header values and its body, unknown headers included.

    They say why a call was blocked, by whom, and where to complain (ATIS "603+"), and when to try again.  Typical
    defect: the proxy makes a response of its own with the status of the one it got.

    The clause does not mention the reason phrase.  For 603+ it counts, so a change of the phrase alone is a warning.
    """
    pair = _final_pair(flow, range(600, 700))
    if isinstance(pair, Finding):
        yield pair
        return
    was, now = pair
    yield from _kept(was, now, _OF_A_DECLINE)
    if was.reason != now.reason:
        yield violated(
            code="reason-phrase-changed",
            expected=was.start_line,
            actual=now.start_line,
            event=now,
            means="the device of a blocked caller shows that the callee declined",
            look_at="is the response relayed, or built anew with the same status?",
            at_most=Verdict.WARN,
        )


@purpose("RFC3261-16.7.4-05", plan=RICH_REDIRECT, faults=["rewrites_302", "strips_302", "relays_302_without_contact"])
def test_redirection_is_passed_on_untouched(flow: Flow) -> Findings:
    """A proxy that does not recurse relays a 302 with every Contact, parameter, header and body unchanged.

    By them the caller's side chooses whom to call, for how long, and who pays for the leg.  Typical defects: NAT
    traversal reorders or rewrites the Contacts; or the proxy removes Diversion as an unknown header.

    A device that rewrites Contacts to hide a topology is an SBC and declares the role of a B2BUA.
    """
    pair = _final_pair(flow, range(300, 400))
    if isinstance(pair, Finding):
        yield pair
        return
    was, now = pair
    yield expect(
        values(was, "Contact") == values(now, "Contact"),
        code="contacts-changed",
        expected=f"Contact: {', '.join(values(was, 'Contact'))}",
        actual=f"Contact: {', '.join(values(now, 'Contact')) or '(none)'}",
        event=now,
        means="the caller calls another target than the callee has named, or none",
        look_at="NAT traversal and topology hiding: are they applied to the Contact of a 3xx?",
    )
    yield from _kept(was, now, _OF_A_REDIRECT)


@purpose("RFC3261-16.7.5-06", plan=RICH_DECLINE, faults=["relays_100"])
def test_trying_is_not_passed_on(flow: Flow) -> Findings:
    """A 100 of the callee goes no further than the proxy: it is for one hop.

    The caller would learn of a transaction that is not theirs, and some phones show it.  Typical defect: the proxy
    relays all 1xx alike.

    The proxy's own 100 conforms.  A header that only the callee writes identifies the callee's.
    """
    context = context_of(flow)
    name, _, mark = MARK.partition(": ")
    trying = [r for b in context.branches for r in b.provisionals if r.header(name) == mark] if context else []
    if context is None or not trying:
        yield unseen("the callee's 100 was never sent", code="not-sent")
        return
    passed = next((r for r in context.asked.provisionals if r.header(name) == mark), None)
    if passed is not None:
        yield violated(
            code="trying-relayed",
            expected="the caller gets no 100 but the proxy's own",
            actual=f"{passed.start_line} at the caller, which the callee wrote (message {trying[0].number})",
            event=passed,
            means="the caller learns of a hop that is not theirs",
            look_at="which provisional responses are relayed: all but 100",
        )
    elif not any((r.status or 0) > 100 for r in context.asked.responses):
        yield unseen("no response of the callee reached the caller", code="nothing-relayed")
    else:
        yield satisfied("the callee's 100 did not reach the caller")


@purpose("RFC3261-16.7.5-05", plan=FORK_STORED, faults=["swallows_18x"])
def test_ringing_is_passed_on_while_a_refusal_waits(flow: Flow) -> Findings:
    """Provisional responses go to the caller until a final one does, even if a 3xx is already stored.

    Otherwise the caller hears silence while a phone rings, and early media never arrives.  Typical defect: the first
    final response of any branch stops all 1xx.
    """
    context = context_of(flow)
    finals = [final for final in context.finals if (final.status or 0) >= 300] if context else []
    if context is None or not finals:
        yield unseen("no branch had ended before another one rang", code="not-forked")
        return
    told = context.asked.final
    waiting = [
        response
        for branch in context.branches
        for response in branch.provisionals
        if (response.status or 0) > 100
        and response.number > finals[0].number
        and branch.final not in finals[:1]
        and (told is None or response.number < told.number)
    ]
    if not waiting:
        yield unseen("no branch rang while a final response was stored", code="not-forked")
    for response in waiting:
        passed = [r for r in context.asked.responses if (r.status, r.to_tag) == (response.status, response.to_tag)]
        if passed:
            yield satisfied(f"{passed[0].start_line} at the caller", event=passed[0])
        elif doubt := unproven(flow, context.asked.seat, response.time + 1.0):
            yield unseen(f"the {response.status} did not reach the caller, but {doubt}", code="not-proven")
        else:
            yield violated(
                code="provisional-not-relayed",
                expected=f"the {response.status} of {response.seat} at the caller",
                actual=f"it was not passed on; {finals[0].start_line} had come at {finals[0].seat}",
                event=response,
                means="the caller hears silence while a phone rings",
                look_at="when the proxy stops relaying 1xx: with the final response that goes upstream, not earlier",
            )
