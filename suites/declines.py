"""The plans, faults and controls that purposes about refused calls share, beside those of :mod:`suites.plans`."""

from __future__ import annotations

import dataclasses

from harness.model.flow import Control, Flow
from harness.model.plan import Answer, Call, Plan, Response
from suites.plans import callee, guard, refuse

REDIALS = [
    *("redials_at_once", "redials_after_1s", "redials_after_8s", "redials_at_33s"),
    *("redials_other_port", "redials_other_number"),
]
"""The faults that call again after any 6xx."""

POINTING_DECLINE = Plan((callee(refuse(603, contacts=("<sip:8{token}@{other}>",))), guard("other")))
"""A 603 with a Contact, which points to an address where nothing may arrive."""

FORKED_DECLINE = Plan(
    (
        callee(
            Answer(
                (Response(180, tag="x"), Response(183, tag="y", sdp=True, after=0.1), Response(603, tag="x", after=0.2))
            )
        ),
    ),
)
"""Two early dialogs, the second one with early media; then the first one's 603."""

HUNG_UP_DECLINE = Plan(
    (callee(Answer((Response(180), Response(603, after=0.2)))),),
    calls=(Call(act="hangup"),),
)
"""The callee rings and declines; then the caller's user hangs up as well."""


def declined_with(status: int, *headers: str, reason: str | None = None) -> Plan:
    """A call that is refused with ``status``, and nothing else."""
    return Plan((callee(Answer((Response(status, reason, headers=headers),))),))


UNKNOWN_6XX = (declined_with(699, reason="Nowhere"), declined_with(607), declined_with(608))
"""Refusals with codes that RFC 3261 does not define: one that is not registered, and two that are younger.

They have a reason phrase, so that only the code is unknown.
"""

FAILURE_WITH_BACKUP = Plan((callee(refuse(503)),), uses_backup=True)
"""The positive control: after a 503 the device does use its backup."""


def with_control(flow: Flow, other: Flow) -> Flow:
    """``flow`` with what ``other``, which may have been driven later, shows of the backup."""
    reached = other.select("INVITE", at="backup", received=True)
    if not reached:
        return flow
    control = Control("backup", flow.seat("backup").address, reached[0].time, other.id)
    return dataclasses.replace(flow, controls=(*flow.controls, control))
