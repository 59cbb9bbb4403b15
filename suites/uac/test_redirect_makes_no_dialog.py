"""A redirection makes no dialog: its Record-Route is no route (RFC 3261 12.1)."""

from __future__ import annotations

from harness.judge.acks import routes
from harness.judge.redirection import NOT_FOLLOWED, redirected
from harness.judge.say import Findings, expect, unseen
from harness.model.flow import Flow
from harness.model.plan import Plan
from harness.purposes.purpose import purpose
from suites.plans import CALLERS, MOVED, accept, callee, redirect, target

RECORD_ROUTE = Plan(
    (callee(redirect(MOVED, headers=("Record-Route: <sip:{callee};lr>",), tag="moved")), target(accept())),
)
"""The plain case, and the 302 has gone through a proxy that wants to stay on the way."""


@purpose("RFC3261-12.1-01", plan=RECORD_ROUTE, faults=["routes_by_record_route"], roles=CALLERS)
def test_record_route_of_a_redirection_is_no_route(flow: Flow) -> Findings:
    """The Record-Route of a 302 does not become a Route of the INVITE that follows it.

    By it the new INVITE would go to the proxies of the old target. Typical defect: the code that reads the route set of
    a 2xx reads it of every final response.
    """
    step = redirected(flow)
    if step is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    recorded = {"".join(value.split()) for value in step.response.headers("Record-Route")}
    taken = [route for route in routes(step.new.invite) if route in recorded]
    yield expect(
        not taken,
        code="route-from-redirection",
        expected="no Route that the 302 has brought",
        actual=f"Route: {', '.join(taken)}" if taken else "no Route of the 302",
        event=step.new.invite,
        means="the INVITE for the new target goes to the proxies of the old one",
        look_at="which responses set the route set: those that make a dialog, and no other",
    )
