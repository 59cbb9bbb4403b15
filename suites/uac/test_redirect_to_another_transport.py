"""A redirection changes the transport: the Contact says which, not the call so far (RFC 3263 4.1, RFC 3261 18.1.1)."""

from __future__ import annotations

from dataclasses import replace

from harness.judge.attempts import original
from harness.judge.patience import may_yet_come
from harness.judge.redirection import redirected, redirection_of
from harness.judge.say import Findings, expect, not_proven, unseen, violated
from harness.judge.silence import gap
from harness.model.flow import Event, Flow
from harness.model.plan import Endpoint, Plan
from harness.model.verdict import Verdict
from harness.net.address import Transport
from harness.purposes.purpose import purpose
from suites.plans import MOVED, STREAMS, accept, callee, followed, guard, redirect, target


def _reached_by(transport: Transport) -> tuple[Endpoint, Endpoint]:
    """A target that is reached by this transport, and a guard at its host and port over the drive's own."""
    return replace(target(accept()), by=transport), replace(guard("old"), at="target")


TO_TCP = Plan((callee(redirect(MOVED)), *_reached_by("tcp")), over=("udp",))
TO_UDP = Plan((callee(redirect("<sip:9{token}@{target};transport=udp>")), *_reached_by("udp")), over=STREAMS)
"""The Contact names another transport than that of the call so far."""
UNNAMED = Plan((callee(redirect(MOVED)), *_reached_by("udp")), over=STREAMS)
"""The Contact has a numeric host and names no transport, so it means UDP."""


@purpose(
    "RFC3263-4.1-01",
    "INT-302-XPORT-01",
    plan=followed(TO_TCP, TO_UDP),
    faults=["keeps_transport", "via_of_old_transport"],
)
def test_contact_names_the_transport(flow: Flow) -> Findings:
    """;transport of the Contact says by what the new INVITE goes, and its Via says the same.

    The first half of a call often goes over UDP, and the target is a trunk that listens to TCP only.  Typical defect:
    the transport is a property of the account, so each call of the device goes over the one that is configured.
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
