"""The request that a recursing proxy sends to a Contact: a copy of the caller's, with another Request-URI (16.6)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.judge.branches import NOT_RECURSED, Branch, ResponseContext, contexts
from harness.judge.say import Findings, expect, satisfied, unseen, violated
from harness.judge.targets import asked_for, user_of
from harness.judge.upstream import lost_values, values
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from harness.sip.uri import differences, same_uri
from suites.proxy._plans import RECURSION, RECURSION_ODD_CONTACT, RECURSION_RINGING

TIMER_C_S = 180.0


def _recursed(flow: Flow) -> Iterator[tuple[ResponseContext, Branch]]:
    """Every branch that a Contact of a 3xx was the reason for."""
    for context in contexts(flow):
        contacts = [uri for final in context.finals if 300 <= (final.status or 0) < 400 for uri in asked_for(final)]
        for branch in context.branches[1:]:
            # By the user: host or parameters may be wrong, and that has its own rule.
            if user_of(branch.invite.request_uri) in map(user_of, contacts):
                yield context, branch


@purpose("RFC3261-16.6-01", plan=RECURSION_ODD_CONTACT, faults=["recursion_keeps_uri_headers"])
def test_recursed_request_is_the_callers_with_the_contact_as_request_uri(flow: Flow) -> Findings:
    """The INVITE to a Contact is the caller's, headers and body, with the Contact as its Request-URI.

    ``?headers`` and ``;method`` do not belong in a Request-URI. A strict target refuses them and a lenient one misreads
    them, so a redirector could make the proxy send any request.  Typical defect: the proxy copies the whole text
    between the brackets.

    Unknown parameters stay.  The clause leaves open whether ``?Subject=`` becomes a header.  Leaving it out is safe;
    writing it over the caller's is a warning.
    """
    recursed = list(_recursed(flow))
    if not recursed:
        yield unseen(NOT_RECURSED, code="not-recursed")
    for context, branch in recursed:
        asked, invite = context.asked.request, branch.invite
        moved = next(final for final in context.finals if 300 <= (final.status or 0) < 400)
        wanted = min(asked_for(moved), key=lambda uri: user_of(uri) != user_of(invite.request_uri))
        yield expect(
            not differences(wanted, invite.request_uri),
            code="wrong-request-uri",
            expected=f"INVITE {wanted}",
            actual=f"INVITE {invite.request_uri}: {'; '.join(differences(wanted, invite.request_uri))}",
            event=invite,
            means="the target refuses the call, or misunderstands it",
            look_at="which parts of the Contact are copied: see table 1 of 19.1.1",
        )
        # The identifiers have a rule of their own (16.6-04).
        own = ("Contact", "Supported", "Allow", "User-Agent", "Content-Type", "X-Sipverdict-Kept")
        lost = [name for name in own if lost_values(asked, invite, name)]
        yield expect(
            not lost and invite.body == asked.body,
            code="headers-lost" if lost else "body-changed",
            expected="headers and body of the caller's INVITE",
            actual="; ".join(
                [f"{name}: {', '.join(values(invite, name)) or '(none)'}" for name in lost]
                + ([] if invite.body == asked.body else [f"another body ({len(invite.body)} bytes)"])
            )
            or "all of them, and the same body",
            event=invite,
            means="the target gets a call that lacks what the caller sent",
            look_at="is the request copied, or built anew for the Contact?",
        )
        if lost_values(asked, invite, "Subject"):
            yield violated(
                code="subject-overwritten",
                expected=f"Subject: {', '.join(values(asked, 'Subject'))}",
                actual=f"Subject: {', '.join(values(invite, 'Subject')) or '(none)'}",
                event=invite,
                means="a redirector overwrites the caller's headers",
                look_at="how ?headers of a Contact are handled",
                at_most=Verdict.WARN,
            )


@purpose("RFC3261-16.6-02", plan=RECURSION, faults=["keeps_max_forwards"])
def test_recursed_request_has_one_hop_less_than_the_callers(flow: Flow) -> Findings:
    """On every branch Max-Forwards is the caller's less one, on a recursed one as well.

    Only this number ends a loop of redirections through proxies.  Typical defect: the proxy makes the recursed copy
    before it lowers the number, or starts again at 70.

    One less for each recursion is more than the rule requires and harmless: a warning.
    """
    recursed = list(_recursed(flow))
    if not recursed:
        yield unseen(NOT_RECURSED, code="not-recursed")
    for context, branch in recursed:
        had, has = context.asked.request.header("Max-Forwards") or "", branch.invite.header("Max-Forwards") or ""
        wanted = int(had) - 1 if had.isdecimal() else None
        yield expect(
            has.isdecimal() and int(has) == wanted,
            code="wrong-max-forwards" if has else "no-max-forwards",
            expected=f"Max-Forwards: {wanted}",
            actual=f"Max-Forwards: {has or '(none)'}",
            event=branch.invite,
            means="a loop of redirections never ends",
            look_at="from which copy of the request a recursed branch is made, and where the number is lowered",
            at_most=Verdict.WARN if has.isdecimal() and wanted is not None and int(has) < wanted else Verdict.FAIL,
        )


@purpose("RFC3261-16.6-03", plan=RECURSION, faults=["reuses_branch_on_recursion"])
def test_recursed_request_has_a_branch_of_its_own(flow: Flow) -> Findings:
    """Every branch is a client transaction of its own, with a Via branch that no other one has.

    With the branch of the first one the 302 and the answer of the target belong to one transaction: the proxy takes one
    for a copy of the other, and the ACK of the first goes to the second.  Typical defect: the branch is a hash of
    values that stay the same, Call-ID and CSeq.
    """
    recursed = list(_recursed(flow))
    if not recursed:
        yield unseen(NOT_RECURSED, code="not-recursed")
    for context, branch in recursed:
        twin = next((b for b in context.branches if b is not branch and b.invite.branch == branch.invite.branch), None)
        yield expect(
            twin is None,
            code="branch-reused",
            expected="a branch that no other INVITE has",
            actual=f"branch {branch.invite.branch}"
            + (f", as in message {twin.invite.number} at {twin.seat}" if twin else ""),
            event=branch.invite,
            means="responses are matched to the wrong target, and the forwarded call fails",
            look_at="how the branch is made: from the Request-URI as well, or from a random value?",
        )


@purpose("RFC3261-16.6-04", plan=RECURSION, faults=["recursion_changes_from"])
def test_recursed_request_keeps_the_callers_identifiers(flow: Flow) -> Findings:
    """Recursion relays the caller's request: From and its tag, Call-ID, CSeq and the To without a tag stay.

    By them the caller recognises the answer.  Typical defect: the proxy calls the target as a user agent would, with a
    new From tag or a higher CSeq, so the caller cannot match the 200.

    A B2BUA may change them all, and declares that role.
    """
    recursed = list(_recursed(flow))
    if not recursed:
        yield unseen(NOT_RECURSED, code="not-recursed")
    for context, branch in recursed:
        asked, invite = context.asked.request, branch.invite
        changed = [name for name in ("From", "To", "Call-ID", "CSeq") if values(asked, name) != values(invite, name)]
        # The letter may be another as long as the thing is the same.
        same = {
            "From": asked.from_tag == invite.from_tag and same_uri(asked.from_uri, invite.from_uri),
            "To": invite.to_tag is None and same_uri(asked.to_uri, invite.to_uri),
            "CSeq": (asked.cseq_number, asked.cseq_method) == (invite.cseq_number, invite.cseq_method),
        }
        wrong = [name for name in changed if not same.get(name)]
        yield expect(
            not wrong,
            code="identifiers-changed",
            expected=" / ".join(f"{name}: {asked.header(name)}" for name in wrong) or "the caller's identifiers",
            actual=" / ".join(f"{name}: {invite.header(name)}" for name in wrong) or "the caller's identifiers",
            event=invite,
            means="the caller cannot match the answer of the redirect target",
            look_at="does the proxy call the Contact, or a user agent inside it?",
        )


@purpose("RFC3261-16.6-05", plan=RECURSION_RINGING, least_window=70.0)
def test_redirect_target_may_ring_for_three_minutes(flow: Flow) -> Findings:
    """A recursed branch gets a Timer C of its own, more than three minutes: its ringing is not cut short.

    A mobile that was called by way of a redirection has as much time as any other phone.  Typical defect: the timer of
    the first target runs on, or the fork's no-answer time covers the sum of all targets.

    The target rings for 182 s, in a drive of its own that runs beside the others in the extended window.  This test
    cannot distinguish a no-answer time that an operator has configured from a short Timer C: switch it off for the
    test.
    """
    recursed = list(_recursed(flow))
    ringing = next((branch for _, branch in recursed if branch.provisionals), None)
    if ringing is None:
        if recursed:
            yield unseen("the redirect target did not ring", code="no-ringing")
        else:
            yield unseen(NOT_RECURSED, code="not-recursed")
        return
    last = ringing.provisionals[-1]
    cancel, context = ringing.cancel, recursed[0][0]
    cut = cancel or (context.asked.final if context.asked.status >= 300 else None)
    if cut is not None and cut.time - last.time < TIMER_C_S:
        yield violated(
            code="cut-short",
            expected=f"no CANCEL, and no failure at the caller, within {TIMER_C_S:g} s of the {last.status}",
            actual=f"{cut.start_line} {cut.time - last.time:.0f} s after it",
            event=cut,
            means="a redirect target has less time to answer than any other phone",
            look_at="Timer C (16.6 item 11): is it reset for each branch, and by each 18x?",
        )
    elif flow.watch.closed_at - last.time < TIMER_C_S:
        yield unseen(
            f"the flow ends {flow.watch.closed_at - last.time:.0f} s after the {last.status}", code="flow-too-short"
        )
    else:
        yield satisfied(f"no CANCEL within {TIMER_C_S:g} s of the {last.status}", event=last)
