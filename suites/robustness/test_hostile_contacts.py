"""Contacts that lead nowhere, lead back, or are none."""

from __future__ import annotations

from harness.judge.attempts import original
from harness.judge.odd import ALIVE, CAUSE, harmless, kept_to_itself, not_sent, odd_of, of_first_call
from harness.judge.say import Findings, satisfied, violated
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from harness.sip.uri import SipUri
from suites.plans import CALLERS
from suites.robustness._oddities import HOSTILE_CONTACTS, INJECTION, STRANGE_CONTACTS, WRONG_ADDRESSES
from suites.robustness._plans import CHALLENGED, SECURE, odd_call


@purpose(
    ALIVE,
    CAUSE,
    plan=tuple(map(odd_call, HOSTILE_CONTACTS)),
    faults=["dies_of_long_user", "hangs_on_star", "redials_after_302"],
)
def test_contact_that_is_none_does_no_harm(flow: Flow) -> Findings:
    """A Contact of 4 kB, with NULs, of ``*``, with bad brackets or of unknown schemes costs no more than the call.

    Typical defects: a buffer of 256 bytes for a URI; a search for the closing bracket that does not end.
    """
    yield from harmless(flow)


@purpose(ALIVE, CAUSE, plan=tuple(map(odd_call, WRONG_ADDRESSES)), faults=["calls_wrong_port", "redials_after_302"])
def test_contact_that_leads_nowhere_does_no_harm(flow: Flow) -> Findings:
    """A Contact of the device's own address, a multicast one, or of port 0 or 65536, costs no more than the call.

    Typical defects: a port is cut to 16 bits, and somebody else is called; a device that calls itself waits for itself.

    A port of 0 may be read as none.  A call to a port that the Contact does not name is a warning: no RFC says what a
    device does with a port that does not exist.
    """
    odd = odd_of(flow)
    reached = [a for a in of_first_call(flow, odd.event) if a.seat == "target"] if odd else []
    if odd and reached and "port 0" not in odd.name:
        yield violated(
            code="calls-wrong-address",
            expected="no call: the Contact names nobody who could be reached",
            actual=f"after {odd.name} {reached[0].invite.start_line[:160]} came to {flow.seat('target').address}",
            event=reached[0].invite,
            means="somebody is called whom the redirector has not named",
            look_at="how the port of a URI is read: 16 bits, digits, end of the number",
            at_most=Verdict.WARN,
            requirement=CAUSE,
        )
    yield from harmless(flow)


@purpose(ALIVE, CAUSE, plan=tuple(map(odd_call, STRANGE_CONTACTS)), faults=["redials_after_302"])
def test_strange_but_legal_contact_does_no_harm(flow: Flow) -> Findings:
    """Escapes, separators in the user, a scheme in capitals and unknown parameters do no harm (RFC 4475 3.1.1).

    How the Request-URI is made of them is judged by the rules of 8.1.3.4.
    """
    yield from harmless(flow)


@purpose(CAUSE, plan=odd_call(INJECTION), faults=["injects_uri_headers"], roles=CALLERS)
def test_contact_writes_no_header_lines(flow: Flow) -> Findings:
    """Escaped line breaks in the headers of a Contact do not become line breaks in the INVITE.

    Else the redirector writes any header of the request: credentials, routes, identities.  Typical defect: escapes are
    undone, and the value is written as it is.
    """
    yield from (finding for finding in harmless(flow) if finding.requirement in ("", CAUSE))


@purpose("RFC5630-5.1.1-01", plan=SECURE, faults=["calls_sips_in_clear"], roles=CALLERS)
def test_secure_contact_is_not_called_in_clear(flow: Flow) -> Findings:
    """A ``sips:`` Contact is called over TLS or not at all, however its scheme is written.

    Typical defect: a device without TLS calls the user as ``sip:``, and says nothing.
    """
    odd = odd_of(flow)
    if odd is None:
        yield not_sent(flow)
        return
    for attempt in of_first_call(flow, odd.event):
        uri = SipUri.parse(attempt.invite.request_uri)
        if attempt.seat == "target" and uri is not None and uri.scheme == "sip":
            yield violated(
                code="sips-in-clear",
                expected="a TLS connection, or no call",
                actual=f"after {odd.name}: {attempt.invite.start_line[:120]} over UDP",
                event=attempt.invite,
                means="a call that was to be secret can be heard by everybody on the way",
                look_at="what is done with a scheme that the device cannot call",
            )
            return
    yield satisfied(f"after {odd.name} nobody was called in clear")


@purpose("RFC3261-8.1.3.5-02", plan=CHALLENGED, faults=["sends_credentials_to_stranger"], roles=CALLERS)
def test_credentials_do_not_follow_a_redirection(flow: Flow) -> Findings:
    """Credentials for the server that challenged the call are not sent to whom it redirects the call to.

    RFC 3261 neither forbids nor requires it, so it is a warning.  A digest is good for guessing passwords, and the
    target of a redirection is whoever the redirector names.
    """
    first = original(flow)
    yield kept_to_itself(flow, first) if first else not_sent(flow)
