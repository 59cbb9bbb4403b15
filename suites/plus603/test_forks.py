"""A 603+ from one branch of a fork: it wins, and goes upstream as it was (RFC 3261 16.7; 47 CFR 64.1200(k)(9))."""

from __future__ import annotations

from harness.judge.acks import NOT_REFUSED
from harness.judge.plus603.path import BY_THE_RFC, ROWS, crossings, passed_on
from harness.judge.say import Findings, unseen
from harness.judge.silence import silent
from harness.model.flow import Flow
from harness.purposes.purpose import purpose
from suites.plus603._plans import CHANGES_IT, PARALLEL, SERIAL, TWICE

ALL_ROWS = (*ROWS, BY_THE_RFC)


@purpose(*ALL_ROWS, plan=PARALLEL, faults=[*CHANGES_IT, "loses_603plus_after_180"], roles=["proxy"])
def test_block_of_one_branch_wins(flow: Flow) -> Findings:
    """Of three targets that are called at once one is blocked: its 603+ goes upstream when the others have ended.

    The others end with 487, because the proxy cancels them.  Typical defect: the response of the branch that ends last
    is passed on, or one that the proxy makes of all of them.
    """
    yield from passed_on(flow)


@purpose(
    *ALL_ROWS,
    plan=TWICE,
    faults=[*CHANGES_IT, "loses_603plus_after_180", "merges_reasons_of_branches"],
    roles=["proxy"],
)
def test_blocks_of_two_branches_are_not_mixed(flow: Flow) -> Findings:
    """Two of three targets that are called at once are blocked: one 603+ goes upstream, as that branch said it.

    Only challenges of several branches are put together (16.7 item 7).  Typical defect: Reason is treated likewise, or
    belongs to the branch that ended last while everything else belongs to the one that ended first.
    """
    yield from passed_on(flow)


@purpose(*ALL_ROWS, plan=SERIAL, faults=CHANGES_IT, roles=["proxy"])
def test_block_in_a_hunt_arrives(flow: Flow) -> Findings:
    """Of targets that are called in turn the second one is blocked: its 603+ goes upstream.

    Typical defect: the failure of the first target is reported, or a code for "all targets failed".
    """
    yield from passed_on(flow)


@purpose("ATIS603P-05", plan=SERIAL, faults=["new_branch_after_6xx", "tries_next_route_after_603plus"], roles=["proxy"])
def test_hunt_stops_at_a_block(flow: Flow) -> Findings:
    """A proxy that calls targets in turn calls no further one after a 603+.

    Typical defect: a dispatcher whose list of final codes was written before 603+, and knows "Decline" by its phrase.
    """
    found = crossings(flow)
    if not found:
        yield unseen(NOT_REFUSED, code="not-sent")
        return
    yield silent(
        flow,
        code="next-target-called",
        after=found[0].was,
        at=["third"],
        expected="nothing at the next target",
        means="a call that was blocked rings at the next target",
        look_at="which codes make the list of targets go on: 6xx does not",
    )
