"""A redirection without a target that the device can call: the call has failed (RFC 3261 8.1.3.4, 21.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.judge.attempts import Attempt, original
from harness.judge.redirection import dropped, lost_ack, redirection_of
from harness.judge.say import Findings, satisfied, unseen
from harness.judge.silence import silent
from harness.judge.targets import fresh, user_of
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.net.address import SECURE
from harness.purposes.purpose import purpose
from suites.plans import REDIRECT
from suites.uac._plans import ALTERNATIVE, EMPTY_CONTACT, FOO, HTTP, MAILTO, MIXED, NO_CONTACT, SIPS, TEL


@purpose(
    "INT-302-NOCONTACT-01",
    plan=(REDIRECT, NO_CONTACT, EMPTY_CONTACT),
    faults=["retries_without_contact", "redials_after_302"],
)
def test_redirection_to_nowhere_ends_the_call(flows: Sequence[Flow]) -> Findings:
    """A 302 without Contact, or with an empty one, gives no target: the call fails, and no URI is tried again.

    It happens where a forwarding rule has lost its number.  Typical defect: the device takes a missing Contact for
    "same address" and calls its PBX in a circle, or reads the first element of an empty list.
    """
    plain, none, empty = flows
    yield from _fails(none, plain, "a 302 without Contact")
    # An empty Contact is outside the grammar: to drop it costs a warning, as the ruling of INT-302-STAR-01 has it.
    yield from _fails(empty, plain, "a 302 with an empty Contact", unacknowledged=Verdict.WARN)


@purpose("RFC3261-21.3.5-01", plan=(REDIRECT, ALTERNATIVE), faults=["retries_without_contact", "redials_after_302"])
def test_alternative_service_without_contact_ends_the_call(flows: Sequence[Flow]) -> Findings:
    """A 380 describes other services in its body; without a Contact it is a failed call.

    Typical defect: the device handles all 3xx by code that expects a Contact.  (3GPP gives the 380 an emergency
    meaning, by a body that this 380 does not have.)
    """
    plain, flow = flows
    yield from _fails(flow, plain, "a 380 without a Contact")


@purpose(
    "INT-302-SCHEME-01", plan=(REDIRECT, MAILTO, HTTP, TEL, FOO), faults=["bends_foreign_scheme", "redials_after_302"]
)
def test_foreign_scheme_is_no_target(flows: Sequence[Flow]) -> Findings:
    """A mailto:, http:, tel: or foo: Contact is no target; the device does not make a SIP URI of it.

    An exchange may point to a mail address or a web page.  Typical defect: the device calls whatever follows the first
    colon as user@host.

    A device that knows tel: may call the number through its own proxy (19.1.6), so an INVITE for that number at the
    dialled host conforms.
    """
    plain, *odd = flows
    for flow in odd:
        scheme = (flow.plan.endpoint("callee").answers[0].responses[0].contacts[0]).partition(":")[0].strip("<")
        tel = _calls_the_number(flow) if scheme == "tel" else None
        yield from _fails(flow, plain, f"a 302 to a {scheme}: URI", tel)


@purpose("INT-302-SCHEME-02", plan=(REDIRECT, MIXED), faults=["first_contact_only"])
def test_unusable_contact_is_stepped_over(flows: Sequence[Flow]) -> Findings:
    """In a mixed list the device skips the Contact that it cannot call and calls the next one.

    Typical defect: the device looks at the best q only, and the call fails although the list has a phone.
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
            f"{fresh(odd)[0].invite.start_line} followed: the tests of foreign schemes judge that",
            code="other-contact-called",
        )
    else:
        yield dropped(
            odd,
            first,
            plain,
            expected="an INVITE for the sip: Contact",
            means="a call fails although the list names a phone that could be called",
            look_at="are unusable Contacts removed before the best one is chosen?",
        )


@purpose("RFC5630-5.1.1-01", plan=SIPS, faults=["calls_sips_in_clear"])
def test_sips_contact_is_not_called_in_clear(flow: Flow) -> Findings:
    """A sips: Contact is not turned into a sip: one to get through.

    A redirector that names a sips: URI promises the caller an encrypted call.  Over TLS a device may call it, as sips:.
    Typical defect: the device reads the scheme for the port and ignores it for the transport.
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
        unless=lambda attempt: attempt.invite.transport in SECURE and attempt.invite.request_uri.startswith("sips:"),
        expected="a secure connection and a sips: Request-URI, or the end of the call",
        means="a call that should be encrypted goes in clear, and no user is warned",
        look_at="what becomes of the scheme when the Request-URI is built from the Contact",
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
    lost = lost_ack(flow, first, plain, what=what, at_most=unacknowledged)
    if lost:
        yield lost
    yield silent(
        flow,
        code="called-again",
        after=first.final,
        unless=unless or (lambda _: False),
        expected=f"an ACK for {what}, and no further INVITE",
        means="the caller hears ringing or silence although the call has failed, and another phone may ring",
        look_at="how an empty list of usable Contacts is handled",
    )


def _calls_the_number(flow: Flow) -> Callable[[Attempt], bool]:
    number = "9" + flow.places.token
    return lambda attempt: attempt.seat == "callee" and number in attempt.invite.request_uri
