"""A redirection that names nobody the device could call: the call has failed (RFC 3261 8.1.3.4, 21.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.judge.attempts import Attempt, original
from harness.judge.redirection import dropped, lost_ack, redirection_of
from harness.judge.say import Findings, satisfied, unseen
from harness.judge.silence import silent
from harness.judge.targets import fresh, user_of
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from suites.plans import REDIRECT
from suites.uac._plans import ALTERNATIVE, EMPTY_CONTACT, FOO, HTTP, MAILTO, MIXED, NO_CONTACT, SIPS, TEL


@purpose(
    "INT-302-NOCONTACT-01",
    plan=(REDIRECT, NO_CONTACT, EMPTY_CONTACT),
    faults=["retries_without_contact", "redials_after_302"],
)
def test_redirection_to_nowhere_ends_the_call(flows: Sequence[Flow]) -> Findings:
    """A 302 without Contact, or with an empty one, gives no target: the call fails, the first URI is not tried again.

    It happens where a forwarding rule has lost its number.  Typical defect: "no Contact" is taken for "same address",
    and the phone rings its PBX in a circle; or an index into an empty list.
    """
    plain, none, empty = flows
    yield from _fails(none, plain, "a 302 without Contact")
    # An empty Contact is outside the grammar: to drop it costs a warning, as the ruling of INT-302-STAR-01 has it.
    yield from _fails(empty, plain, "a 302 with an empty Contact", unacknowledged=Verdict.WARN)


@purpose("RFC3261-21.3.5-01", plan=(REDIRECT, ALTERNATIVE), faults=["retries_without_contact", "redials_after_302"])
def test_alternative_service_without_contact_ends_the_call(flows: Sequence[Flow]) -> Findings:
    """A 380 tells of other services in its body; without a Contact it is a failed call.

    Typical defect: all 3xx go one way that expects a Contact.  (3GPP gives the 380 an emergency meaning, by a body that
    this one has not got.)
    """
    plain, flow = flows
    yield from _fails(flow, plain, "a 380 without a Contact")


@purpose(
    "INT-302-SCHEME-01", plan=(REDIRECT, MAILTO, HTTP, TEL, FOO), faults=["bends_foreign_scheme", "redials_after_302"]
)
def test_foreign_scheme_is_no_target(flows: Sequence[Flow]) -> Findings:
    """A Contact that is mailto:, http:, tel: or foo: is as good as none; it is not bent into a SIP URI.

    An exchange may well say "write to her" or "see this page".  Typical defect: whatever stands behind the first colon
    is called as user@host.

    A device that knows tel: may call the number through its own proxy (19.1.6), so an INVITE for that number at the
    dialled host is right.
    """
    plain, *odd = flows
    for flow in odd:
        scheme = (flow.plan.endpoint("callee").answers[0].responses[0].contacts[0]).partition(":")[0].strip("<")
        tel = _calls_the_number(flow) if scheme == "tel" else None
        yield from _fails(flow, plain, f"a 302 to a {scheme}: URI", tel)


@purpose("INT-302-SCHEME-02", plan=(REDIRECT, MIXED), faults=["first_contact_only"])
def test_unusable_contact_is_stepped_over(flows: Sequence[Flow]) -> Findings:
    """In a mixed list the Contact that cannot be called is stepped over and the next one is called.

    Typical defect: the best q decides alone, and the call fails although a phone is in the list.
    """
    plain, odd = flows
    first = original(odd)
    if first is None or redirection_of(first) is None:
        yield unseen("the 302 was never sent", code="not-sent")
        return
    usable = [a for a in fresh(odd) if user_of(a.invite.request_uri) == "9" + odd.places.token]
    if usable:
        yield satisfied(usable[0].invite.start_line, event=usable[0].invite)
    elif fresh(odd):
        yield unseen(
            f"{fresh(odd)[0].invite.start_line} came of it: judged where foreign schemes are",
            code="other-contact-called",
        )
    else:
        yield dropped(
            odd,
            first,
            plain,
            expected="an INVITE for the sip: Contact",
            means="a call fails although the list names a phone that could be called",
            look_at="whether Contacts are sorted out before or after the best one is taken",
        )


@purpose("RFC5630-5.1.1-01", plan=SIPS, faults=["calls_sips_in_clear"])
def test_sips_contact_is_not_called_in_clear(flow: Flow) -> Findings:
    """A sips: Contact is not turned into a sip: one to get through.

    Who redirects to sips: promises the caller that nobody listens.  Typical defect: the scheme is read for the port
    and forgotten for the transport.
    """
    first = original(flow)
    final = redirection_of(first) if first else None
    if final is None:
        yield unseen("the 302 was never sent", code="not-sent")
        return
    yield silent(
        flow,
        code="called-in-clear",
        after=final,
        at=("nobody",),
        expected="a TLS connection, or the end of the call",
        means="a call that was to be secret goes in clear, and nobody is told",
        look_at="what becomes of the scheme when the Request-URI is made of the Contact",
    )


def _fails(
    flow: Flow,
    plain: Flow,
    what: str,
    unless: Callable[[Attempt], bool] | None = None,
    unacknowledged: Verdict = Verdict.FAIL,
) -> Findings:
    first = original(flow)
    if first is None or first.final is None:
        yield unseen(f"{what} was never sent", code="not-sent")
        return
    lost = lost_ack(first, plain, what=what, at_most=unacknowledged)
    if lost:
        yield lost
    yield silent(
        flow,
        code="called-again",
        after=first.final,
        unless=unless or (lambda _: False),
        expected=f"an ACK for {what}, and no further INVITE",
        means="the caller hears ringing or silence where the call has failed, and somebody else may ring",
        look_at="what is done when the list of Contacts that can be called is empty",
    )


def _calls_the_number(flow: Flow) -> Callable[[Attempt], bool]:
    number = "9" + flow.places.token
    return lambda attempt: attempt.seat == "callee" and number in attempt.invite.request_uri
