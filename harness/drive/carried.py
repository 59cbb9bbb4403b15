"""A plan as its transport carries it: over a stream nothing is lost, so nobody sends anything a second time."""

from __future__ import annotations

from dataclasses import replace

from harness.model.plan import Answer, Call, Plan
from harness.model.weather import CALM
from harness.net.address import UNRELIABLE, Carrier


def carried(plan: Plan, carrier: Carrier) -> Plan:
    """``plan`` over ``carrier``: over a reliable one without copies of responses, requests and ACKs (RFC 3261 17).

    What such a copy would show is asked over UDP only; other purposes that use the plan do not need it.  A plan that is
    made for some transports is driven as it is.
    """
    if plan.over and not carrier.called_over:
        return plan
    if carrier.transport not in UNRELIABLE:
        answered = tuple(replace(one, answers=tuple(map(_said_once, one.answers))) for one in plan.endpoints)
        plan = replace(plan, endpoints=answered, weather=CALM)
    if carrier.inbound.transport not in UNRELIABLE:
        plan = replace(plan, calls=tuple(map(_asked_once, plan.calls)), weather=CALM)
    return plan


def _said_once(answer: Answer) -> Answer:
    return replace(answer, copies=())


def _asked_once(call: Call) -> Call:
    act = "none" if call.act in ("repeat", "repeat_late") else call.act
    return replace(call, act=act, acks=min(call.acks, 1), ack_copy=1)
