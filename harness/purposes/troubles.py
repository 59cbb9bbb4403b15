"""What was in the way of a verdict, in the words that a record's reason ends with."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model.flow import Flow
from harness.model.plan import Plan
from harness.model.verdict import Verdict
from harness.net.address import WEB
from harness.purposes.purpose import Purpose
from harness.purposes.strangers import redirects_strangers

_WHOSE = {"device": "the device", "harness": "this machine or the suite", "stimulus": "what makes the device call"}


def left_out_told(purpose: Purpose, role: str, flows: Sequence[Flow]) -> str:
    """Which plans of ``purpose`` were not driven, and what the profile lacks for them; "" if all were, or none."""
    driven = {flow.plan for flow in flows}
    carriers = {flow.carrier for flow in flows}
    here = (
        plan
        for plan in purpose.plans_for(role)
        if not plan.over or any(purpose.arises_over(one, plan.over) for one in carriers)
    )
    left_out = [plan for plan in here if plan not in driven]
    if not driven or not left_out:
        return ""
    by_websocket = any(one.transport in WEB for one in carriers)
    return f"left out: {'; '.join(f'{plan.title} (needs {_needed(plan, by_websocket)})' for plan in left_out)}"


def _needed(plan: Plan, by_websocket: bool) -> str:
    if redirects_strangers(plan):
        return "lab.opens_websockets = true" if by_websocket else "the claim relays_foreign"
    return " and ".join(f"lab.numbers.{name}" for name in plan.numbers) or "lab.registrar = true"


def troubles_text(verdict: Verdict, reason: str, drives: int, flows: Sequence[Flow]) -> str:
    """What was in the way of ``verdict``, and whose trouble that is; "" if nothing was or ``reason`` says it already.

    ``flows`` are those of all ``drives``, in order.
    """
    if verdict is not Verdict.INCONCLUSIVE:
        return ""
    # A further drive was made because of the first one's troubles, and the verdict is about the last.
    last = flows[-(len(flows) // drives) :] if drives > 1 else flows
    relevant = dict.fromkeys(trouble for flow in last for trouble in flow.troubles if trouble.text not in reason)
    return "; ".join(f"trouble of {_WHOSE[trouble.blame]}: {trouble.text}" for trouble in list(relevant)[:3])
