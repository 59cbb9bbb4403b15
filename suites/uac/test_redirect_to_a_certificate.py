"""A redirection over TLS: the device calls whoever proves to be the target, and nobody else (RFC 5922 section 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from harness.judge.attempts import original, tries
from harness.judge.redirection import NOT_FOLLOWED, redirected, redirection_of
from harness.judge.say import Findings, expect, not_proven, satisfied, unseen, violated
from harness.judge.silence import gap
from harness.model.connection import Connection
from harness.model.flow import Event, Flow
from harness.model.plan import Plan
from harness.model.zone import Zone
from harness.net.certificate import Certificate
from harness.purposes.purpose import purpose
from suites.names import not_asked
from suites.plans import CALLERS, MOVED, REDIRECT, accept, callee, guard, redirect, target


def _showing(certificate: Certificate) -> Plan:
    """A call that is redirected to a target with this certificate; beside it somebody listens without TLS."""
    clear = replace(guard("by_udp"), at="target", by="udp")
    return Plan((callee(redirect(MOVED)), replace(target(accept()), certificate=certificate), clear), over=("tls",))


def _named(*names: str) -> Plan:
    """A call that is redirected to a domain whose one server has a certificate with these names, and its address.

    By that the server is called within the dialog: its Contact has a number.
    """
    zone = Zone(("_sips._tcp.{domain} SRV 10 50 {target.port} host.{domain}", "host.{domain} {target.record}"))
    shown = replace(target(accept()), certificate=Certificate(names))
    return Plan((callee(redirect("<sip:9{token}@{domain};transport=tls>")), shown), over=("tls",), zone=zone)


WRONG_NAME: Final = _showing(Certificate(("sip.example.test", "192.0.2.1")))
"""The target's certificate is good, and somebody else's."""
EXPIRED: Final = _showing(Certificate(expired=True))
STRANGER: Final = _showing(Certificate(stranger=True))
"""Signed by an authority that the device does not know."""
BY_DOMAIN: Final = _named("{domain}", "{target.host}")
BY_URI: Final = _named("sip:{domain}", "sip:{target.host}")
BY_HOST: Final = _named("host.{domain}", "{target.host}")
"""The certificate names the domain as most do, as a SIP URI (RFC 5922 4), and the host that DNS names instead of it."""


@purpose(
    "RFC5922-7.3-01",
    plan=(REDIRECT, WRONG_NAME),
    faults=["takes_any_name", "takes_any_certificate"],
    roles=CALLERS,
)
def test_certificate_of_somebody_else_is_refused(flows: Sequence[Flow]) -> Findings:
    """A server whose certificate names another host than the Contact gets no INVITE: the connection is closed.

    Whoever can bend a route or an answer of DNS has a good certificate of his own.  Typical defect: the library checks
    who signed a certificate, and leaves it to the program to compare the name, which nobody does.
    """
    yield from _refuses(*flows, what="that names somebody else", look_at="is the host compared with the names in it?")


@purpose(
    "RFC5922-7.1-01",
    plan=(REDIRECT, EXPIRED),
    faults=["takes_expired_certificates", "takes_any_certificate"],
    roles=CALLERS,
)
def test_expired_certificate_is_refused(flows: Sequence[Flow]) -> Findings:
    """A server whose certificate has expired gets no INVITE.

    Typical defect: phones without a clock that is set leave the dates out, and never look again once it is.
    """
    yield from _refuses(*flows, what="that has expired", look_at="are the dates of the certificate looked at?")


@purpose("RFC5922-7.1-02", plan=(REDIRECT, STRANGER), faults=["takes_any_certificate"], roles=CALLERS)
def test_certificate_of_an_unknown_authority_is_refused(flows: Sequence[Flow]) -> Findings:
    """A server whose certificate no known authority has signed gets no INVITE.

    Typical defect: the check is off as shipped, or was switched off for a self-signed certificate and stayed so.
    """
    yield from _refuses(*flows, what="of an unknown authority", look_at="is the chain of certificates checked at all?")


@purpose(
    "INT-TLS-CLEAR-01", plan=(REDIRECT, WRONG_NAME, EXPIRED, STRANGER), faults=["falls_back_to_tcp"], roles=CALLERS
)
def test_refused_certificate_is_no_reason_to_call_in_clear(flows: Sequence[Flow]) -> Findings:
    """Where TLS cannot be had, the call is not made without it: a Contact with ;transport=tls says how it is reached.

    A certificate that is wrong is what an attack looks like, and the call in clear is what the attacker wants.  Typical
    defect: a list of transports that is gone through until one works.
    """
    plain, *refused = flows
    if not _follows(plain):
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    for flow in refused:
        response = _redirection(flow)
        if response is None:
            yield unseen("the 302 was never sent", code="not-sent")
            continue
        clear = [one for one in tries(flow) if one.invite.number > response.number and one.invite.transport != "tls"]
        if clear:
            invite = clear[0].invite
            yield violated(
                code="called-in-clear",
                expected="a call over TLS, or none",
                actual=f"{invite.start_line} came over {invite.transport.upper()} at {invite.destination}",
                event=invite,
                means="whoever shows a wrong certificate gets to hear the call, and nobody is warned",
                look_at="what is tried when a TLS connection fails",
            )
        elif missing := gap(flow, ("target",)):
            yield not_proven("no INVITE came in clear", missing)
        else:
            yield satisfied(f"no INVITE came in clear at {flow.seat('target').address}")


@purpose("RFC5922-7.1-03", plan=(BY_DOMAIN, BY_URI), faults=["knows_no_sip_domains"], roles=CALLERS)
def test_domain_may_be_named_by_a_sip_uri(flows: Sequence[Flow]) -> Findings:
    """A certificate whose subjectAltName is the URI sip:DOMAIN is one of that domain.

    So SIP providers are told to name themselves.  Typical defect: a library that was made for web servers reads
    domains only.
    """
    plain, flow = flows
    if missing := not_asked(plain) or not_asked(flow):
        yield missing
    elif not _follows(plain):
        yield unseen(NOT_FOLLOWED, code="not-followed")
    elif invite := _invite_at_target(flow):
        yield satisfied(invite.start_line, event=invite)
    elif refused := _refusal(flow):
        yield violated(
            code="sip-uri-not-read",
            expected="the INVITE: the certificate names the domain of the Contact",
            actual=f"the device ended the connection ({_why(refused)})",
            event=_redirection(flow),
            means="servers whose certificates are made as RFC 5922 wants them cannot be called",
            look_at="which kinds of subjectAltName are read",
        )
    else:
        yield unseen("no TLS connection with the target was begun", code="certificate-not-seen")


@purpose(
    "RFC5922-7.3-02",
    plan=(BY_DOMAIN, BY_HOST),
    faults=["trusts_names_of_dns", "takes_any_name", "takes_any_certificate"],
    roles=CALLERS,
)
def test_name_that_dns_gave_is_not_the_one_to_check(flows: Sequence[Flow]) -> Findings:
    """The certificate has to name the domain of the Contact; that it names the host of an SRV record is not enough.

    DNS is not protected: who forges an answer names a host of his own, for which he has a certificate.  Typical defect:
    name resolution and TLS are layers, and the lower one only knows the host that it connects to.
    """
    plain, flow = flows
    if missing := not_asked(plain) or not_asked(flow):
        yield missing
    else:
        yield from _refuses(
            plain, flow, what="that names the host of the SRV record only", look_at="which name is handed to TLS?"
        )


def _refuses(plain: Flow, flow: Flow, *, what: str, look_at: str) -> Findings:
    """``plain``: the same call to a target whose certificate is right, which shows that the device calls it at all."""
    response = _redirection(flow)
    if response is None:
        yield unseen("the 302 was never sent", code="not-sent")
    elif not _follows(plain):
        yield unseen(NOT_FOLLOWED, code="not-followed")
    elif came := _invite_at_target(flow):
        yield expect(
            False,
            code="certificate-not-checked",
            expected="the end of the connection, and no INVITE on it",
            actual=f"{came.start_line} to a server with a certificate {what}",
            event=came,
            means="whoever stands in the way can take the calls of this device and listen to them",
            look_at=look_at,
        )
    elif missing := gap(flow, ("target",)):
        yield not_proven("no INVITE arrived at the target", missing)
    elif refused := _refusal(flow):
        yield satisfied(f"the device ended the connection with a server with a certificate {what} ({_why(refused)})")
    else:
        yield unseen("no TLS connection with the target was begun", code="certificate-not-seen")


def _follows(plain: Flow) -> bool:
    pair = redirected(plain)
    return pair is not None and pair.new.seat == "target"


def _redirection(flow: Flow) -> Event | None:
    first = original(flow)
    return redirection_of(first) if first else None


def _invite_at_target(flow: Flow) -> Event | None:
    """The first INVITE that came to the target over TLS, after the certificate had been shown."""
    return next(
        (event for event in flow.select("INVITE", at="target", received=True) if event.transport == "tls"), None
    )


def _refusal(flow: Flow) -> Connection | None:
    """The connection that the device ended when it had seen the certificate of the target."""
    of_tls = (one for one in flow.seat("target").connections if one.peer.transport == "tls")
    return next((one for one in of_tls if one.opened_by == "device" and one.closed_by == "device"), None)


def _why(refused: Connection) -> str:
    return refused.trouble or "without a reason"
