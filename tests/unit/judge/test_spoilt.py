"""A tester that comes too late with its own messages has no evidence, and does not blame the device."""

from __future__ import annotations

import pytest
from answered_flow import Line

from harness.purposes.evidence_check import no_evidence, spoilt


@pytest.mark.parametrize("late", [0.1, 3.9])
def test_a_copy_that_the_device_still_knows_spoils_nothing(late: float) -> None:
    assert spoilt(Line().ask().reply(1, 603).ask(1 + late).ack(6).flow()) == ""


def test_a_copy_after_the_device_may_have_forgotten_the_call_spoils_the_flow() -> None:
    flow = Line().ask().reply(1, 603).ask(7.2).ack(8).flow()
    assert spoilt(flow).startswith("caller of the suite sent its INVITE again 6.2 s after the 603 had come (message 3)")
    assert no_evidence(flow) == spoilt(flow)


def test_a_response_that_the_caller_could_not_take_is_the_device_s_doing() -> None:
    for late in (Line().ask().reply(1, 603).ask(7.2), Line().ask().reply(1, 603, call_id="another").ask(7.2)):
        assert spoilt(late.flow()) == ""
    astray = Line().ask().reply(1, 603, call_id="another").ask(7.2).reply(7.3, 603).ack(7.4)
    assert spoilt(astray.flow()) == ""


def test_another_transaction_is_no_copy() -> None:
    assert spoilt(Line().ask().reply(1, 603).ack(1.1).ask(9, branch="z9hG4bKtwo").flow()) == ""


def test_what_the_device_repeats_is_not_the_suite_s_doing() -> None:
    assert spoilt(Line().ask().reply(1, 603).reply(9, 603).ack(9.1).flow()) == ""
