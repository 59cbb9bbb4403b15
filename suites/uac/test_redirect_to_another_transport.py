"""A redirection changes the transport: the Contact says which, not the call so far (RFC 3263 4.1, RFC 3261 18.1.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from harness.judge.acks import NOT_ACKED
from harness.judge.attempts import Attempt, at, original
from harness.judge.patience import may_yet_come
from harness.judge.redirection import NOT_FOLLOWED, redirected, redirection_of
from harness.judge.say import Findings, expect, not_proven, unseen, violated
from harness.judge.silence import gap, silent
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.plan import Act, Answer, Call, Endpoint, Plan, Response
from harness.model.verdict import Verdict
from harness.net.address import Transport
from harness.purposes.purpose import purpose
from suites.plans import MOVED, RINGING, STREAMS, accept, callee, followed, guard, redirect, refuse, target
from suites.uac.test_redirect_hung_up import RINGS_S


def _reached_by(transport: Transport, *answers: Answer) -> tuple[Endpoint, Endpoint]:
    """A target that is reached by this transport, and a guard at its host and port over the drive's own."""
    return replace(target(*(answers or (accept(),))), by=transport), replace(guard("old"), at="target")


def _across(answer: Answer, act: Act = "none") -> tuple[Plan, Plan]:
    """The target answers so: over TCP in a call over UDP, and over UDP in one over a stream."""
    calls = (Call(act=act),)
    return (
        Plan((callee(redirect(MOVED)), *_reached_by("tcp", answer)), calls=calls, over=("udp",)),
        Plan((callee(redirect(_BY_UDP)), *_reached_by("udp", answer)), calls=calls, over=STREAMS),
    )


_HERE: Final = ("target", "old")
_BY_UDP: Final = "<sip:9{token}@{target};transport=udp>"
TO_TCP, TO_UDP = _across(accept())
"""The Contact names another transport than that of the call so far."""
IN_CAPITALS = Plan(
    (callee(redirect("<sip:9{token}@{target.host}:{target.port};transport=TCP>")), *_reached_by("tcp")), over=("udp",)
)
"""It does so in capitals."""
DECLINED = _across(refuse(603))
RINGING_ON = _across(Answer((RINGING, Response(480, after=RINGS_S))), "cancel")
"""The target declines, or rings until the caller hangs up."""
CLOSED = Plan(
    (callee(redirect("<sip:9{token}@{udp_only.host}:{udp_only.port};transport=tcp>")), guard("udp_only")), over=("udp",)
)
"""Nobody listens over TCP at host and port of the Contact, and a guard does over UDP."""
UNNAMED = Plan((callee(redirect(MOVED)), *_reached_by("udp")), over=STREAMS)
"""The Contact has a numeric host and names no transport, so it means UDP."""


@purpose(
    "RFC3263-4.1-01",
    "INT-302-XPORT-01",
    plan=followed(TO_TCP, TO_UDP, IN_CAPITALS),
    faults=["keeps_transport", "via_of_old_transport", "knows_small_transports"],
)
def test_contact_names_the_transport(flow: Flow) -> Findings:
    """;transport of the Contact says by what the new INVITE goes, and its Via says the same.

    The first half of a call often goes over UDP, and the target is a trunk that listens to TCP only.  Typical defect:
    the transport is a property of the account, so each call of the device goes over the one that is configured; or its
    name is known in small letters alone (19.1.4).
    """
    invite, response = _moved(flow)
    if response is None:
        yield unseen("the 302 was never sent", code="not-sent")
    elif invite is None:
        yield from _untried(flow, response)
    else:
        wanted = flow.seat("target").address
        right = invite.seat != "old"
        yield expect(
            right,
            code="old-transport",
            expected=f"the INVITE over {wanted.transport.upper()} at {wanted}, as the Contact says",
            actual=f"it came over {invite.transport.upper()}",
            event=invite,
            means="the target listens on the transport that it named, and the call fails",
            look_at="is the transport taken from the Contact's URI, or from the account?",
            requirement="RFC3263-4.1-01",
        )
        via = invite.vias[0].transport if invite.vias else ""
        yield expect(
            right and via.lower() == invite.transport,
            code="wrong-via-transport" if right else "old-transport",
            expected=f"Via: SIP/2.0/{wanted.transport.upper()} in the INVITE at the target",
            actual=f"Via: SIP/2.0/{via} over {invite.transport.upper()} at {invite.seat}",
            event=invite,
            means="responses are looked for on a transport on which nobody sends them",
            look_at="is the Via written before the transport is known?",
            requirement="INT-302-XPORT-01",
        )


@purpose("RFC3263-4.1-02", plan=followed(UNNAMED), faults=["keeps_transport"])
def test_contact_without_transport_means_udp(flow: Flow) -> Findings:
    """A Contact with a numeric host and without ;transport is called over UDP, whatever carried the call so far.

    Few devices do it: many stay on the transport of their account, and that is a warning.  Typical defect: the
    connection of the first INVITE is looked up by host and port alone.
    """
    invite, response = _moved(flow)
    if response is None:
        yield unseen("the 302 was never sent", code="not-sent")
    elif invite is None:
        yield from _untried(flow, response)
    else:
        yield expect(
            invite.seat != "old",
            code="old-transport",
            expected=f"the INVITE over UDP at {flow.seat('target').address}",
            actual=f"it came over {invite.transport.upper()}",
            event=invite,
            means="a target that listens to UDP only is never reached",
            look_at="what the transport is where the Contact names none",
        )


@purpose("INT-302-XPORT-02", plan=followed(*DECLINED), faults=["acks_over_old_transport"])
def test_ack_goes_by_the_transport_of_its_invite(flow: Flow) -> Findings:
    """The ACK of a target's 603 goes by the transport of the redirected INVITE, not by that of the call so far.

    Typical defect: the ACK is made by the account, and so is its transport.
    """
    declined = next((attempt for attempt in at(flow, "target") if attempt.final is not None), None)
    acks = [ack for ack in flow.select("ACK", received=True, at=_HERE) if _is_of(ack, declined)]
    if declined is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
    elif not acks:
        yield unseen(NOT_ACKED, code="not-acknowledged")
    else:
        yield _stays(
            flow, acks[0], "ack-elsewhere", "the target repeats its 603 for 32 s, or its connection stays open"
        )


@purpose("INT-302-XPORT-02", plan=followed(*RINGING_ON), faults=["acks_over_old_transport"], acts={"hangup"})
def test_cancel_goes_by_the_transport_of_its_invite(flow: Flow) -> Findings:
    """The CANCEL of a redirected call goes by the transport of its INVITE, not by that of the call so far.

    Typical defect: hanging up is done by the account, and so the target rings on.
    """
    ringing = next(iter(at(flow, "target")), None)
    cancel = next((one for one in flow.select("CANCEL", received=True, at=_HERE) if _is_of(one, ringing)), None)
    if ringing is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
    elif cancel is None:
        yield unseen("the device did not cancel the call", code="not-cancelled")
    else:
        yield _stays(flow, cancel, "cancel-elsewhere", "the phone rings on for a caller who has hung up")


@purpose("RFC3263-4.1-05", plan=followed(CLOSED), faults=["falls_back_to_udp", "keeps_transport"])
def test_transport_of_the_contact_is_not_replaced_by_another(flow: Flow) -> Findings:
    """A Contact that names TCP, and whose TCP port is closed, is not called over UDP instead.

    Another program may be there.  Typical defect: the fallback from TCP to UDP, which is for requests that the device
    itself has sent over TCP because of their size (RFC 3261 18.1.1), is used for every failure.
    """
    first = original(flow)
    response = redirection_of(first) if first else None
    if response is None:
        yield unseen("the 302 was never sent", code="not-sent")
        return
    yield silent(
        flow,
        code="another-transport",
        after=response,
        at=("udp_only",),
        expected="a failed attempt, and nothing over UDP at the port of the Contact",
        means="whoever happens to listen there gets a call that was meant for somebody else",
        look_at="when does the device go from TCP to UDP?",
    )


def _is_of(request: Event, attempt: Attempt | None) -> bool:
    return attempt is not None and request.branch == attempt.invite.branch


def _stays(flow: Flow, request: Event, code: str, means: str) -> Finding:
    wanted = flow.seat("target").address
    return expect(
        request.seat == "target",
        code=code,
        expected=f"the {request.method} over {wanted.transport.upper()}, as its INVITE",
        actual=f"it came over {request.transport.upper()}",
        event=request,
        means=means,
        look_at="is the transport kept with the transaction?",
    )


def _moved(flow: Flow) -> tuple[Event | None, Event | None]:
    """The INVITE that followed the 302, and the 302."""
    first, pair = original(flow), redirected(flow)
    return pair.new.invite if pair else None, redirection_of(first) if first else None


def _untried(flow: Flow, response: Event) -> Findings:
    if missing := gap(flow, ("callee",)) or may_yet_come(flow, response):
        yield not_proven("no INVITE arrived at the Contact", missing)
        return
    target_transport = flow.seat("target").address.transport
    yield violated(
        code="not-followed",
        expected=f"an INVITE over {target_transport.upper()}, which this device declares",
        actual="no INVITE followed the 302",
        event=response,
        means="a call that is forwarded to another transport is lost",
        look_at=f"can the device open {target_transport.upper()} while its account uses {flow.transport.upper()}?",
        at_most=Verdict.WARN,
    )
