"""An INVITE that nobody answers yet, or that rings (RFC 3261 17.1.1.2, states Calling and Proceeding)."""

from __future__ import annotations

from harness.judge.acks import NOT_REFUSED, acknowledged, refused
from harness.judge.attempts import original
from harness.judge.resends import repeated, rests
from harness.judge.say import Findings, unseen
from harness.model.flow import Flow
from harness.model.plan import Answer, Call, Plan, Response
from harness.purposes.purpose import purpose
from suites.plans import callee
from suites.progress import UNKNOWN_PROGRESS

SLOW = Plan((callee(Answer((Response(603, after=3.8),))),))
"""The only response comes when three copies of the INVITE are due: enough to see how their intervals grow."""


RINGING = Plan((callee(Answer((Response(180, after=0.1), Response(603, after=1.7)))),))
"""It rings before the first copy is due, for so long that three would come."""

DEAF = Plan(
    (callee(Answer((Response(180), Response(480, after=4.0)), cancelled="deaf")),),
    calls=(Call(act="cancel"),),
)
"""The caller hangs up while it rings, and nothing answers the CANCEL; the 480 ends a call that was not cancelled."""


@purpose("RFC3261-17.1.1.2-07", plan=RINGING, faults=["repeats_while_ringing", "keeps_retransmitting"], side="outbound")
def test_invite_is_not_repeated_while_it_rings(flow: Flow) -> Findings:
    """Any response ends the copies of an INVITE, a 180 as well as a final one.

    A server that has forgotten how it began rings the phone again for each copy.  Typical defect: Timer A is stopped by
    the final response only.
    """
    if original(flow) is None:
        yield unseen("the device never called", code="no-call")
        return
    found = tuple(rests(flow, "RFC3261-17.1.1.2-07"))
    yield from found or [unseen("the INVITE got no response", code="not-answered")]


@purpose("RFC3261-8.1.3.2-03", plan=UNKNOWN_PROGRESS, faults=["ignores_unknown_1xx"], side="outbound")
def test_unknown_provisional_response_is_one(flow: Flow) -> Findings:
    """A 1xx that the device does not know is handled like a 183: the INVITE is not repeated, and its 603 acknowledged.

    Typical defect: a table of known codes, and what is not in it was not received.
    """
    refusal = refused(flow)
    if refusal is None:
        yield unseen(NOT_REFUSED, code="not-refused")
        return
    found = tuple(rests(flow, "RFC3261-8.1.3.2-03"))
    yield from found or [unseen("the INVITE got no response", code="not-answered")]
    yield acknowledged(flow, refusal, "RFC3261-8.1.3.2-03")


@purpose(
    "RFC3261-17.1.1.2-08",
    plan=SLOW,
    faults=["never_repeats_invite", "copies_lose_hops", "repeats_without_doubling"],
    side="outbound",
)
def test_invite_is_repeated_until_it_is_answered(flow: Flow) -> Findings:
    """On UDP an INVITE without any response is sent again after 0.5 s, then after 1 s and 2 s more, unchanged.

    One lost datagram, and the call is never made.  Typical defects: the INVITE is sent once, by the application; a
    copy gets a branch of its own, and the other side rings twice.
    """
    if original(flow) is None:
        yield unseen("the device never called", code="no-call")
        return
    found = tuple(repeated(flow, "RFC3261-17.1.1.2-08", invites=True))
    yield from found or [unseen("the answer came before a copy was due", code="answered-at-once")]


@purpose(
    "RFC3261-17.1.2.2-02",
    plan=DEAF,
    faults=["sends_requests_once"],
    roles=["uac", "b2bua", "proxy"],
    acts={"hangup"},
    side="outbound",
)
def test_cancel_is_repeated_until_it_is_answered(flow: Flow) -> Findings:
    """On UDP a CANCEL without any answer is sent again after 0.5 s, unchanged.

    One lost datagram, and the phone rings on for a caller who has gone.  Typical defects: the CANCEL is sent once, by
    the application; a gateway asks the transport of its caller whether copies are needed.
    """
    if original(flow) is None:
        yield unseen("the device never called", code="no-call")
        return
    found = tuple(repeated(flow, "RFC3261-17.1.2.2-02", invites=False))
    yield from found or [unseen("the device did not cancel the call, or not in time", code="not-cancelled")]
