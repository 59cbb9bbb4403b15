"""The many legal ways to write a Contact, and some illegal ones (RFC 3261 7.3, 20.10)."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judge.attempts import original, tries
from harness.judge.patience import may_yet_come
from harness.judge.redirection import (
    NOT_FOLLOWED,
    beyond_its_limit,
    dropped,
    lost_ack,
    redirected,
    redirection_of,
    redirections,
)
from harness.judge.say import Findings, expect, not_proven, satisfied, unseen, violated
from harness.judge.silence import gap
from harness.judge.targets import fresh, hops, user_of
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from suites.plans import CALLERS, CHAIN, REDIRECT, followed, recursed
from suites.uac._plans import (
    BAD_EXPIRES,
    BARE_LIST,
    COMMA,
    COMPACT,
    DISPLAY_NAME,
    EXHAUST,
    FOLDED,
    NO_BRACKET,
    NO_HOST,
    NO_URI,
    STAR,
)

LIMIT = "the device follows no more redirections in a call"
_PARSER = "the parser of Contact: does it know only the form that the vendor's own exchange sends?"


@purpose(
    "RFC3261-7.3.1-01",
    plan=followed(EXHAUST, COMMA, FOLDED, proxy=(recursed(EXHAUST), recursed(COMMA))),
    faults=["first_value_of_line"],
)
def test_lines_and_commas_are_one_list(flows: Sequence[Flow]) -> Findings:
    """Several Contact lines, one line with commas and a folded line carry the same list.

    The redirector is free to choose the form; a device that reads only one form works with half of them.  Typical
    defect: the device takes the first line, or the first value of each line, for the list.

    Whether all targets are tried is another rule (8.1.3.4).  Only a difference between the forms counts here.
    """
    yield from _same_list(flows, "one line with commas", "one folded line")


@purpose(
    "RFC3261-7.3.1-01",
    plan=dict.fromkeys(CALLERS, (EXHAUST, BARE_LIST)),
    faults=["needs_brackets_in_lists", "first_value_of_line"],
)
def test_list_without_brackets_is_the_same_list(flows: Sequence[Flow]) -> Findings:
    """One line of Contacts without brackets carries the same list as a line for each Contact.

    Brackets are needed only around a URI that has a comma, a semicolon or a question mark.  Typical defect: the device
    reads to the first semicolon and drops what stands behind it, or the whole header.
    """
    yield from _same_list(flows, "one line without brackets")


def _same_list(flows: Sequence[Flow], *forms: str) -> Findings:
    """The targets of the first flow, which has a line for each Contact, are tried in the others as well."""
    lines, *others = flows
    reference = _tried(lines)
    if not reference:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    for flow, form in zip(others, forms, strict=False):
        first = original(flow)
        lost = lost_ack(flow, first, lines, what=f"a 302 with its Contacts in {form}") if first else None
        tried = _tried(flow)
        ends = [attempt.final for attempt in tries(flow) if attempt.final]
        missing = None
        if len(tried) < len(reference):
            missing = gap(flow, ("callee",)) or (may_yet_come(flow, ends[-1]) if ends else None)
        if lost:
            yield lost
        elif missing:
            yield not_proven("fewer targets were tried than with a line each", missing)
        else:
            yield expect(
                tried == reference,
                code="targets-lost",
                expected=f"the targets {', '.join(reference)}, as with a line for each Contact",
                actual=f"{form}: {', '.join(tried) or 'none'}",
                event=first.final if first else None,
                means="forwarding to several phones works with one exchange and not with another",
                look_at=_PARSER,
            )


@purpose("RFC3261-7.3.3-01", plan=followed(REDIRECT, COMPACT), faults=["no_compact_contact"])
def test_compact_contact_is_a_contact(flows: Sequence[Flow]) -> Findings:
    """``m:`` is Contact: a 302 in compact form is followed like any other.

    Redirectors use the compact form to keep long lists in one datagram.  Typical defect: the device knows the compact
    form in requests and not in responses.
    """
    plain, odd = flows
    first = original(odd)
    if first is None or redirection_of(first) is None:
        yield unseen("the 302 was never sent", code="not-sent")
        return
    lost = lost_ack(odd, first, plain, what="a 302 with m: for Contact")
    if lost:
        yield lost
    elif redirected(odd):
        yield satisfied("followed", event=first.final)
    else:
        yield dropped(
            odd,
            first,
            plain,
            expected="an INVITE for the Contact",
            means="forwarding fails with redirectors that use the compact form",
            look_at="the table of compact header names",
        )


@purpose("RFC3261-20.10-02", plan=(REDIRECT, DISPLAY_NAME), faults=["cuts_display_name", "mangles_ipv6"], roles=CALLERS)
def test_display_name_may_hold_anything(flows: Sequence[Flow]) -> Findings:
    """Commas, semicolons and angle brackets in a quoted display name do not end the value.

    Directories hold names such as "Doe, John <sales>".  Typical defect: the device cuts the value at the first comma or
    bracket and calls a URI inside the name.
    """
    plain, odd = flows
    first, token = original(odd), odd.places.token
    targets = fresh(odd)
    if first is None or redirection_of(first) is None:
        yield unseen("the 302 was never sent", code="not-sent")
    elif lost := lost_ack(odd, first, plain, what="a 302 with a quoted display name"):
        yield lost
    elif not targets:
        yield dropped(
            odd,
            first,
            plain,
            expected=f"an INVITE for the user 9{token}",
            means="a user with a comma in the display name cannot be reached by forwarding",
            look_at=_PARSER,
        )
    else:
        wrong = [attempt for attempt in targets if user_of(attempt.invite.request_uri) != "9" + token]
        yield expect(
            not wrong,
            code="wrong-target",
            expected=f"one INVITE, for the user 9{token} behind the display name",
            actual=", ".join(attempt.invite.start_line for attempt in targets),
            event=(wrong or targets)[0].invite,
            means="the call goes to a URI inside a display name",
            look_at="how the parser skips the display name: quotes first, and a backslash inside them",
        )


@purpose("RFC3261-8.3-06", plan=followed(CHAIN, BAD_EXPIRES), faults=["chokes_on_expires"])
def test_unreadable_lifetime_loses_no_call(flows: Sequence[Flow]) -> Findings:
    """A lifetime that cannot be read counts as one hour and is no error: this call follows the Contact.

    RFC 2543 had a date there, and some redirectors still write it.  Typical defect: the quoted date ends the parsing of
    the Contact, or of the whole response.
    """
    plain, odd = flows
    for attempt in hops(odd):
        written = ", ".join(attempt.final.headers("Contact")) if attempt.final else ""
        if lost := lost_ack(odd, attempt, plain, what=f"a 302 with Contact: {written}"):
            yield lost
        elif any(step.old == attempt for step in redirections(odd)):
            yield satisfied(f"followed: {written}", event=attempt.final)
        elif beyond_its_limit(odd, attempt, plain):
            yield satisfied(f"acknowledged: {written}", event=attempt.final, note=LIMIT)
        else:
            yield dropped(
                odd,
                attempt,
                plain,
                expected="an INVITE for the Contact",
                means="forwarding fails for a parameter that this call does not need",
                look_at="how the parser of expires handles a value that is no number",
            )


@purpose("INT-302-STAR-01", plan=(REDIRECT, STAR, NO_HOST, NO_URI, NO_BRACKET), faults=["chokes_on_contact"])
def test_broken_contact_costs_no_more_than_the_call(flows: Sequence[Flow]) -> Findings:
    """``*`` or a broken Contact gives no target; the device still sends its ACK and still works.

    A redirector with a bug must not be able to silence phones.  Typical defect: an exception in the parser of Contact
    ends the transaction, so the 302 is repeated for 32 s; or it ends the whole program.

    ``<sip:>`` and a missing bracket are malformed.  Dropping such a response is lawful and costs a warning.
    """
    plain, *odd = flows
    for flow in odd:
        yield from _survives(flow, plain)


def _survives(flow: Flow, plain: Flow) -> Findings:
    first = original(flow)
    if first is None or first.final is None:
        yield unseen("the 302 was never sent", code="not-sent")
        return
    written = first.final.header("Contact") or ""
    malformed = flow.plan in (NO_URI, NO_BRACKET)
    lost = lost_ack(
        flow, first, plain, what=f"a 302 with Contact: {written}", at_most=Verdict.WARN if malformed else Verdict.FAIL
    )
    missing = gap(flow, ("callee",))
    wrong = [item for item in fresh(flow) if user_of(item.invite.request_uri) != "9" + flow.places.token]
    if wrong:
        yield violated(
            code="wrong-target",
            expected="no INVITE, or one for the URI that can be read",
            actual=wrong[0].invite.start_line,
            event=wrong[0].invite,
            means="the device calls a target that no user or server asked for",
            look_at=_PARSER,
        )
    elif lost:
        yield lost
    elif missing:
        yield not_proven("nothing followed the broken Contact", missing)
    else:
        yield satisfied(f"acknowledged: Contact: {written}", event=first.final)


def _tried(flow: Flow) -> list[str]:
    """Which of the three Contacts were tried, in order, by the digit before the token."""
    users = [user_of(attempt.invite.request_uri) for attempt in fresh(flow)]
    return [user[:1] if user[1:] == flow.places.token else user for user in users]
