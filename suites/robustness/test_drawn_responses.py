"""Responses that nobody has thought of: drawn from a grammar of oddities."""

from __future__ import annotations

from harness.judge.odd import ALIVE, CAUSE, harmless
from harness.judge.say import Findings
from harness.model.flow import Flow
from harness.purposes.purpose import purpose
from suites.robustness._drawn import drawn


@purpose(ALIVE, CAUSE, draw=drawn, faults=["redials_after_302"])
def test_drawn_responses_do_no_harm(flow: Flow) -> Findings:
    """Whatever response comes, the device lives, places the next call, and calls nobody whom nobody named.

    Each draw is a 302 or 603 with one to three changes.  Its number is all that is needed to make it again:
    ``--robustness-rounds 500`` drives draws 1 to 500.
    """
    yield from harmless(flow)
