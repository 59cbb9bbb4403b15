"""A plan as its transport carries it: over a stream nothing is lost, so nobody sends anything a second time."""

from __future__ import annotations

from dataclasses import replace

from harness.model.plan import Answer, Call, Plan
from harness.model.weather import CALM
from harness.net.address import UNRELIABLE, Transport


def carried(plan: Plan, transport: Transport) -> Plan:
    """``plan`` over ``transport``: over a reliable one without copies of responses, requests and ACKs (RFC 3261 17).

    What such a copy would show is asked over UDP only; other purposes that use the plan do not need it.  A plan that is
    made for some transports is driven as it is.
    """
    if plan.over or transport in UNRELIABLE:
        return plan
    endpoints = tuple(replace(one, answers=tuple(map(_said_once, one.answers))) for one in plan.endpoints)
    return replace(plan, endpoints=endpoints, calls=tuple(map(_asked_once, plan.calls)), weather=CALM)


def _said_once(answer: Answer) -> Answer:
    return replace(answer, copies=())


def _asked_once(call: Call) -> Call:
    act = "none" if call.act == "repeat" else call.act
    return replace(call, act=act, acks=min(call.acks, 1), ack_copy=1)
