"""The target set: the original URI and what the Contacts add to it, each tried once (RFC 3261 8.1.3.4)."""

from __future__ import annotations

from collections.abc import Callable

from harness.judge.attempts import Attempt, original, tries
from harness.judge.redirection import redirection_of
from harness.judge.say import Findings, unseen
from harness.judge.silence import silent
from harness.judge.targets import repeats, user_of
from harness.model.finding import Finding
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from harness.sip.uri import same_uri
from suites.plans import followed
from suites.proxy._plans import RECURSION_AGAIN
from suites.uac._plans import DUPLICATES, EXHAUST, LOOP, REJOIN, SELF, SELF_PLUS

_ADVICE = "the set of tried URIs: does it start with the first Request-URI, and is it compared by 19.1.4?"


@purpose(
    "RFC3261-8.1.3.4-02",
    plan=(SELF, SELF_PLUS),
    faults=["retries_equal_contact", "retries_original", "redials_after_302"],
)
def test_original_uri_is_never_tried_again(flow: Flow) -> Findings:
    """The original Request-URI is in the target set from the start, so a Contact that equals it adds nothing.

    Otherwise a user who forwards a phone to itself by mistake starts a storm of calls.  Typical defect: the device
    remembers only the Contacts as tried, not the URI of the first INVITE; or it calls the original URI as a "last
    resort" when all Contacts have failed.

    A retry that starts at the end of the transaction comes after Timer D (32 s).  Only the standard window can see it.
    """
    yield _never(
        flow,
        _equals_first(flow),
        "the call returns to the redirector, perhaps without end",
        code="original-tried-again",
    )


@purpose("INT-302-SELF-01", plan=SELF, faults=["retries_equal_contact", "redials_after_302"])
def test_contact_equal_to_the_request_uri_ends_the_call(flow: Flow) -> Findings:
    """A 302 whose only Contact is the URI just called leaves no target: the call has failed.

    This is the shortest case of "no URI is tried twice", and the most harmful one: each round takes a millisecond.
    Typical defect: the device does not check which URIs it has tried, or limits the number of rounds to about 16
    instead.
    """
    yield _never(
        flow,
        _equals_first(flow),
        "a phone that is forwarded to itself is called in a storm",
        code="original-tried-again",
    )


@purpose(
    "INT-302-LOOP-02",
    plan=followed(LOOP, proxy=(RECURSION_AGAIN,)),
    faults=[
        "tries_same_target_again",
        "tries_same_target_twice",
        "endless_loop",
        "retries_original",
        "redials_after_302",
    ],
)
def test_ping_pong_stops_at_once(flow: Flow) -> Findings:
    """A redirects to B and B to A: the circle ends when the first URI comes back.

    Two colleagues who forward to each other are enough.  Typical defect: the device compares only the last URI, or
    limits the number of rounds instead; every round rings a phone.
    """
    yield _never(
        flow,
        lambda attempt: repeats(flow, attempt) is not None,
        "two phones that forward to each other ring in turn",
        code="tried-again",
    )


@purpose(
    "RFC3261-8.1.3.4-15",
    plan=REJOIN,
    faults=["endless_loop", "retries_equal_contact", "retries_original", "redials_after_302"],
)
def test_later_contacts_join_the_same_set(flow: Flow) -> Findings:
    """Contacts of a second 302 join the set of the first: a URI that was tried anywhere in the chain is skipped.

    A group that forwards to a group lists the same people twice.  Typical defect: each 302 gets a target set of its
    own.
    """
    yield _never(
        flow,
        lambda attempt: repeats(flow, attempt) is not None,
        "phones that were not answered ring again",
        code="tried-again",
    )


@purpose("RFC3261-8.1.3.4-03", plan=DUPLICATES, faults=["endless_loop"])
def test_contact_listed_twice_is_tried_once(flow: Flow) -> Findings:
    """A URI that is listed several times in the Contacts is tried once.

    Otherwise the device calls a busy phone twice while the caller waits.  Typical defect: the device works off the list
    as it came.

    An exact repetition is a fail.  The same URI in another notation (escapes, case, order of parameters) is a warning,
    by the ruling on 19.1.4.
    """
    written = [attempt for attempt in _of_user_a(flow) if repeats(flow, attempt)]
    exact = any(a.invite.request_uri == earlier.invite.request_uri for a in written if (earlier := repeats(flow, a)))
    yield _never(
        flow,
        lambda attempt: attempt in written,
        "a busy phone is called again at once",
        code="tried-again" if exact else "equal-uri-tried-again",
        at_most=Verdict.FAIL if exact else Verdict.WARN,
    )


@purpose(
    "RFC3261-19.1.4-01",
    plan=followed(DUPLICATES),
    faults=["tries_same_target_again", "tries_same_target_twice", "endless_loop"],
)
def test_other_words_do_not_make_another_uri(flow: Flow) -> Findings:
    """Escapes, the case of parameters and their order do not make a URI a new one: it is tried once.

    Typical defect: the device compares URIs as text, so the same phone rings twice.
    """
    written = [attempt for attempt in _of_user_a(flow) if repeats(flow, attempt)]
    yield _never(
        flow, lambda attempt: attempt in written, "the same phone is tried twice", code="equal-uri-tried-again"
    )


@purpose("RFC3261-8.1.3.4-06", plan=EXHAUST, faults=["retries_original", "redials_after_302"])
def test_call_has_failed_when_all_targets_have(flow: Flow) -> Findings:
    """When every target has failed the call has failed: nothing more is sent, not even to the original URI.

    The caller learns of the failure and decides.  Typical defect: the device falls back to the number that was dialled,
    which forwards again.
    """
    listed = 3

    def surplus(attempt: Attempt) -> bool:
        return repeats(flow, attempt) is not None or _place(flow, attempt) > listed

    yield _never(
        flow,
        surplus,
        "the caller waits while the device places further calls",
        code="search-goes-on",
        expected="the Contacts once each, then nothing",
    )


def _never(
    flow: Flow,
    forbidden: Callable[[Attempt], bool],
    means: str,
    *,
    code: str,
    expected: str = "no URI is tried twice, the original one included; then the call has failed",
    at_most: Verdict = Verdict.FAIL,
) -> Finding:
    """That no attempt after the first redirection is ``forbidden``, and that the silence is proven."""
    first = original(flow)
    final = redirection_of(first) if first else None
    if final is None:
        return unseen("the 302 was never sent", code="not-sent")
    return silent(
        flow,
        code=code,
        after=final,
        unless=lambda attempt: not forbidden(attempt),
        expected=expected,
        means=means,
        look_at=_ADVICE,
        at_most=at_most,
    )


def _equals_first(flow: Flow) -> Callable[[Attempt], bool]:
    first = original(flow)
    uri = first.invite.request_uri if first else ""
    return lambda attempt: same_uri(attempt.invite.request_uri, uri)


def _of_user_a(flow: Flow) -> list[Attempt]:
    wanted = "a" + flow.places.token
    return [attempt for attempt in tries(flow)[1:] if user_of(attempt.invite.request_uri) == wanted]


def _place(flow: Flow, attempt: Attempt) -> int:
    return [other.invite.number for other in tries(flow)].index(attempt.invite.number)
