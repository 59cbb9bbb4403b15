"""A name has several servers: which of them gets a call, and when the next one does (RFC 3263 4.3)."""

from __future__ import annotations

from typing import Final

from harness.judge.acks import NOT_ACKED, refusal_of
from harness.judge.attempts import Attempt, at, tries
from harness.judge.patience import may_yet_come
from harness.judge.redirection import NOT_FOLLOWED
from harness.judge.say import Findings, expect, not_proven, unseen, violated
from harness.judge.silence import gap, silent
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.plan import Act, Answer, Call, Plan, Response
from harness.model.zone import Zone
from harness.net.address import Transport
from harness.purposes.purpose import purpose
from suites.names import NAMED, OVER, not_asked, servers
from suites.plans import RINGING, accept, callee, followed, recursed, redirect, refuse, target
from suites.uac.test_redirect_hung_up import RINGS_S

_SERVERS: Final = ("first", "second")
_ALL: Final = (*_SERVERS, "third")
_FAILING: Final = refuse(503)
_NOT_MOVED: Final = "the call did not come to the second server (another rule covers this)"


def _ranked(transport: Transport, answer: Answer) -> Plan:
    """The first server does what ``answer`` says; the second one, of a higher priority number, accepts."""
    both = (target(answer, name="first"), target(accept(), name="second"))
    return Plan((callee(redirect(NAMED)), *both), over=(transport,), zone=Zone(servers(transport, first=10, second=20)))


def _equal(transport: Transport, answer: Answer, act: Act = "none") -> Plan:
    """Two servers of one priority, which do the same: which of them is called is the device's choice."""
    both = (target(answer, name="first"), target(answer, name="second"))
    zone = Zone(servers(transport, first=10, second=10))
    return Plan((callee(redirect(NAMED)), *both), calls=(Call(act=act),), over=(transport,), zone=zone)


def _moved(transport: Transport, answer: Answer, act: Act = "none") -> Plan:
    """The first server answers 503, the second one does what ``answer`` says, and there is a third one."""
    ranked = (target(_FAILING, name="first"), target(answer, name="second"), target(accept(), name="third"))
    zone = Zone(servers(transport, first=10, second=20, third=30))
    return Plan((callee(redirect(NAMED)), *ranked), calls=(Call(act=act),), over=(transport,), zone=zone)


def _no_b2bua(plans: tuple[Plan, ...]) -> dict[str, tuple[Plan, ...]]:
    """``plans`` for a phone, and for a proxy."""
    return {"uac": plans, "proxy": tuple(map(recursed, plans))}


FAILS: Final = tuple(_ranked(transport, _FAILING) for transport in OVER)
SILENT: Final = tuple(_ranked(transport, Answer()) for transport in OVER)
DECLINES: Final = tuple(_equal(transport, refuse(603)) for transport in OVER)
_RINGS_LONG: Final = Answer((RINGING, Response(480, after=RINGS_S)))
RINGS: Final = tuple(_equal(transport, _RINGS_LONG, "cancel") for transport in OVER)
NEXT_DECLINES: Final = tuple(_moved(transport, refuse(603)) for transport in OVER)
NEXT_RINGS: Final = tuple(_moved(transport, _RINGS_LONG, "cancel") for transport in OVER)


@purpose("RFC3263-4.3-01", plan=followed(*FAILS), faults=["stays_with_dead_server"])
def test_next_server_is_tried_after_a_503(flow: Flow) -> Findings:
    """A server of the Contact's domain that answers 503 is left for the next SRV record, with a new branch.

    The operator has a second server for this moment.  Typical defect: the resolver's list is cut to its first entry.
    """
    tried = next(iter(at(flow, "first")), None)
    if tried is None or tried.final is None:
        yield not_asked(flow) or unseen(NOT_FOLLOWED, code="not-followed")
    else:
        yield from moves_on(flow, tried, tried.final, "answered 503")


@purpose("RFC3263-4.3-01", plan=followed(*SILENT), faults=["stays_with_dead_server"], least_window=40.0)
def test_next_server_is_tried_after_silence(flow: Flow) -> Findings:
    """A server of the Contact's domain that does not answer is left for the next SRV record, with a new branch.

    A device may give up before Timer B.  Typical defect: a timeout ends the call, and only a 503 moves it on.
    """
    tried = next(iter(at(flow, "first")), None)
    if tried is None:
        yield not_asked(flow) or unseen(NOT_FOLLOWED, code="not-followed")
    else:
        yield from moves_on(flow, tried, tried.invite, "did not answer")


@purpose("RFC3263-4.3-03", plan=followed(*DECLINES), faults=["next_server_after_603"])
def test_decline_does_not_move_the_call_to_the_next_server(flow: Flow) -> Findings:
    """A 603 from a server of the Contact's domain is the answer: no other server of that domain gets the call.

    Otherwise the callee who declined is rung again by way of the other server.  Typical defect: failover on "any 5xx
    or 6xx", which is right for a 503 alone.
    """
    declined = _served(flow)
    if declined is None or declined.final is None:
        yield not_asked(flow) or unseen(NOT_FOLLOWED, code="not-followed")
        return
    yield silent(
        flow,
        code="next-server-called",
        after=declined.final,
        at=_SERVERS,
        expected="an ACK, and nothing at the other server of the domain",
        means="a callee who declined is rung again by way of the other server",
        look_at="which status codes count as a failed server: 503 and silence do, a 603 does not",
    )


@purpose("RFC3263-4-01", plan=_no_b2bua(DECLINES), faults=["looks_up_again"])
def test_ack_goes_to_the_server_that_declined(flow: Flow) -> Findings:
    """The ACK of a refusal goes to the server that got the INVITE: a name is resolved once for a transaction.

    Typical defect: the ACK is sent to the URI, which is resolved again, and the shares of the servers are even.
    """
    declined = _served(flow)
    refusal = refusal_of(flow, declined)
    if declined is None or refusal is None:
        yield not_asked(flow) or unseen(NOT_FOLLOWED, code="not-followed")
    elif not refusal.acks:
        yield unseen(NOT_ACKED, code="not-acknowledged")
    else:
        yield _stays(refusal.acks[0], declined, "ack-elsewhere", "the server repeats its 603 for 32 s")


@purpose("RFC3263-4-01", plan=_no_b2bua(RINGS), faults=["looks_up_again"], acts={"hangup"})
def test_cancel_goes_to_the_server_that_rings(flow: Flow) -> Findings:
    """The CANCEL goes to the server that got the INVITE: a name is resolved once for a transaction.

    Typical defect: each request is resolved anew, and the CANCEL comes to a server that knows of no call.
    """
    ringing = _served(flow)
    cancel = next(iter(flow.select("CANCEL", received=True, at=_SERVERS)), None)
    if ringing is None:
        yield not_asked(flow) or unseen(NOT_FOLLOWED, code="not-followed")
    elif cancel is None:
        yield unseen("the device did not cancel the call", code="not-cancelled")
    else:
        yield _stays(cancel, ringing, "cancel-elsewhere", "the phone rings on for a caller who has hung up")


@purpose("RFC3263-4.3-03", plan=followed(*NEXT_DECLINES), faults=["next_server_after_603"])
def test_decline_of_the_next_server_ends_the_call(flow: Flow) -> Findings:
    """A 603 from the server that took over from a failed one is the answer: the third server stays silent.

    Typical defect: once the call is being moved from server to server, every refusal moves it on.
    """
    declined = next(iter(at(flow, "second")), None)
    if declined is None or declined.final is None:
        yield not_asked(flow) or unseen(_NOT_MOVED, code="not-moved")
        return
    yield silent(
        flow,
        code="next-server-called",
        after=declined.final,
        at=("first", "third"),
        expected="an ACK, and nothing at the other servers of the domain",
        means="a callee who declined is rung again by way of another server",
        look_at="is a refusal read as such once a server has failed?",
    )


@purpose("RFC3263-4-01", plan=_no_b2bua(NEXT_DECLINES), faults=["returns_to_first_server", "looks_up_again"])
def test_ack_goes_to_the_server_that_took_over(flow: Flow) -> Findings:
    """When a server has failed, the ACK of what the next one answers goes to that next one.

    Typical defect: the address is kept with the call, the INVITE moves on, and its ACK goes to the server that failed.
    """
    declined = next(iter(at(flow, "second")), None)
    if declined is None or declined.final is None:
        yield not_asked(flow) or unseen(_NOT_MOVED, code="not-moved")
        return
    acks = [ack for ack in flow.select("ACK", received=True, at=_ALL) if ack.branch == declined.invite.branch]
    if not acks:
        yield unseen(NOT_ACKED, code="not-acknowledged")
        return
    yield _stays(acks[0], declined, "ack-elsewhere", "the server repeats its 603 for 32 s")


@purpose(
    "RFC3263-4-01",
    plan=_no_b2bua(NEXT_RINGS),
    faults=["returns_to_first_server", "looks_up_again"],
    acts={"hangup"},
)
def test_cancel_goes_to_the_server_that_took_over(flow: Flow) -> Findings:
    """When a server has failed and the next one rings, the CANCEL goes to that next one.

    Typical defect: the address is kept with the call, the INVITE moves on, and its CANCEL goes to the server that
    failed; the phone rings on.
    """
    ringing = next(iter(at(flow, "second")), None)
    cancel = next(iter(flow.select("CANCEL", received=True, at=_ALL)), None)
    if ringing is None:
        yield not_asked(flow) or unseen(_NOT_MOVED, code="not-moved")
    elif cancel is None:
        yield unseen("the device did not cancel the call", code="not-cancelled")
    else:
        yield _stays(cancel, ringing, "cancel-elsewhere", "the phone rings on for a caller who has hung up")


def _served(flow: Flow) -> Attempt | None:
    """The attempt at the first server that was called."""
    return next((attempt for attempt in tries(flow) if attempt.seat in _SERVERS), None)


def _stays(request: Event, attempt: Attempt, code: str, means: str) -> Finding:
    return expect(
        request.seat == attempt.seat,
        code=code,
        expected=f"the {request.method} at {attempt.seat} ({attempt.invite.destination})",
        actual=f"it came to {request.seat} ({request.destination})",
        event=request,
        means=means,
        look_at="is the address kept with the transaction, or is the name resolved for each request?",
    )


def moves_on(flow: Flow, tried: Attempt, after: Event, what: str) -> Findings:
    """The next server got the same call after the first one, which was ``tried``, had failed."""
    onward = next(iter(at(flow, "second")), None)
    if onward is not None:
        yield expect(
            onward.invite.branch != tried.invite.branch,
            code="branch-reused",
            expected="an INVITE at the next server, with a branch of its own",
            actual=f"{onward.invite.start_line} at second, branch={onward.invite.branch}",
            event=onward.invite,
            means="answers of the second server are taken for those of the first",
            look_at="is the Via made for each attempt?",
        )
    elif missing := gap(flow, ("second",)) or may_yet_come(flow, after):
        yield not_proven("nothing arrived at the next server", missing)
    else:
        yield violated(
            code="no-next-server",
            expected="an INVITE at the next server of the domain",
            actual=f"the first server {what}, and the call ended",
            event=after,
            means="one server that is down takes all calls with it, though there is a second one",
            look_at="are all SRV records kept, and is this failure one that leads to the next?",
        )
