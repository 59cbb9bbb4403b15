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
HELD_BY_TARGET = Plan(
    (callee(redirect(MOVED, tag="moved")), target(Answer((RINGING, Response(200)), then="reinvite"))),
)
"""The call is moved and answered; then the target holds it, and hangs up."""


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


@purpose("INT-302-200-01", plan=HELD_BY_TARGET, faults=["loses_dialog_of_target"])
def test_target_of_a_redirected_call_can_change_it(flow: Flow) -> Findings:
    """When the target of a redirected call sends a re-INVITE, the device answers it as one of a call that stands.

    So holds a call whoever has picked it up at the new place. Typical defect: the dialog is known by the tags of the
    first INVITE, and what the target sends is 481 or gets no answer.

    The device may refuse the change. Whether its BYE is accepted is judged in this call as in every other one.
    """
    answered = [leg for leg in dialogs(flow).at("target") if leg.answer]
    if not answered:
        yield unseen("the redirect target did not answer in this flow", code="not-followed")
        return
    asked = next((event for event in answered[0].ours if event.method == "INVITE"), None)
    if asked is None:
        yield unseen("the target sent no re-INVITE: the 200 had no ACK", code="not-held")
        return
    reply = answered[0].reply(asked)
    if reply is None:
        yield unseen("the re-INVITE of the target was not answered (another rule covers this)", code="not-answered")
        return
    yield expect(
        reply.status != 481,
        code="dialog-lost",
        expected=f"another answer to the re-INVITE of the target (message {asked.number}) than 481",
        actual=reply.start_line,
        event=reply,
        means="whoever has picked up the redirected call can neither hold it nor take it up again",
        look_at="by which tags is the dialog of the new INVITE found: its own, and those of the target?",
    )
