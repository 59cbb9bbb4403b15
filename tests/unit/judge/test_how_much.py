"""Findings say how much came, for how long and what ended it; what was on its way shows nothing."""

from __future__ import annotations

import dataclasses

from redirect_flow import Try, drive, outcomes

from harness.judge.attempts import tries
from harness.judge.extent import extent, later
from harness.judge.silence import silent
from harness.model.flow import Flow
from suites.plans import DECLINE
from suites.uac import _plans as plans
from suites.uac import test_redirect_then_decline as then_decline

TARGET, SECOND = Try("sip:9{token}@{target}", "target"), Try("sip:8{token}@{second}", "second")
WORDS = {"code": "called-again", "expected": "x", "means": "x"}


def again(count: int, plan: object = DECLINE) -> Flow:
    return drive(plan, *(Try(call_id=f"c{number}") for number in range(count)))  # type: ignore[arg-type]


def told(flow: Flow) -> str:
    return silent(flow, after=tries(flow)[0].final, **WORDS).actual


def test_a_single_call_is_no_loop() -> None:
    assert told(again(2)).endswith("after the 603 (message 2)")


def test_a_loop_says_how_long_it_was() -> None:
    assert "; 4 such INVITEs in 300 ms, and then no more for 40 s" in told(again(5))


def test_a_loop_that_only_the_limit_ended() -> None:
    capped = dataclasses.replace(DECLINE, endpoints=(dataclasses.replace(DECLINE.endpoints[0], cap=3),))
    limit = "a loop that only this suite's limit ended: after 3 calls callee answers 480"
    assert f"4 such INVITEs in 300 ms, {limit}" in told(again(5, capped))


def test_a_flood_of_which_not_all_was_kept() -> None:
    flood = dataclasses.replace(again(5), left_out={"INVITE": 7})
    assert "; at least 4 such INVITEs in 300 ms" in told(flood)
    assert "; 4 such INVITEs" in told(dataclasses.replace(again(5), left_out={"BYE": 7}))


def test_a_loop_that_the_end_of_the_flow_ended() -> None:
    flow = again(5)
    cut = dataclasses.replace(flow, watch=dataclasses.replace(flow.watch, closed_at=flow.events[-1].time + 0.01))
    assert extent(cut, tries(cut)[1:]).endswith("and no end of it before the flow ended")


def at_once(*, before_the_ack: bool, uri: str = SECOND.uri) -> Flow:
    """Both Contacts of a 302 are called at once; the first one declines before the second INVITE is there."""
    second = dataclasses.replace(SECOND, uri=uri)
    flow = drive(plans.THEN_DECLINE, Try(), TARGET, second)
    declined, ack = tries(flow)[1].final, tries(flow)[1].acks[0]
    invite = tries(flow)[2].invite
    late = declined.time + (0.001 if before_the_ack else ack.time - declined.time + 0.001)
    events = [dataclasses.replace(e, time=late) if e.number == invite.number else e for e in flow.events]
    ordered = sorted(events, key=lambda event: event.time)
    return dataclasses.replace(
        flow, events=tuple(dataclasses.replace(event, number=n) for n, event in enumerate(ordered, 1))
    )


def test_a_contact_that_was_called_beside_the_other_is_no_search() -> None:
    judge = then_decline.test_decline_of_a_target_ends_the_call
    assert outcomes(judge, at_once(before_the_ack=True)) == ["satisfied"]
    assert outcomes(judge, at_once(before_the_ack=False)) == ["violated"]
    assert outcomes(judge, at_once(before_the_ack=True, uri="sip:1{token}@{second}")) == ["violated"]


def test_a_delay_is_what_it_was() -> None:
    assert [later(seconds) for seconds in (-0.02, 0.0004, 0.3, 1.25)] == ["-20 ms", "0 ms", "300 ms", "1.2 s"]
