"""A Contact with a name leads to the servers that DNS names, and to no other place (RFC 3263 4.1, 4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from harness.judge.attempts import Attempt, original
from harness.judge.patience import may_yet_come
from harness.judge.redirection import NOT_FOLLOWED, redirected, redirection_of
from harness.judge.say import Findings, expect, not_proven, unseen, violated
from harness.judge.silence import gap, silent
from harness.judge.targets import asked_for, user_of
from harness.model.flow import Event, Flow
from harness.model.plan import Plan
from harness.model.verdict import Verdict
from harness.model.zone import Zone
from harness.net.address import Transport
from harness.net.certificate import Certificate
from harness.purposes.purpose import purpose
from suites.names import NAMED, OVER, not_asked, servers
from suites.plans import MOVED, accept, callee, followed, guard, redirect, refuse, target

_FIRST = replace(target(accept(), name="first"), beside="usual_port")


def _without_port(transport: Transport) -> Plan:
    records = (*servers(transport, first=10, second=20), "{domain} {bare.record}")
    guards = (guard("second"), guard("bare"))
    return Plan((callee(redirect(NAMED)), guard("usual_port"), _FIRST, *guards), over=(transport,), zone=Zone(records))


def _with_port(transport: Transport) -> Plan:
    contact = "<sip:9{token}@{domain}:{first.port};transport=" + transport + ">"
    records = (*servers(transport, elsewhere=10), "{domain} {first.record}")
    return Plan(
        (callee(redirect(contact)), guard("usual_port"), _FIRST, guard("elsewhere")),
        over=(transport,),
        zone=Zone(records),
    )


WITHOUT_PORT: Final = tuple(map(_without_port, OVER))
"""Two SRV records, and an address record of the name itself.  The best server is not at the usual port."""
WITH_PORT: Final = tuple(map(_with_port, OVER))
"""An address record of the name and, which do not count, SRV records."""
BY_TCP: Final = Plan(
    (callee(redirect(NAMED)), replace(target(accept(), name="first"), by="tcp"), guard("by_udp")),
    over=("udp",),
    zone=Zone(
        (
            '{domain} NAPTR 10 10 "s" "SIP+D2T" "" _sip._tcp.{domain}',
            '{domain} NAPTR 20 10 "s" "SIP+D2U" "" _sip._udp.{domain}',
            "_sip._tcp.{domain} SRV 10 0 {first.port} first.{domain}",
            "_sip._udp.{domain} SRV 10 0 {by_udp.port} by_udp.{domain}",
            "first.{domain} {first.record}",
            "by_udp.{domain} {by_udp.record}",
        )
    ),
)
"""A domain that prefers TCP, and has a server for UDP as well."""
_OF_THE_DOMAIN: Final = Certificate(("{domain}",))
SECURE: Final = Plan(
    (
        callee(redirect("<sips:9{token}@{domain}>")),
        replace(target(refuse(486), name="first"), certificate=_OF_THE_DOMAIN),
        replace(guard("by_sip"), certificate=_OF_THE_DOMAIN),
    ),
    over=("tls",),
    zone=Zone(
        (
            '{domain} NAPTR 10 10 "s" "SIP+D2T" "" _sip._tcp.{domain}',
            '{domain} NAPTR 20 10 "s" "SIPS+D2T" "" _sips._tcp.{domain}',
            "_sip._tcp.{domain} SRV 10 0 {by_sip.port} by_sip.{domain}",
            "_sips._tcp.{domain} SRV 10 0 {first.port} first.{domain}",
            "first.{domain} {first.record}",
            "by_sip.{domain} {by_sip.record}",
        )
    ),
)
"""A domain that prefers TCP, and has a server for ``sips:``, which is the one to call."""
NOWHERE: Final = tuple(
    Plan((callee(redirect("<sip:9{token}@nowhere.{domain}>")), guard("bare")), over=OVER, zone=zone)
    for zone in (Zone(("{domain} {bare.record}",)), Zone(("{domain} {bare.record}",), ("nowhere.{domain}",)))
)
"""A name that does not exist, and one about which no answer ever comes, below one that exists."""
CLOSED: Final = tuple(
    Plan(
        (callee(redirect(NAMED)), guard("bare")),
        over=(transport,),
        zone=Zone((*(f"_sip._{one}.{{domain}} SRV 0 0 0 ." for one in OVER), "{domain} {bare.record}")),
    )
    for transport in OVER
)
"""A domain that says by its SRV records that it has no SIP service (RFC 2782); its name has an address, of a web server
perhaps."""
NUMERIC: Final = Plan((callee(redirect(MOVED)), target(accept())), zone=Zone())
"""The plain case, by a device whose questions are heard."""


@purpose(
    "RFC3263-4.2-01",
    plan=followed(*WITHOUT_PORT),
    faults=["reverses_srv_priorities", "ignores_srv_port", "ignores_srv", "swallows_302"],
)
def test_name_leads_to_its_best_server(flow: Flow) -> Findings:
    """A Contact with a name and no port is called at the host and port of the SRV record with the lowest priority.

    An operator moves calls from one site to another by these numbers.  Typical defects: the device asks for an A
    record only and calls port 5060; it reads "priority" as "the higher, the better".

    Whether the device asks for NAPTR records first is another test's question.
    """
    yield from leads_to_first(
        flow,
        {
            "second": "priority-reversed",
            "usual_port": "port-ignored",
            "bare": "srv-ignored",
        },
        "are SRV records asked for, sorted by priority (the lowest first), and is their port used?",
    )


@purpose("RFC3263-4.2-01", plan=followed(*WITH_PORT), faults=["asks_srv_despite_port", "swallows_302"])
def test_port_of_a_contact_ends_the_search_for_servers(flow: Flow) -> Findings:
    """A Contact with a name and a port is called at the address of that name and at that port; SRV does not count.

    Whoever writes a port means that one server.  Typical defect: a resolver library that asks for SRV records
    whenever the host is a name.
    """
    yield from leads_to_first(
        flow,
        {"elsewhere": "srv-despite-port", "usual_port": "port-ignored"},
        "is the port of the URI looked at before SRV records are asked for?",
    )


@purpose("RFC3263-4.1-03", plan=followed(BY_TCP), faults=["ignores_naptr"])
def test_domain_says_by_what_it_is_called(flow: Flow) -> Findings:
    """A Contact with a name, and neither port nor transport, is called by the transport that NAPTR puts first.

    The domain prefers TCP, and the first half of the call went over UDP.  Typical defect: the transport of the account
    decides which SRV records are asked for.
    """
    yield from leads_to_first(
        flow, {"by_udp": "naptr-ignored"}, "are NAPTR records asked for, and is the least order taken first?"
    )


@purpose("RFC3263-4.1-04", plan=followed(SECURE), faults=["looks_up_sips_as_sip"])
def test_sips_name_leads_to_a_server_for_sips(flow: Flow) -> Findings:
    """A sips: Contact with a name is called at a server of the service _sips._tcp, whatever else its domain prefers.

    Typical defect: the scheme chooses TLS, and the records are those of sip:, so that calls which should be encrypted
    go to a server that is not made for them.
    """
    yield from leads_to_first(
        flow, {"by_sip": "sips-service-ignored"}, "which NAPTR services and SRV records are asked for, for sips:?"
    )


@purpose("RFC3263-4-02", plan=followed(*NOWHERE), faults=["unknown_name_to_old_server"])
def test_name_that_leads_nowhere_is_not_called(flow: Flow) -> Findings:
    """A Contact whose name does not exist, or cannot be asked for, ends the attempt: no INVITE goes anywhere for it.

    Typical defect: without an address the device uses the one that it has, so the redirector gets the call again.
    An INVITE for the number that was dialled is not one for the Contact: another rule covers it.
    """
    first = original(flow)
    response = redirection_of(first) if first else None
    if response is None:
        yield unseen("the 302 was never sent", code="not-sent")
    elif missing := not_asked(flow):
        yield missing
    else:
        yield silent(
            flow,
            code="called-all-the-same",
            after=response,
            unless=lambda attempt: user_of(attempt.invite.request_uri) != user_of(asked_for(response)[0]),
            expected="an ACK, and no INVITE for a name that leads nowhere",
            means="a server that has nothing to do with the target gets a call for it",
            look_at="what the destination is where the resolver has found none",
        )


@purpose("RFC3263-4.2-04", plan=followed(*CLOSED), faults=["calls_closed_domain", "ignores_srv"])
def test_domain_without_service_is_not_called(flow: Flow) -> Findings:
    """A Contact in a domain whose SRV record has the target "." ends the attempt: no INVITE goes to the address of the
    name.

    RFC 2782: the service is decidedly not available at this domain.  Only where there is no SRV record at all does RFC
    3263 4.2 lead to the address.  Typical defect: no host came of the SRV records, so the name itself is looked up.
    """
    first = original(flow)
    response = redirection_of(first) if first else None
    if response is None:
        yield unseen("the 302 was never sent", code="not-sent")
    elif missing := not_asked(flow):
        yield missing
    else:
        yield silent(
            flow,
            code="called-all-the-same",
            after=response,
            at=("bare",),
            expected="an ACK, and no INVITE at the address of a domain that has no SIP service",
            means="a web server gets calls that nobody there can take",
            look_at='is an SRV record with the target "." told from a name without SRV records?',
        )


@purpose("RFC3263-4.2-03", plan=followed(NUMERIC), faults=["looks_up_addresses"])
def test_numeric_contact_asks_nothing(flow: Flow) -> Findings:
    """A Contact with a numeric host is called without a question to the name server.

    A name server that is slow or down must not delay such a call.  Typical defect: every host goes through the
    resolver, which then waits for an answer about ``192.0.2.7``.
    """
    pair = redirected(flow)
    if pair is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    asked = "; ".join(map(str, flow.lookups[:3]))
    yield expect(
        not flow.lookups,
        code="numeric-host-asked",
        expected="the INVITE at the numeric host, and no question about it",
        actual=f"the name server was asked: {asked}" if asked else "called, and the name server was asked nothing",
        event=pair.new.invite,
        means="calls to numeric hosts fail, or are late, when the name server is",
        look_at="is the host checked for being an address before it is looked up?",
    )


def leads_to_first(flow: Flow, codes: Mapping[str, str], look_at: str) -> Findings:
    """``codes``: the code of an INVITE at each wrong place."""
    attempt, response = _moved(flow)
    right = flow.seat("first").address
    if response is None:
        yield unseen("the 302 was never sent", code="not-sent")
    elif missing := not_asked(flow):
        yield missing
    elif attempt is None:
        # Only of a device that follows a Contact with a number is it known that the name is the reason.
        if lacking := gap(flow, (*_guards(flow), "first")) or may_yet_come(flow, response):
            yield not_proven("no INVITE followed the 302", lacking)
            return
        yield violated(
            code="not-followed",
            expected=f"an INVITE at {right}",
            actual=f"no INVITE followed the 302; the name server said {'; '.join(map(str, flow.lookups))}",
            event=response,
            means="calls that are redirected to a domain are lost",
            look_at="which of the answers does the device not understand?",
            at_most=Verdict.WARN,
        )
    elif attempt.seat == "callee":
        yield unseen("the INVITE came to the redirector once more (another rule covers this)", code="old-server")
    else:
        yield expect(
            attempt.seat == "first",
            code=codes.get(attempt.seat, "elsewhere"),
            expected=f"the INVITE at {right}",
            actual=f"it came to {attempt.seat} ({attempt.invite.destination}, {attempt.invite.transport.upper()})",
            event=attempt.invite,
            means="calls for a domain go to the wrong server, or to none",
            look_at=look_at,
        )


def _guards(flow: Flow) -> tuple[str, ...]:
    return tuple(seat.name for seat in flow.seats if seat.kind in ("callee", "guard"))


def _moved(flow: Flow) -> tuple[Attempt | None, Event | None]:
    """The attempt that followed the 302, and the 302."""
    first, pair = original(flow), redirected(flow)
    return pair.new if pair else None, redirection_of(first) if first else None
