"""How a hunt ends: with an answer of the next Contact, and over a second redirection (RFC 3261 8.1.3.4)."""

from __future__ import annotations

from harness.judge.attempts import at
from harness.judge.patience import may_yet_come
from harness.judge.redirection import NOT_FOLLOWED
from harness.judge.say import Findings, not_proven, satisfied, unseen, violated
from harness.judge.silence import gap
from harness.model.flow import Flow
from harness.model.plan import Plan
from harness.purposes.purpose import purpose
from suites.plans import MOVED, SECOND_URI, accept, callee, redirect, refuse, target

HUNT_ANSWERED = Plan(
    (callee(redirect(f"{MOVED};q=1.0", f"<{SECOND_URI}>;q=0.5")), target(refuse(486)), target(accept(), name="second"))
)
"""Two Contacts; the first one is busy, the second one answers."""
HUNT_OVER_TWO = Plan(
    (
        callee(redirect(f"{MOVED};q=1.0", f"<{SECOND_URI}>;q=0.5")),
        target(redirect("<sip:7{token}@{third}>", tag="b")),
        target(refuse(486), name="third"),
        target(refuse(480), name="second"),
    )
)
"""Two Contacts; the first one is redirected once more, and where that leads to is busy; the second one is away."""


@purpose("RFC3261-8.1.3.4-05", plan=HUNT_ANSWERED, faults=["first_contact_only"])
def test_next_contact_may_answer(flow: Flow) -> Findings:
    """When the first Contact is busy and the second one answers, the call is up.

    The usual end of a list of phones.  Typical defect: with the refusal of the first Contact the device takes down what
    it had prepared for the call, media above all, and the answer of the second one finds nothing: PJSUA2 ends itself.
    """
    yield from _goes_on(flow, "target", "next-not-tried", "are all Contacts kept, and which codes end the whole call?")


@purpose("RFC3261-8.1.3.4-05", plan=HUNT_OVER_TWO, faults=["forgets_older_contacts", "first_contact_only"])
def test_second_redirection_leaves_the_other_contacts(flow: Flow) -> Findings:
    """When the first Contact redirects the call once more, and that target fails, the second Contact is next.

    The Contacts of the second 302 join the target set; they do not replace it.  Typical defect: the list is a variable
    of the call, and each 302 begins a new one: the mobile is diverted to a busy line, and voice mail is never reached.
    """
    yield from _goes_on(flow, "third", "contacts-forgotten", "do the Contacts of a further 302 join the target set?")


def _goes_on(flow: Flow, failing: str, code: str, look_at: str) -> Findings:
    """The second Contact of the first 302 was called when the seat ``failing`` had refused."""
    failed = next(iter(at(flow, failing)), None)
    if failed is None or failed.final is None or not failed.acks:
        yield unseen(NOT_FOLLOWED, code="not-followed")
    elif onward := at(flow, "second"):
        yield satisfied(f"the second Contact was called after the {failed.status}", event=onward[0].invite)
    elif missing := gap(flow, ("second",)) or may_yet_come(flow, failed.final):
        yield not_proven(f"nothing followed the {failed.status}", missing)
    else:
        yield violated(
            code=code,
            expected="an ACK, and an INVITE for the second Contact of the first 302",
            actual=f"the call ended after the {failed.status}",
            event=failed.final,
            means="a call that should go on to the next phone or to voice mail ends at a busy line",
            look_at=look_at,
        )
