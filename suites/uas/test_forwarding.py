"""Call forwarding by 302: the Contact that a phone, a B2BUA or a redirect server sends (RFC 3261 8.3, 21.3)."""

from __future__ import annotations

from harness.judge.answers import NOT_REDIRECTED, asked, first_asked, redirected_here, unproven, why_not_refused
from harness.judge.contacts import contact_values, flaws, misplaced
from harness.judge.copies import AFTER_ACK_S
from harness.judge.say import Findings, expect, satisfied, unseen, violated
from harness.model.flow import Flow
from harness.model.plan import Call, Plan
from harness.purposes.purpose import Plans, purpose
from harness.sip.uri import same_uri
from suites.answering import FORWARDED, REFUSED, number, redirecting
from suites.plans import callee, redirect

REDIRECTS: dict[str, Plans] = {"redirect": REFUSED["redirect"], "uas": FORWARDED, "b2bua": FORWARDED}

ODD_BINDING = redirecting(bindings=("<sip:9{token}@{target};lr;method=INVITE;user=phone?Subject=moved>",))
"""A registered Contact with what table 1 of 19.1.1 does not allow in one, and with what must stay in brackets."""

_ITSELF = "sip:{token}@{device};x-a=1;x-b=Two"
SELF = redirecting(to="sip:{token}@{device}", bindings=("<sip:{token}@{device}>",))
SELF_IN_OTHER_WORDS = redirecting(to=_ITSELF, bindings=("<SIP:{token}@{device};X-B=two;X-A=1>",))
"""The only entry of a user is that user's own URI; the second time written otherwise, and the same by 19.1.4."""

CALLED_URI = Plan((callee(redirect("<{request_uri}>")),), (Call(),))
"""The callee behind the device redirects to the URI by which it was called."""

NO_ANSWER_S = 4.0
"""Seconds without any answer, after which there will be none."""
LOOK_AT_ENTRY = "is an entry compared with the Request-URI (19.1.4) before it is sent?"


@purpose("RFC3261-13.3.1.2-01", plan=REDIRECTS, faults=["contactless_302"])
def test_redirection_says_where_to(flow: Flow) -> Findings:
    """A 300, 301 or 302 has a Contact with the address where the callee can be reached.

    Without one the caller can only give up.  Typical defect: forwarding is switched on, and its number is empty.

    The clause says SHOULD: a warning.  Whether that address is a new one is judged by 8.3.
    """
    here = redirected_here(flow)
    if here is None:
        yield unseen(why_not_refused(flow, NOT_REDIRECTED), code="not-redirected")
        return
    final = here[1]
    contacts = contact_values(final)
    yield expect(
        bool(contacts),
        code="no-contact",
        expected=f"a Contact in the {final.status}",
        actual=f"Contact: {', '.join(contacts)}" if contacts else "no Contact",
        event=final,
        means="the call is neither answered nor forwarded: the caller's side has no target",
        look_at="which response is sent when forwarding has no target",
    )


@purpose(
    "RFC3261-8.3-02",
    plan={"redirect": (REFUSED["redirect"], ODD_BINDING), "uas": FORWARDED},
    faults=["contactless_302", "odd_contact"],
)
def test_contact_of_a_redirection_can_be_read(flow: Flow) -> Findings:
    """A 3xx lists at least one Contact, and a parser can read each: brackets around a URI with ; , or ?.

    Without the brackets a parameter of the URI (;transport, ;user) becomes one of the header and is lost.  Typical
    defect: the device builds the Contact from strings.
    """
    here = redirected_here(flow)
    if here is None:
        yield unseen(why_not_refused(flow, NOT_REDIRECTED), code="not-redirected")
        return
    final = here[1]
    values = contact_values(final)
    if not values:
        yield violated(
            code="no-contact",
            expected=f"one or more Contacts in the {final.status}",
            actual="no Contact",
            event=final,
            means="the caller's side has no target to call",
            look_at="which response is sent when there is no entry: 480 and 404 are clear",
        )
        return
    for value in values:
        wrong = flaws(value)
        yield expect(
            not wrong,
            code="malformed-contact",
            expected="a URI in angle brackets, with q and expires behind it at most",
            actual=f"Contact: {value}" + (f": {'; '.join(wrong)}" if wrong else ""),
            event=final,
            means="callers reach another target than intended, or cannot read the redirection",
            look_at="how the Contact is built: as a name-addr with brackets, or from strings?",
        )


@purpose("RFC3261-19.1.1-02", plan={**REDIRECTS, "redirect": ODD_BINDING}, faults=["odd_contact"])
def test_contact_of_a_redirection_has_no_method_and_no_lr(flow: Flow) -> Findings:
    """The URIs in the Contacts of a 3xx have no ;method and no ;lr, even if they were registered with them.

    ;lr makes the target a loose router, and ;method sets another method; a caller that follows the Contact literally
    does both.  Typical defect: the device returns registered entries unchanged.
    """
    here = redirected_here(flow)
    if here is None:
        yield unseen(why_not_refused(flow, NOT_REDIRECTED), code="not-redirected")
        return
    final = here[1]
    if not contact_values(final):
        yield unseen(f"the {final.status} has no Contact", code="no-contact")
        return
    wrong = misplaced(final)
    yield expect(
        not wrong,
        code="parameter-not-allowed",
        expected="Contact URIs without ;method and without ;lr",
        actual="; ".join(wrong) or f"Contact: {', '.join(contact_values(final))}",
        event=final,
        means="a caller that follows sends the wrong request, or uses the target as a proxy",
        look_at="are entries cleaned when they are stored, or when they are sent?",
    )


@purpose(
    "RFC3261-8.3-03",
    plan={
        "redirect": (SELF, SELF_IN_OTHER_WORDS),
        "uas": number("redirects_to_itself"),
        "b2bua": (number("redirects_to_itself"), CALLED_URI),
    },
    faults=["redirects_to_request_uri"],
)
def test_nobody_is_redirected_to_the_uri_that_was_called(flow: Flow) -> Findings:
    """A call is never redirected to its own Request-URI, whatever the forwarding table says.

    A caller that follows returns with the same call at once, without end.  Typical defects: the device accepts a user
    who forwards to their own number; or it compares URIs as text, so another notation of the same URI makes a loop.

    404, 480 and 482 conform, and so does relaying the call.  A Contact with an additional ;transport or port is another
    URI.
    """
    one = first_asked(flow)
    if one is None or one.final is None:
        yield unseen(why_not_refused(flow), code="not-refused")
        return
    final, called = one.final, one.request.request_uri
    back = [uri for uri in final.contact_uris if same_uri(uri, called)]
    if not 300 <= one.status < 400:
        yield satisfied(f"{final.status} {final.reason}", event=final)
        return
    yield expect(
        not back,
        code="redirected-to-itself",
        expected=(f"no Contact that equals {called}", "404, 480 or 482"),
        actual=f"{final.status}, Contact: {', '.join(contact_values(final)) or '(none)'}",
        event=final,
        means="callers that follow return with the same call without end",
        look_at=LOOK_AT_ENTRY,
    )


RENUMBERED = {"uas": number("redirects", act="renumbered"), "redirect": redirecting(act="renumbered")}
"""0.3 s after the ACK another INVITE, with the Call-ID and From tag of the first and the next CSeq."""
_NOT_FOUND = {400: "a bad request", 481: "a request of a dialog that is not there", 482: "a request that came twice"}


@purpose("RFC3261-8.2.2.2-02", plan=RENUMBERED, faults=["merges_by_call_id"])
def test_call_with_the_next_number_is_a_new_one(flow: Flow) -> Findings:
    """An INVITE with the Call-ID and From tag of one before, and another CSeq, is a request of its own.

    A caller who follows a redirection keeps both and raises the number (RFC 3261 8.1.3.4); a second redirection may
    lead back here.  Typical defect: a check against loops that knows a call by its Call-ID.

    Any answer will do that takes it for a new call: 400, 481, 482 and none do not.
    """
    calls = [one for one in asked(flow) if one.request.method == "INVITE"]
    if len(calls) < 2:
        yield unseen("the second INVITE was never sent", code="not-sent")
        return
    first, second = calls[0], calls[1]
    if second.final is None:
        due = second.request.time + NO_ANSWER_S
        if doubt := unproven(flow, second.seat, due):
            yield unseen(f"the second INVITE got no final response, but {doubt}", code="not-proven")
            return
    said = _NOT_FOUND.get(second.status, "")
    yield expect(
        bool(second.final) and not said,
        code=f"answers-{second.status}" if said else "no-answer",
        expected=f"the answer of a new call, as the first time ({first.status})",
        actual=f"{second.final.start_line}: it is taken for {said}" if second.final else "no final response",
        event=second.final or second.request,
        means="a caller that a redirection leads back here does not get through",
        look_at="is a request that came twice known by From tag, Call-ID and CSeq, all three of them?",
    )


AGAIN = number("redirects", act="again")
"""6 s after the ACK, when nothing is left of the first call, another one with its Call-ID, From tag and CSeq."""


@purpose("RFC3261-8.2.2.2-01", plan={"uas": AGAIN}, faults=["remembers_calls"], least_window=40.0)
def test_call_that_is_over_is_not_merged(flow: Flow) -> Findings:
    """482 is for a request that arrives twice at the same time; a request after the end of the first is a new call.

    A caller that was redirected may return with its Call-ID, From tag and CSeq (RFC 3261 8.1.3.4 recommends the first
    two).  Typical defect: the device remembers Call-IDs for minutes to prevent loops.

    The second INVITE comes 6 s after the ACK: T4 (5 s) has passed, and the transaction has ended.
    """
    calls = [one for one in asked(flow) if one.request.method == "INVITE"]
    if len(calls) < 2 or calls[0].final is None:
        yield unseen("the second INVITE was never sent", code="not-sent")
        return
    first, second = calls[0], calls[1]
    if first.acks and first.finals[-1].time > first.acks[0].time + AFTER_ACK_S:
        yield unseen("the first call is not over: its answer is still repeated, ACK or no ACK", code="copies-after-ack")
        return
    if second.final is None:
        yield unseen("the second INVITE got no final response", code="no-final-response")
        return
    yield expect(
        second.status != 482,
        code="answers-482",
        expected=f"the answer of a new call, as the first time ({first.status})",
        actual=f"{second.final.status} {second.final.reason}",
        event=second.final,
        means="a caller that was redirected here cannot reach the device for some time",
        look_at="does the merge check of 8.2.2.2 remember a call longer than its transaction lives?",
    )
