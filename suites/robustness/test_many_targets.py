"""Redirections with no target, with many, and with no end."""

from __future__ import annotations

from harness.judge.next_call import next_call_works
from harness.judge.odd import ALIVE, CAUSE, amplified, harmless, not_sent, odd_of
from harness.judge.redirection import by_call, redirection_of
from harness.judge.say import Findings, expect
from harness.model.flow import Flow
from harness.model.plan import Plan
from harness.purposes.purpose import purpose
from suites.plans import CALLERS
from suites.robustness._plans import BUSY_TARGETS, DEEP, DEPTH, MANY, ONE_NAMED_FIVE_TIMES

_LIMIT: dict[Plan, int] = {plan: number for number, plan in BUSY_TARGETS.items()} | {ONE_NAMED_FIVE_TIMES: 5}


@purpose(ALIVE, CAUSE, plan=tuple(MANY.values()), faults=["dies_of_many_contacts", "redials_after_302"])
def test_any_number_of_contacts_does_no_harm(flow: Flow) -> Findings:
    """A 302 with 0, 2, 100 or 1,000 Contacts does no harm: the device lives, and calls nobody else.

    Typical defects: an array for ten Contacts without a bound; a buffer for one datagram of 1,500 bytes.
    """
    yield from harmless(flow)


@purpose(
    "INT-ROBUST-AMPLIFY-01",
    ALIVE,
    plan=(*BUSY_TARGETS.values(), ONE_NAMED_FIVE_TIMES),
    faults=["amplifies"],
    roles=CALLERS,
)
def test_one_redirection_makes_no_more_calls_than_it_has_contacts(flow: Flow) -> Findings:
    """One 302 with so many Contacts, all of them busy, leads to no more INVITEs than that.

    Whoever can send a device a 302 chooses where its INVITEs go; he must not choose how many.
    """
    odd = odd_of(flow)
    if odd is None:
        yield not_sent(flow)
        return
    limit = _LIMIT[flow.plan]
    yield amplified(flow, odd.event, limit, what=odd.name, requirement="INT-ROBUST-AMPLIFY-01")
    yield next_call_works(flow, after=odd.name, look_at="what the tried targets left behind", requirement=ALIVE)


@purpose("INT-302-CHAIN-01", ALIVE, plan=DEEP, faults=["dies_of_deep_chain"], roles=CALLERS)
def test_chain_of_redirections_does_no_harm(flow: Flow) -> Findings:
    """70 redirections in a row, each to a user that was never called, do no harm.

    No RFC says how long a chain may be; where the device stops is reported.  Typical defect: each redirection is
    handled inside the one before, until the stack is full.
    """
    calls = by_call(flow)
    steps = [attempt for attempt in (calls[0] if calls else ()) if redirection_of(attempt)]
    if not steps:
        yield not_sent(flow)
        return
    yield expect(
        len(steps) < DEPTH,
        code="endless-chain",
        expected=f"the chain ends before {DEPTH} redirections, by the device's own limit",
        actual=f"{len(steps)} redirections in a row were followed",
        event=steps[-1].final,
        means="a faulty pair of redirectors keeps the device busy",
        look_at="is there a limit for redirections in a row?",
        requirement="INT-302-CHAIN-01",
    )
    what = f"{len(steps)} redirections in a row"
    yield next_call_works(flow, after=what, look_at="what each redirection leaves on the stack", requirement=ALIVE)
