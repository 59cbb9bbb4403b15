"""The end of a call whose target a redirection has named (RFC 3261 12.2.1.1, 15)."""

from __future__ import annotations

from harness.judge.attempts import at
from harness.judge.legs import dialogs
from harness.judge.say import Findings, expect, unseen
from harness.model.flow import Flow
from harness.model.plan import Answer, Call, Plan, Response
from harness.purposes.purpose import purpose
from suites.plans import MOVED, RINGING, callee, redirect, target

HUNG_UP = Plan(
    (callee(redirect(MOVED, tag="moved")), target(Answer((RINGING, Response(200)), then="wait"))),
    calls=(Call(act="hangup"),),
)
"""The call is moved and answered; then the caller hangs up."""

_ROUTE = ("Record-Route: <sip:far.test;lr>", "Record-Route: <sip:{target};lr>")
BEHIND_PROXIES = Plan(
    (
        callee(redirect(MOVED, tag="moved")),
        target(Answer((Response(180, headers=_ROUTE), Response(200, headers=_ROUTE)), then="wait")),
    ),
    calls=(Call(act="hangup"),),
)
"""The same, and the target is behind two proxies that want to stay on the way: the nearer one at its own address."""
BEHIND_LATE_PROXIES = Plan(
    (callee(redirect(MOVED, tag="moved")), target(Answer((RINGING, Response(200, headers=_ROUTE)), then="wait"))),
    calls=(Call(act="hangup"),),
)
"""The same, and they have left their names in the 200 only."""


@purpose(
    "INT-302-200-01",
    plan=(HUNG_UP, BEHIND_PROXIES, BEHIND_LATE_PROXIES),
    faults=["byes_to_redirector"],
    acts={"hangup"},
)
def test_bye_of_a_redirected_call_goes_to_the_target(flow: Flow) -> Findings:
    """When the caller of a redirected call hangs up, the device's BYE goes to the target that has answered.

    The redirector is out of the call. Typical defect: the call keeps the address of its first INVITE, and the target
    hears silence until a timer ends the call.
    """
    answered = [leg for leg in dialogs(flow).at("target") if leg.answer]
    if not at(flow, "target") or not answered:
        yield unseen("the redirect target did not answer in this flow", code="not-followed")
        return
    byes = flow.select("BYE", received=True, where=lambda event: event.call_id == answered[0].invite.call_id)
    byes = tuple(bye for bye in byes if bye.seat != "caller")
    if not byes:
        yield unseen("the device sent no BYE to either", code="no-bye")
        return
    yield expect(
        byes[0].seat == "target",
        code="bye-astray",
        expected="the BYE at the target",
        actual=f"{byes[0].start_line} arrived at {byes[0].seat}",
        event=byes[0],
        means="the target hears silence in a call that has ended, and the redirector gets a BYE that it cannot place",
        look_at="where requests in a dialog are sent: to its remote target, not to what was dialled first",
    )
