"""A 302 is temporary: the next call begins at the original URI again (RFC 3261 21.3.3)."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judge.redirection import NOT_FOLLOWED, by_call, dropped, redirected, redirection_of
from harness.judge.say import Findings, expect, unseen
from harness.judge.targets import asked_for
from harness.model.finding import Finding
from harness.model.flow import Flow
from harness.purposes.purpose import purpose
from harness.sip.uri import same_uri
from suites.plans import NEXT_CALL, REDIRECT, followed
from suites.proxy._plans import RECURSION_DECLINES
from suites.uac._plans import EXPIRED, EXPIRES_TEN, EXPIRES_ZERO

LIFETIME_S = 10.0
"""Seconds for which the Contact of ``EXPIRES_TEN`` may be kept."""


@purpose("RFC3261-21.3.3-02", plan=followed(NEXT_CALL, proxy=(RECURSION_DECLINES,)), faults=["remembers_contact"])
def test_next_call_begins_at_the_original_uri(flow: Flow) -> Findings:
    """A 302 without a lifetime is good for this call only: the next call goes to the original URI.

    The callee has returned from a meeting, and their calls still go to the colleague.  Typical defect: the device
    writes the Contact into its address book or route cache, as it may after a 301.
    """
    if redirected(flow) is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    yield begins_at_the_original(flow, 1)


@purpose("INT-302-EXPIRES-01", plan=followed(REDIRECT, EXPIRES_ZERO), faults=["remembers_contact"])
def test_lifetime_of_zero_is_for_this_call(flows: Sequence[Flow]) -> Findings:
    """expires=0 covers this call: the device calls the Contact now, and the next call begins at the original URI.

    Typical defect: the device discards a Contact that expires at once before it calls it, or reads 0 as "without end".
    """
    plain, odd = flows
    first = next(iter(by_call(odd)[0]), None)
    if first is None:
        yield unseen("no INVITE of the first call arrived", code="no-invite")
    elif redirected(odd) is None:
        yield dropped(
            odd,
            first,
            plain,
            expected="an INVITE for the Contact, though its lifetime is 0",
            means="the call fails instead of being forwarded",
            look_at="where expires=0 is read as in a REGISTER, where it removes the Contact",
        )
    else:
        yield begins_at_the_original(odd, 1)


@purpose("RFC3261-21.3.3-03", plan=followed(EXPIRED), faults=["remembers_contact", "keeps_contact_for_ever"])
def test_contact_that_has_expired_is_not_called(flow: Flow) -> Findings:
    """A Contact that is good for two seconds is not where a call begins after three, by ``;expires`` or by ``Expires``.

    Typical defects: a cache that asks whether there is a lifetime and not how long; a lifetime that is read from the
    parameter only, or from the header only.
    """
    if redirected(flow) is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    for call in (1, 2):
        yield begins_at_the_original(flow, call)


@purpose("RFC3261-21.3.3-03", plan=followed(EXPIRES_TEN), faults=["remembers_contact"], least_window=40.0)
def test_contact_is_not_kept_beyond_its_lifetime(flow: Flow) -> Findings:
    """With a lifetime of 10 s the device may use the Contact again for 10 s, and not after 13 s.

    Typical defect: a cache keeps the Contact and not its end.  What a call within the 10 s does is the device's choice.
    A device that asks again within that time gets the Contact anew and may keep it for another 10 s, so it shows
    nothing.
    """
    if redirected(flow) is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    age = _age_of_a_newer_one(flow, 2)
    if age is not None and age < LIFETIME_S:
        yield unseen(
            f"the call before asked again, and its 302 was {age:.1f} s old: the Contact could still be used",
            code="contact-renewed",
        )
        return
    yield begins_at_the_original(flow, 2)


def _age_of_a_newer_one(flow: Flow, call: int) -> float | None:
    """Seconds since the last 3xx of the calls between the first and a later one that begins at its Contact.

    None if there was none, or if that call begins elsewhere.
    """
    calls = by_call(flow)
    between = [final for attempts in calls[1:call] for attempt in attempts if (final := redirection_of(attempt))]
    if not between or len(calls) <= call or not calls[call]:
        return None
    again, last = calls[call][0].invite, between[-1]
    kept = any(same_uri(again.request_uri, uri) for uri in asked_for(last))
    return again.time - last.time if kept else None


def begins_at_the_original(flow: Flow, call: int) -> Finding:
    """That a later call (from 0) begins with the Request-URI and at the endpoint of the first."""
    calls = by_call(flow)
    if len(calls) <= call or not calls[0] or not calls[call]:
        return unseen(f"no INVITE of call {call + 1} arrived", code="no-invite")
    before, again = calls[0][0], calls[call][0]
    waited = again.invite.time - before.invite.time
    return expect(
        same_uri(again.invite.request_uri, before.invite.request_uri) and again.seat == before.seat,
        code="contact-remembered",
        expected=f"INVITE {before.invite.request_uri} at {before.seat}",
        actual=f"{again.invite.start_line} at {again.seat}, {waited:.1f} s after the first call",
        event=again.invite,
        means="calls still go to the colleague after the forwarding has been switched off",
        look_at="what keeps the Contact: a route cache, the call history, the address book",
    )
