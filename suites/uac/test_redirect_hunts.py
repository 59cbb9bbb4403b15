"""Several Contacts: the next one is tried when one fails, and URIs are compared (RFC 3261 8.1.3.4 ¶3-6)."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judge.attempts import Attempt, at, original, tries
from harness.judge.patience import may_yet_come
from harness.judge.redirection import NOT_FOLLOWED, redirected, redirection_of, unacknowledged
from harness.judge.say import Findings, not_proven, satisfied, unseen, violated
from harness.judge.silence import gap, silent
from harness.judge.targets import asked_for, fresh, user_of
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from harness.sip.uri import same_uri
from suites.plans import REDIRECT, followed
from suites.uac._plans import BAD_Q, BLACK_HOLE, DUPLICATES, EXHAUST, HUNT, HUNT_OVER_TWO

_TIMER_B, _SLACK = 32.0, 4.0
"""Seconds: 64*T1 (RFC 3261 17.1.1.2), and what a slow machine may add."""
_HASTE = 1.0
"""Seconds by which the clock of a device may go ahead of Timer B."""


@purpose("RFC3261-8.1.3.4-05", plan=(HUNT, EXHAUST), faults=["first_contact_only"])
def test_next_contact_is_tried_when_one_fails(flow: Flow) -> Findings:
    """When one Contact fails, the device tries the next one.

    "Mobile first, then the desk, then voice mail" is a list of Contacts.  Typical defect: the device tries the first
    Contact only; or it takes one code (often 503) for the failure of the whole call.

    A device may choose which Contacts it considers, so a single one is lawful.  A device that claims to hunt must hunt.
    """
    response = _redirection(flow)
    targets = fresh(flow)
    if response is None or not targets:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    listed = asked_for(response)
    last = targets[-1]
    answers = ", ".join(str(target.status) for target in targets)
    if len(targets) >= len(listed):
        yield satisfied(f"{len(targets)} Contacts were tried; they answered {answers}", event=last.invite)
    elif last.final is None or not last.acks:
        yield unseen(
            f"the answer of the last target that was tried ({last.invite.request_uri}) was not acknowledged",
            code="not-acknowledged",
        )
    elif missing := gap(flow, (last.seat,)) or may_yet_come(flow, last.final):
        yield not_proven(f"nothing followed the {last.status}", missing)
    else:
        untried = len(listed) - len(targets)
        yield violated(
            code="next-not-tried",
            expected="an ACK, and an INVITE for the next Contact",
            actual=f"the call ended after a {last.status}; {untried} of {len(listed)} Contacts were not tried",
            event=last.final,
            means="a call that should go on to the next phone or to voice mail ends at the first busy phone",
            look_at="are all Contacts kept, and which codes end the whole call?",
        )


@purpose("RFC3261-8.1.3.4-05", plan=HUNT_OVER_TWO, faults=["forgets_older_contacts", "first_contact_only"])
def test_second_redirection_leaves_the_other_contacts(flow: Flow) -> Findings:
    """When the first Contact redirects the call once more, and that target fails, the second Contact is next.

    The Contacts of the second 302 join the target set; they do not replace it.  Typical defect: the list is a variable
    of the call, and each 302 begins a new one: the mobile is diverted to a busy line, and voice mail is never reached.
    """
    third = next(iter(at(flow, "third")), None)
    if third is None or third.final is None or not third.acks:
        yield unseen("the second redirection was not followed to its end", code="not-followed")
        return
    if onward := at(flow, "second"):
        yield satisfied(f"the second Contact was called after the {third.status}", event=onward[0].invite)
    elif missing := gap(flow, ("second",)) or may_yet_come(flow, third.final):
        yield not_proven(f"nothing followed the {third.status}", missing)
    else:
        yield violated(
            code="contacts-forgotten",
            expected="an ACK, and an INVITE for the second Contact of the first 302",
            actual=f"the call ended after the {third.status}",
            event=third.final,
            means="a diversion of the first phone takes the phones behind it out of the list",
            look_at="do the Contacts of a further 302 join the target set, or replace it?",
        )


@purpose("RFC3261-8.1.3.1-01", plan=BLACK_HOLE, faults=["first_contact_only"], least_window=40.0)
def test_silent_target_has_failed_after_32_s(flow: Flow) -> Findings:
    """A target that does not answer has failed with Timer B after 32 s, as if by 408: the INVITE is not repeated.

    The phone behind the first Contact is switched off.  A device that waits for it without end never tries the second
    Contact.  Typical defect: the timer exists for the first INVITE of a call only.

    The end of the attempt is a MUST. Going on to the next Contact is a SHOULD, so its absence is a warning here.  A
    shorter timer of the device also conforms if the device repeated its INVITE before that time and not after.  A
    Contact that is called beside the silent one shows no timer.
    """
    deaf = next((attempt for attempt in tries(flow)[1:] if attempt.seat == "deaf"), None)
    if deaf is None:
        yield unseen("the target that does not answer was not tried", code="not-tried")
        return
    copies = [copy for copy in deaf.copies if copy.time - deaf.invite.time > _TIMER_B + _SLACK]
    again, onward = _after_the_silent_one(flow, deaf)
    late = [attempt for attempt in again if attempt.invite.time - deaf.invite.time > _TIMER_B - _HASTE]
    if copies:
        yield violated(
            code="keeps-retransmitting",
            expected=f"no copy of the INVITE after {_TIMER_B:g} s",
            actual=f"a copy {copies[0].time - deaf.invite.time:.0f} s after the INVITE",
            event=copies[0],
            means="the caller waits without end for a phone that is switched off",
            look_at="Timer B of the second INVITE of a call",
        )
    elif late:
        yield violated(
            code="tried-again",
            expected=f"an INVITE for the second Contact after {_TIMER_B:g} s, or the end of the call",
            actual=f"{late[0].invite.start_line} once more after {late[0].invite.time - deaf.invite.time:.0f} s",
            event=late[0].invite,
            means="the caller waits without end for a phone that is switched off",
            look_at="does a timeout count as a failure? A failed target is not tried again (8.1.3.4)",
        )
    elif onward:
        waited = onward[0].invite.time - deaf.invite.time
        told = f"{onward[0].invite.start_line} after {waited:.1f} s"
        # The INVITE was repeated for a time, and then no more: a timer has ended it.
        given_up = deaf.copies and deaf.copies[-1].number < onward[0].invite.number
        if waited > _TIMER_B - _HASTE or given_up:
            yield satisfied(told, event=onward[0].invite)
        else:
            yield unseen(f"{told}: both were called at the same time, so no timer was seen", code="called-beside")
    elif again:
        yield unseen(
            "the target that does not answer was called again before it had failed (another rule covers this)",
            code="called-too-early",
        )
    elif missing := gap(flow, ("callee", "deaf")):
        yield not_proven("nothing followed", missing)
    elif not flow.device["pics"].get("multi_contact"):
        yield satisfied(
            f"the INVITE was not repeated after {_TIMER_B:g} s, and no other Contact is claimed to be tried"
        )
    else:
        yield violated(
            code="next-not-tried",
            expected=f"an INVITE for the second Contact after {_TIMER_B:g} s",
            actual=f"nothing for {flow.watch.window.seconds:g} s",
            event=deaf.invite,
            means="a call is lost when the first phone of a list is switched off",
            look_at="does a timeout count as a 408, and lead to the next Contact?",
            at_most=Verdict.WARN,
        )


@purpose("RFC3261-8.1.3.4-04", plan=EXHAUST)
def test_order_of_the_targets(flow: Flow) -> Findings:
    """Targets may be tried in any order; descending q is the custom, and what people expect.

    This test only reports the order that was seen.
    """
    if redirected(flow) is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    order, targets = _q_order(flow), fresh(flow)
    if len(order) < 2:
        yield unseen("fewer than two of the three Contacts were tried: no order was seen", code="no-order")
        return
    yield satisfied(f"order of q in which the targets were tried: {', '.join(order)}", event=targets[0].invite)


@purpose("RFC3261-20.10-03", plan=followed(REDIRECT, EXHAUST, BAD_Q), faults=["reads_q_as_integer", "chokes_on_bad_q"])
def test_q_values_are_read(flows: Sequence[Flow]) -> Findings:
    """q goes from 0 to 1 with up to three decimals, and a malformed q does not stop the call.

    Typical defects: the device reads q as a whole number or compares it as text, so voice mail comes before the desk;
    or its number parser throws an exception.

    8.1.3.4 leaves the order free, so the order of the list is no defect: such a device does not read q.  An order that
    is neither is the order of a misread q.
    """
    plain, good, bad = flows
    for flow in (good, bad):
        first = original(flow)
        answered = [attempt for attempt in (first, *fresh(flow)) if attempt]
        # That nothing is acknowledged any more is the one case that the row's note calls a fail.
        lost = unacknowledged(flow, answered, plain, at_least=Verdict.FAIL)
        if lost:
            yield lost
            return
    order = _q_order(good)
    if redirected(good) is None or not order:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    at_once = _at_once(good)
    by_q, by_list = ["1.000", "0.9", "0.125"], ["0.125", "1.000", "0.9"]
    if not at_once and order not in (by_q[: len(order)], by_list[: len(order)]):
        yield violated(
            code="wrong-order",
            expected=("1.000, 0.9, 0.125", "the order of the list, by a device that reads no q"),
            actual=", ".join(order),
            event=redirected(good).new.invite,  # type: ignore[union-attr]
            means="the phone that was to ring last rings first",
            look_at="how q is read: as a decimal fraction?",
        )
    elif redirected(bad) is None:
        response = _redirection(bad)
        missing = gap(bad, ("callee",)) or (may_yet_come(bad, response) if response else None)
        yield (
            not_proven("nothing followed", missing)
            if missing
            else violated(
                code="bad-q-stops-call",
                expected="an INVITE for at least the third Contact, whose q is good",
                actual="no INVITE followed a 302 with q=1.5, q=abc and q=0.5",
                event=response,
                means="a mistake in one Contact of a redirection loses the call",
                look_at="how the parser of q handles a value that is no number",
            )
        )
    else:
        seen = "all at once" if at_once else f"order of q: {', '.join(order)}"
        yield satisfied(f"{seen}; malformed q: the call went on")


@purpose("RFC3261-21.4.20-01", plan=HUNT, faults=["retries_after_482"])
def test_loop_detected_is_an_ordinary_failure(flow: Flow) -> Findings:
    """482 or 483 from a redirect target is a failure of that Contact: the next one is tried, or the call ends.

    The response says that this path leads in a circle.  A device that takes the path again, or starts again at the
    beginning, makes the circle larger.  Typical defect: the device takes the 482 for a collision of its own and sends
    the INVITE with a new branch.
    """
    looped = next((attempt for attempt in tries(flow)[1:] if attempt.status == 482), None)
    first = original(flow)
    if first is None or looped is None or looped.final is None:
        yield unseen("no target answered 482 in this flow", code="not-tried")
        return
    following = next((a for a in tries(flow) if a.invite.number > looped.invite.number), None)
    yield silent(
        flow,
        code="tried-again",
        after=looped.final,
        # A fall-back to the original when all have failed is another fault: it does not come of the 482.
        unless=lambda attempt: (
            not same_uri(attempt.invite.request_uri, looped.invite.request_uri)
            and not (attempt == following and same_uri(attempt.invite.request_uri, first.invite.request_uri))
        ),
        expected="the next Contact, or the end of the call",
        means="a call that goes in a circle takes another round",
        look_at="how a 482 is handled: it is a 4xx like any other",
    )


@purpose("RFC3261-8.1.3.5-03", plan=HUNT, faults=["repeats_after_415"])
def test_same_request_is_not_repeated_to_who_refused_it(flow: Flow) -> Findings:
    """After a 415 the target gets a corrected INVITE or none, and never the same one again.

    415 says what is wrong, and Accept says what would be right.  Where nothing can be corrected the device goes on to
    the next Contact.  Typical defect: a retry for "temporary" failures that counts 415 among them.

    Bodies are compared without the version line (o=).
    """
    refused = next((attempt for attempt in tries(flow)[1:] if attempt.status == 415), None)
    if refused is None or refused.final is None:
        yield unseen("no target answered 415 in this flow", code="not-tried")
        return
    yield silent(
        flow,
        code="same-request-repeated",
        after=refused.final,
        unless=lambda attempt: not _identical(attempt, refused),
        expected="no further INVITE for this target, or one with another body",
        means="the caller waits while the same INVITE is refused again",
        look_at="which codes are retried, and whether the INVITE is corrected first",
    )


@purpose("RFC3261-19.1.4-02", plan=followed(EXHAUST, DUPLICATES), faults=["folds_user_case"])
def test_users_differ_by_case(flows: Sequence[Flow]) -> Findings:
    """The user part is case-sensitive: "b" and "B" are two targets, and each is called as it is written.

    Typical defect: the device stores URIs in lower case, as if they were mail addresses, and the target answers 404.
    """
    plain, odd = flows
    token = odd.places.token
    users = [user_of(attempt.invite.request_uri) for attempt in fresh(odd) + _repeated(odd)]
    folded = [attempt for attempt in tries(odd)[1:] if user_of(attempt.invite.request_uri).lower() == "b" + token]
    if "B" + token in users:
        yield satisfied(f"users in the order they were called: {', '.join(users)}")
    elif len(folded) > 1:
        yield violated(
            code="case-folded",
            expected=f"INVITE for the users b{token} and B{token}",
            actual=f"both attempts are for {user_of(folded[-1].invite.request_uri)}",
            event=folded[-1].invite,
            means="a user with capitals in the name is not found",
            look_at="where URIs are converted to lower case",
        )
    elif not folded or len(fresh(plain)) < 2:
        yield unseen("the device did not call the second of the two users", code="not-tried")
    elif missing := gap(odd, (folded[-1].seat,)) or may_yet_come(odd, folded[-1].final or folded[-1].invite):
        yield not_proven("nothing followed", missing)
    else:
        yield violated(
            code="taken-for-same",
            expected=f"INVITE for the users b{token} and B{token}",
            actual=f"only b{token} was called, although the device tries several Contacts elsewhere",
            event=folded[-1].invite,
            means="of two users whose names differ in case, one is never reached",
            look_at="how URIs are compared: the user part is case-sensitive",
        )


def _after_the_silent_one(flow: Flow, deaf: Attempt) -> tuple[list[Attempt], list[Attempt]]:
    """The attempts after that of the silent target: those that ask the same of it again, and all others."""
    later = [attempt for attempt in tries(flow) if attempt.invite.number > deaf.invite.number]
    again = [
        attempt
        for attempt in later
        if attempt.seat == deaf.seat and same_uri(attempt.invite.request_uri, deaf.invite.request_uri)
    ]
    return again, [attempt for attempt in later if attempt not in again]


def _redirection(flow: Flow) -> Event | None:
    first = original(flow)
    return redirection_of(first) if first else None


def _q_order(flow: Flow) -> list[str]:
    q_of = {"1": "0.125", "2": "1.000", "3": "0.9"}
    users = [user_of(attempt.invite.request_uri) for attempt in fresh(flow)]
    return [q_of[user[:1]] for user in users if user[1:] == flow.places.token and user[:1] in q_of]


def _repeated(flow: Flow) -> tuple[Attempt, ...]:
    known = fresh(flow)
    return tuple(attempt for attempt in tries(flow)[1:] if attempt not in known)


def _at_once(flow: Flow) -> bool:
    """Whether a target was called while the one before it had not answered."""
    pairs = zip(fresh(flow), fresh(flow)[1:], strict=False)
    return any(before.final is None or after.invite.number < before.final.number for before, after in pairs)


def _identical(new: Attempt, old: Attempt) -> bool:
    """Whether ``new`` asks the same of the same."""
    kinds = new.invite.headers("Content-Type"), old.invite.headers("Content-Type")
    return same_uri(new.invite.request_uri, old.invite.request_uri) and kinds[0] == kinds[1] and new.offer == old.offer
