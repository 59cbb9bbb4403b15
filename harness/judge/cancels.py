"""Whether a branch of a proxy was cancelled, and when (RFC 3261 16.7 item 10, 9.1)."""

from __future__ import annotations

from harness.judge.branches import Branch
from harness.judge.say import satisfied, unseen, violated
from harness.judge.upstream import CROSSING_S
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict

CANCEL_S = 2.0
"""Seconds within which a CANCEL that is due must arrive; a device needs a few milliseconds."""
RINGS_ON = "a phone rings on for a call that is over, and a user who picks it up finds no caller"


def cancelled(
    flow: Flow,
    branch: Branch,
    after: Event,
    *,
    means: str = RINGS_ON,
    look_at: str = "which events cancel branches: a 6xx, a 2xx, the caller's CANCEL?",
    at_most: Verdict = Verdict.FAIL,
    at_least: Verdict = Verdict.NONE,
    requirement: str = "",
) -> Finding:
    """``branch``, which was pending when ``after`` happened, got a CANCEL within :data:`CANCEL_S`."""
    what = f"the branch at {branch.seat}"
    cause = f"{after.start_line} (message {after.number})"
    cancel = branch.cancel
    if cancel is not None and cancel.time - after.time <= CANCEL_S:
        late = max(cancel.time - after.time, 0.0)
        return satisfied(
            f"CANCEL at {branch.seat} {late * 1000:.0f} ms after {cause}", event=cancel, requirement=requirement
        )
    if cancel is None and (doubt := no_cancel_doubt(flow, branch, after)):
        return unseen(f"no CANCEL arrived at {branch.seat}, but {doubt}", code="not-proven", requirement=requirement)
    astray = _astray(flow, branch)
    code = "late-cancel" if cancel else "stray-cancel" if astray else "no-cancel"
    actual = f"the CANCEL came {cancel.time - after.time:.1f} s after it" if cancel else "no CANCEL arrived"
    if cancel is None and astray is not None:
        actual = f"a CANCEL with branch {astray.branch}, which matches no INVITE there"
    return violated(
        code=code,
        expected=f"a CANCEL of {what} within {CANCEL_S:g} s of {cause}",
        actual=f"{actual}; {what} had been open since message {branch.invite.number}",
        event=cancel or astray or after,
        means=means,
        look_at=look_at
        if astray is None
        else "is the CANCEL built with the branch and Request-URI of its own INVITE (9.1)?",
        at_most=at_most,
        at_least=at_least,
        requirement=requirement,
    )


def no_cancel_doubt(flow: Flow, branch: Branch, after: Event) -> str:
    """Why a missing CANCEL does not prove that the device sent none, in words; "" if it does."""
    seat = flow.seat(branch.seat)
    if seat.lost_at is not None:
        return f"{seat.name} ({seat.address}) stopped listening"
    end = branch.final.time if branch.final else flow.watch.closed_at
    # What ends the branch before its time takes the need for a CANCEL away.
    if end - after.time < CANCEL_S - CROSSING_S:
        how = f"its branch ended by itself, with {branch.status}," if branch.final else "the flow ends"
        return f"{how} {end - after.time:.1f} s after message {after.number}"
    if flow.plan.watched and flow.life is None:
        return "the device gave no sign of life afterwards"
    return ""


def _astray(flow: Flow, branch: Branch) -> Event | None:
    """A CANCEL in the same call, at the same endpoint, that matches no INVITE there."""
    known = {invite.branch for invite in flow.select("INVITE", received=True, at=branch.seat)}
    found = flow.select(
        "CANCEL",
        received=True,
        at=branch.seat,
        where=lambda event: event.call_id == branch.invite.call_id and event.branch not in known,
    )
    return next(iter(found), None)
