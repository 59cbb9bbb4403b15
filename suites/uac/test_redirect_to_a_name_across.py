"""A name leads from one IP family to the other: its addresses say where to call, not the call so far (RFC 7984)."""

from __future__ import annotations

from typing import Final

from harness.judge.attempts import at
from harness.judge.redirection import NOT_FOLLOWED
from harness.judge.say import Findings, unseen
from harness.judge.silence import silent
from harness.model.finding import Finding
from harness.model.flow import Flow
from harness.model.plan import Endpoint, Plan
from harness.model.zone import Zone
from harness.net.address import Transport
from harness.purposes.purpose import purpose
from suites.names import NAMED, OVER, not_asked, servers
from suites.plans import accept, across, callee, followed, guard, redirect, refuse, target
from suites.uac.test_next_server import moves_on
from suites.uac.test_redirect_to_a_name import leads_to_first


def _one_address(transport: Transport) -> Plan:
    contact = "<sip:9{token}@{domain}:{first.port};transport=" + transport + ">"
    endpoints = (callee(redirect(contact)), across(accept(), name="first"))
    return Plan(endpoints, over=(transport,), zone=Zone(("{domain} {first.record}",)))


def _ranked(first: Endpoint, second: Endpoint) -> tuple[Plan, ...]:
    """A domain with two servers, of which the first one is to be called first: over each transport."""
    priorities = {first.name: 10, second.name: 20}
    endpoints = (callee(redirect(NAMED)), first, second)
    return tuple(Plan(endpoints, over=(one,), zone=Zone(servers(one, **priorities))) for one in OVER)


PASSED_OVER: Final = "passed-over"
_FAILING: Final = refuse(503)
ONE_ADDRESS: Final = tuple(map(_one_address, OVER))
"""A name with an address of the other IP family, and none of the call's."""
FAILS: Final = (
    *_ranked(target(_FAILING, name="first"), across(accept(), name="second")),
    *_ranked(across(_FAILING, name="first"), target(accept(), name="second")),
)
"""The best server answers 503 and the next one is of the other family: the failing one is over here, or over there."""
DECLINES: Final = _ranked(across(refuse(603), name="first"), guard("second"))
"""The best server is of the other family, and declines."""


@purpose("INT-302-FAMILY-07", plan=followed(*ONE_ADDRESS), faults=["resolves_one_family"])
def test_name_is_looked_up_in_both_families(flow: Flow) -> Findings:
    """A Contact whose name has an IPv6 address only is called over IPv6, though the call so far went over IPv4; and the
    other way too.

    Whoever has both families has to ask for both kinds of address (RFC 7984 updates RFC 3263 in this).  Typical defect:
    the resolver is asked for the kind that the socket of the account can use.
    """
    yield from leads_to_first(flow, {}, "are A and AAAA records asked for, whatever the family of the call so far is?")


@purpose("INT-302-FAMILY-08", plan=followed(*FAILS), faults=["stays_with_dead_server", "resolves_one_family"])
def test_next_server_may_be_of_the_other_family(flow: Flow) -> Findings:
    """A server of the Contact's domain that answers 503 is left for the next one, whichever of the two has an IPv4
    address and which an IPv6 one.

    Typical defect: the servers of a domain are looked up in the family of the first one that was called.
    """
    tried = next(iter(at(flow, "first")), None)
    if tried is None or tried.final is None:
        missing = not_asked(flow) or _unseen(flow)
        if missing.code != PASSED_OVER:  # what the other flow shows counts all the same
            yield missing
    else:
        yield from moves_on(flow, tried, tried.final, "answered 503")


@purpose("INT-302-FAMILY-09", plan=followed(*DECLINES), faults=["next_server_after_603", "goes_on_after_603_across"])
def test_decline_across_does_not_move_the_call_to_the_next_server(flow: Flow) -> Findings:
    """A 603 from a server that was found over the other IP family is the answer: the server of the first family is not
    called.

    Typical defect: a device that tries both families of a name, as it should, takes every failure for one of the way.
    """
    declined = next(iter(at(flow, "first")), None)
    if declined is None or declined.final is None:
        yield not_asked(flow) or _unseen(flow)
        return
    yield silent(
        flow,
        code="next-server-called",
        after=declined.final,
        at=("second",),
        expected="an ACK, and nothing at the server of the first family",
        means="a callee who declined is rung again by way of another server",
        look_at="is a refusal told from a network that cannot be reached?",
    )


def _unseen(flow: Flow) -> Finding:
    """That the better server was not called; the other one may have been: a device may avoid what has failed before."""
    if flow.select("INVITE", received=True, at=("second",)):
        return unseen("the other server was called, and the better one was not", code=PASSED_OVER)
    return unseen(NOT_FOLLOWED, code="not-followed")
