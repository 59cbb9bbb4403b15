"""A redirect server answers and does nothing else (RFC 3261 8.3)."""

from __future__ import annotations

from harness.judge.answers import NOT_REDIRECTED, first_asked, redirected_here, unproven, why_not_refused
from harness.judge.copies import differences
from harness.judge.declines import watched_seats
from harness.judge.patience import may_yet_come
from harness.judge.say import Findings, expect, not_proven, satisfied, unseen, violated
from harness.judge.silence import gap
from harness.judge.timers import timers_of
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from suites.answering import FORWARDED_REPEATED, REFUSED, REPEATED, number, redirecting

PLAIN = REFUSED["redirect"]
REQUIRE = redirecting(headers=("Require: foo-unknown", "X-Unknown-Field: 1"))
STRANGE_METHOD = redirecting(method="FROBNICATE")
UNKNOWN = number("unknown")
NO_ANSWER_S = 4.0
"""Seconds without any answer, after which there will be none."""


@purpose("RFC3261-8.3-01", plan={"redirect": PLAIN}, faults=["redirect_also_forwards"])
def test_redirect_server_sends_no_requests(flow: Flow) -> Findings:
    """A redirect server answers with a 3xx and sends no request, neither to the Contacts nor elsewhere.

    If it calls the target as well, the target rings twice: once for the server, once for the caller.  Typical defect:
    one routing script for "redirect" and "relay", in which the first falls through to the second.

    An OPTIONS may be a registrar's probe of its entries: a warning.  A server that relays the call instead of answering
    it is a proxy, and is judged as one.
    """
    one = first_asked(flow)
    seats = watched_seats(flow)
    requests = flow.select(received=True, at=seats, where=lambda event: event.method is not None)
    if one is None or (one.final is None and not requests):
        yield unseen(why_not_refused(flow), code="not-refused")
        return
    if not 300 <= one.status < 400 and requests:
        yield unseen("the device relayed the call instead of redirecting it, as a proxy does", code="sent-on")
        return
    here = redirected_here(flow)
    if here is None:
        yield unseen(why_not_refused(flow, NOT_REDIRECTED), code="not-redirected")
        return
    final = here[1]
    if requests:
        probe = all(event.method == "OPTIONS" for event in requests)
        first = next((event for event in requests if event.method != "OPTIONS"), requests[0])
        yield violated(
            code="probes-contacts" if probe else "sends-requests",
            expected=f"the {final.status} to the caller, and nothing else",
            actual=f"{first.start_line} at {first.seat}",
            event=first,
            means="the target rings twice: once for the redirect server, once for the caller who follows",
            look_at="does the processing of a redirected request end with its answer?",
            at_most=Verdict.WARN if probe else Verdict.FAIL,
        )
        return
    if missing := gap(flow, seats):
        yield not_proven(f"nothing arrived at {', '.join(seats)}", missing)
        return
    yield satisfied(f"{final.status} to the caller, and nothing at {', '.join(seats)}", event=final)


@purpose("RFC3261-21.3.4-02", plan={"redirect": PLAIN}, faults=["sends_305"])
def test_redirect_server_sends_no_305(flow: Flow) -> Findings:
    """Only a user agent answers 305 Use Proxy: a redirect server answers 300, 301 or 302.

    305 means "go through this proxy to me", and a redirect server is not the callee.  Typical defect: the code was
    chosen by its name.
    """
    here = redirected_here(flow)
    if here is None:
        yield unseen(why_not_refused(flow, NOT_REDIRECTED), code="not-redirected")
        return
    yield expect(
        here[1].status != 305,
        code="answers-305",
        expected="300, 301 or 302",
        actual=f"{here[1].status} {here[1].reason}",
        event=here[1],
        means="callers take the Contact for a proxy of the callee, or do not know the code",
        look_at="which status the redirect script sends",
    )


@purpose(
    "RFC3261-8.3-05",
    plan={"redirect": (PLAIN, REQUIRE, STRANGE_METHOD)},
    faults=["stumbles_over_require"],
)
def test_what_it_does_not_know_does_not_stop_a_redirect_server(flows: tuple[Flow, ...]) -> Findings:
    """A redirect server ignores unknown headers, option tags in Require and unknown methods, and redirects.

    The server need not understand a request that another element will handle.  Typical defect: the server makes the
    checks of a phone (420 Bad Extension, 501 Not Implemented) before it redirects.

    Each request is compared with a plain INVITE. If that is not redirected, the test is inconclusive.
    """
    usual, *others = flows
    plain = redirected_here(usual)
    if plain is None:
        yield unseen(why_not_refused(usual, "not even a plain INVITE was redirected"), code="not-redirected")
        return
    asked = (
        ("INVITE with Require: foo-unknown", "stumbles-over-require"),
        ("FROBNICATE request", "stumbles-over-method"),
    )
    for flow, (what, code) in zip(others, asked, strict=True):
        one = first_asked(flow)
        if one is None:
            yield unseen(f"the {what} was never sent", code="not-sent")
            continue
        if one.final is None and (doubt := unproven(flow, one.seat, one.request.time + NO_ANSWER_S)):
            yield unseen(f"the {what} got no final response, but {doubt}", code="not-proven")
            continue
        if one.final is None and (missing := may_yet_come(flow, one.request)):
            yield not_proven(f"the {what} got no final response", missing)
            continue
        yield expect(
            300 <= one.status < 400,
            code=code,
            expected=f"a 3xx to the {what}, as to a plain INVITE ({plain[1].status})",
            actual=f"{one.final.status} {one.final.reason}" if one.final else "no final response",
            event=one.final or one.request,
            means="callers that use an extension cannot be redirected, though the target might know it",
            look_at="which checks precede the redirection: only those that the server itself needs",
        )


@purpose("RFC3261-8.3-08", plan={"redirect": UNKNOWN}, faults=["empty_302_for_unknown"])
def test_user_without_entry_is_not_redirected(flow: Flow) -> Findings:
    """A user without entry in the location service is answered 404 or 480, not by a 3xx without Contact.

    The caller can show "unknown" or "not available", and can do nothing with an empty redirection.  Typical defect: the
    server answers 302 before it has searched the table.

    Another refusal is as clear, and only noted.
    """
    one = first_asked(flow)
    if one is None or one.final is None:
        yield unseen(why_not_refused(flow), code="not-refused")
        return
    final = one.final
    if one.status < 300:
        yield unseen(f"the call was answered: {final.start_line}", code="answered")
    elif one.status < 400 and final.contact_uris:
        yield unseen(f"the user has an entry: Contact: {', '.join(final.contact_uris)}", code="has-entry")
    elif one.status < 400:
        yield violated(
            code="empty-redirection",
            expected=("404 for an unknown user", "480 for one who has no entry"),
            actual=f"{final.status} {final.reason} without Contact",
            event=final,
            means="the caller learns neither that the number is wrong nor that the user is away",
            look_at="which response is sent when the location service finds nothing",
        )
    else:
        usual = final.status in (404, 480)
        yield satisfied(
            f"{final.status} {final.reason}", event=final, note="" if usual else "404 or 480 is what 8.3 suggests"
        )


@purpose(
    "RFC3261-8.3-07",
    plan={"redirect": REPEATED["redirect"], "uas": FORWARDED_REPEATED},
    faults=["final_repeated_after_ack", "answers_ack"],
)
def test_redirection_is_one_transaction(flow: Flow) -> Findings:
    """A copy of the INVITE gets the same 3xx, with its To tag and Contacts; after the ACK there is silence.

    A server without this memory gives two answers to one call, and a caller that follows both calls two targets.
    Typical defect: the server answers every datagram by itself, with a new tag.

    A server without memory that makes its tag from the request gives equal answers, and this test cannot detect it.
    """
    here = redirected_here(flow)
    if here is None:
        yield unseen(why_not_refused(flow, NOT_REDIRECTED), code="not-redirected")
        return
    one, final = here
    for later in one.finals[1:]:
        if later.status != final.status or differences(final, later):
            yield violated(
                code="copy-changed" if later.status == final.status else "other-answer",
                expected=f"the {final.status} (message {final.number}) again, with the same To tag and Contacts",
                actual=f"{later.status}, another {', '.join(differences(final, later)) or 'status'}",
                event=later,
                means="one call is redirected twice, and a caller may follow both",
                look_at="does the copy match the transaction of the INVITE?",
            )
            return
    if not one.acks:
        yield unseen("the redirection was not acknowledged", code="not-acknowledged")
        return
    ack, timers = one.acks[0], timers_of(flow)
    stray = flow.select(
        received=True,
        at=one.seat,
        where=lambda event: (
            event.status is not None
            and event.number > ack.number
            # What Timer G sent before the device had read the ACK is no offence.
            and (event.cseq_method == "ACK" or event.time > ack.time + timers.t1)
        ),
    )
    if stray:
        yield violated(
            code="ack-answered" if stray[0].cseq_method == "ACK" else "copies-after-ack",
            expected=f"silence after the ACK (message {ack.number})",
            actual=f"{stray[0].status} {stray[0].reason}, CSeq: {stray[0].header('CSeq')}, "
            f"{stray[0].time - ack.time:.1f} s after it",
            event=stray[0],
            means="a caller that has sent its ACK gets further responses",
            look_at="is the ACK matched to the transaction, or handled like any request?",
        )
        return
    if doubt := unproven(flow, one.seat, ack.time + timers.t2):
        yield unseen(f"silence after the ACK is not proven: {doubt}", code="not-proven")
        return
    yield satisfied(f"{len(one.finals)} times the same {final.status}, and silence after its ACK", event=final)
