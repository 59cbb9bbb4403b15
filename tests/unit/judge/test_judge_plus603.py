"""The judges of 603+: what a blocking device sends, and what a device in the path makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from proxy_flow import ProxyWire, said

from harness.model.finding import Finding
from harness.model.flow import Flow
from harness.model.plan import Plan
from harness.model.verdict import Verdict
from harness.requirements.catalogue import Catalogue
from harness.requirements.ruling import Ruling
from suites.answering import number
from suites.plans import DECLINE
from suites.plus603 import _plans as plans
from suites.plus603 import test_beside as beside
from suites.plus603 import test_blocking as blocking
from suites.plus603 import test_forks as forks
from suites.plus603 import test_middle as middle

BLOCKED = "Network Blocked"
ONE = Plan(plans.AFTER_1XX.endpoints, calls=plans.AFTER_1XX.calls[:1])


def crossed(
    *now: str, was: tuple[str, ...] = (plans.USUAL,), status: int = 603, phrase: str = BLOCKED
) -> tuple[list[str], Flow]:
    """The words for what a device made of a 603+, row by row."""
    wire = ProxyWire(ONE).asks().calls(0.01)
    wire.says(0.05, "callee", 603, *(f"Reason: {value}" for value in was), reason=BLOCKED)
    wire.tells(0.06, status, *(f"Reason: {value}" for value in now), reason=phrase)
    flow = wire.flow()
    return [_word(one) for one in middle.test_provisional_responses_before_it_change_nothing(flow)], flow


def _word(one: Finding) -> str:
    return f"{one.requirement[-2:]} {one.code if one.outcome == 'violated' else one.outcome}"


KEPT = ["03 satisfied", "10 satisfied", "11 satisfied", "02 satisfied"]
DOUBLED = plans.USUAL.replace('"', '""')
CUT = 'SIP;cause=603;text="v=analytics1"'
Q850 = 'Q.850;cause=21;text="Call Rejected"'


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ((plans.USUAL,), (plans.USUAL.replace(";", " ; ").replace("analytics1 ; url", "analytics1;url"),)),
        ((plans.USUAL,), (plans.USUAL.replace("SIP;cause", "sip;Cause").replace("TN", "tn"),)),
        ((plans.USUAL, Q850), (f"{Q850}, {plans.USUAL}",)),
        ((f"{plans.USUAL}, {Q850}",), (plans.USUAL, Q850)),
        ((plans.USUAL,), (plans.USUAL.replace(";location", "\r\n ;location"),)),
        ((plans.USUAL + ";x-flag",), ("SIP;location=TN;x-flag;" + plans.USUAL[4:].replace(";location=TN", ""),)),
    ],
)
def test_what_says_the_same_is_no_change(was: tuple[str, ...], now: tuple[str, ...]) -> None:
    assert crossed(*now, was=was)[0] == KEPT


def test_phrase_in_other_case_is_no_change() -> None:
    assert crossed(plans.USUAL, phrase="NETWORK BLOCKED")[0] == KEPT


@pytest.mark.parametrize(
    ("now", "status", "phrase", "codes"),
    [
        ((plans.USUAL,), 603, "Decline", {"03 phrase-changed"}),
        ((), 603, BLOCKED, {"03 reason-lost", "10 unseen", "02 reason-lost"}),
        ((), 603, "Decline", {"03 phrase-changed", "03 reason-lost", "10 unseen", "02 reason-lost"}),
        ((), 403, "Forbidden", {"03 status-changed", "03 reason-lost", "10 unseen", "02 unseen"}),
        ((plans.USUAL,), 486, "Busy Here", {"03 status-changed", "02 unseen"}),
        (
            (CUT,),
            603,
            BLOCKED,
            {"03 reason-broken", "10 location-lost", "10 url-changed", "02 reason-broken"},
        ),
        ((DOUBLED,), 603, BLOCKED, {"03 reason-broken", "02 reason-broken", "10 parameter-added"}),
        ((plans.USUAL.replace("redress", "sbc"),), 603, BLOCKED, {"10 url-changed", "02 url-changed"}),
        ((plans.USUAL.replace(";location=TN", ""),), 603, BLOCKED, {"10 location-lost", "02 location-lost"}),
        ((plans.USUAL.replace("TN", "LN"),), 603, BLOCKED, {"10 location-changed", "02 location-changed"}),
        ((plans.USUAL.lower(),), 603, BLOCKED, {"10 case-changed", "02 case-changed"}),
        ((plans.USUAL, "Q.850;cause=17"), 603, BLOCKED, {"11 reason-added"}),
        ((f"{plans.USUAL};x=1",), 603, BLOCKED, {"10 parameter-added"}),
    ],
)
def test_what_says_something_else_is_a_change(now: tuple[str, ...], status: int, phrase: str, codes: set[str]) -> None:
    found = set(crossed(*now, status=status, phrase=phrase)[0])
    assert codes <= found
    assert {one for one in found if "satisfied" not in one} - codes <= {"10 text-changed"}


def test_a_second_value_that_is_lost() -> None:
    assert "10 value-lost" in crossed(plans.USUAL, was=(plans.USUAL, Q850))[0]


def test_a_caller_without_an_answer() -> None:
    wire = ProxyWire(ONE).asks().calls(0.01).says(0.05, "callee", 603, f"Reason: {plans.USUAL}", reason=BLOCKED)
    found = list(middle.test_provisional_responses_before_it_change_nothing(wire.flow()))
    assert _word(found[0]) == "03 no-final-response"
    assert all(one.outcome == "unseen" for one in found[1:])


def test_the_rule_and_the_letter() -> None:
    catalogue = Catalogue.load()
    claims = {"transports_603plus": True}
    change = next(one for one in _findings(crossed()[1]) if one.requirement == "ATIS603P-03")
    rfc = next(one for one in _findings(crossed()[1]) if one.requirement == "RFC3261-16.7.9-02")

    def cost(finding: Finding, mode: Ruling) -> Verdict:
        return mode.rule(finding, catalogue[finding.requirement], claims).verdict

    assert [cost(change, Ruling()), cost(change, Ruling("letter"))] == [Verdict.FAIL, Verdict.WARN]
    assert [cost(rfc, Ruling()), cost(rfc, Ruling("letter"))] == [Verdict.FAIL, Verdict.FAIL]


def _findings(flow: Flow) -> list[Finding]:
    return list(middle.test_provisional_responses_before_it_change_nothing(flow))


def test_a_plain_refusal_stays_plain() -> None:
    def passed(status: int, phrase: str, reason: str, now: tuple[int, str, str]) -> list[str]:
        wire = ProxyWire(DECLINE).asks().calls(0.01)
        wire.says(0.05, "callee", status, *([f"Reason: {reason}"] if reason else []), reason=phrase)
        wire.tells(0.06, now[0], *([f"Reason: {now[2]}"] if now[2] else []), reason=now[1])
        return said(beside.test_no_plain_refusal_becomes_a_603plus(wire.flow()))

    made = (603, BLOCKED, plans.USUAL)
    assert passed(603, "Decline", "", made) == ["violated"]
    assert passed(603, BLOCKED, "", made) == ["violated"]
    assert passed(603, "Decline", plans.USUAL, made) == ["violated"]
    assert passed(486, "Busy Here", plans.USUAL, made) == ["violated"]
    assert passed(603, "Decline", "", (603, "Decline", "")) == ["satisfied"]
    assert passed(603, "Decline", "", (403, "Forbidden", "")) == ["satisfied"], "what a B2BUA maps is its own affair"
    assert passed(*made, made) == [], "a 603+ is no plain refusal"
    assert passed(486, "Busy Here", "", (486, "Busy Here", "")) == []


def test_a_hunt_stops() -> None:
    def hunted(*, on: bool) -> list[str]:
        wire = ProxyWire(plans.SERIAL).asks().calls(0.01).says(0.02, "callee", 486).calls(0.03, "second")
        wire.says(0.3, "second", 603, f"Reason: {plans.USUAL}", reason=BLOCKED).acks(0.31, "second")
        if on:
            wire.calls(0.5, "third")
        return said(forks.test_hunt_stops_at_a_block(wire.tells(0.6, 603, reason=BLOCKED).flow()))

    assert hunted(on=False) == ["satisfied"]
    assert hunted(on=True) == ["violated"]


# --- the device that blocks


def blocked(
    *reason: str, status: int = 603, phrase: str = BLOCKED, rings: int = 0, late: float = 0.05
) -> dict[str, list[str]]:
    """The words of each purpose about the answer to a call that the device blocks."""
    wire = ProxyWire(number("blocked"))
    wire.places = replace(wire.places, numbers={"blocked": "sip:21@127.0.0.9"})
    wire.asks()
    if rings:
        wire.tells(0.02, rings)
    flow = wire.tells(late, status, *(f"Reason: {one}" for one in reason), reason=phrase).flow()
    judges = {
        "status": blocking.test_blocked_call_is_answered_603,
        "phrase": blocking.test_phrase_says_network_blocked,
        "reason": blocking.test_reason_names_whom_to_ask,
        "location": blocking.test_reason_says_which_network_blocked,
        "timing": blocking.test_block_is_returned_at_once,
    }
    return {name: said(judge(flow)) for name, judge in judges.items()}


RIGHT = {name: ["satisfied"] for name in ("status", "phrase", "reason", "location", "timing")}


def test_a_block_as_it_should_be() -> None:
    assert blocked(plans.USUAL) == RIGHT
    assert blocked(plans.USUAL, Q850) == RIGHT
    assert (
        blocked('Q.850;location=rln;text="v=analytics1;tel=+12155550100";cause=21', phrase="network blocked") == RIGHT
    )


def test_a_block_that_is_wrong() -> None:
    assert blocked(plans.USUAL, phrase="Decline") == RIGHT | {"phrase": ["violated"]}
    assert blocked(plans.USUAL.replace("https", "http")) == RIGHT | {"reason": ["violated"]}
    assert blocked(plans.USUAL.replace("=TN", "=Acme")) == RIGHT | {"location": ["violated"]}
    assert blocked(plans.USUAL.replace(";location=TN", "")) == RIGHT | {"location": ["violated (warn)"]}
    assert blocked(plans.USUAL, rings=180) == RIGHT | {"timing": ["violated"]}
    assert blocked(plans.USUAL, rings=183) == RIGHT | {"timing": ["violated (warn)"]}
    assert blocked(plans.USUAL, rings=100) == RIGHT
    assert blocked(plans.USUAL, late=3.0) == RIGHT | {"timing": ["violated (warn)"]}
    assert blocked() == RIGHT | {"reason": ["violated"], "location": ["unseen"]}
    other = blocked(status=608, phrase="Rejected")
    assert [other[name] for name in ("status", "phrase", "reason")] == [["violated"], ["unseen"], ["unseen"]]
    assert set(map(tuple, blocked(status=200, phrase="OK").values())) == {("unseen",)}


def test_other_refusals_are_none() -> None:
    def refused(*reason: str, phrase: str = "Decline") -> list[str]:
        wire = ProxyWire(number("unknown")).asks()
        flow = wire.tells(0.05, 603, *(f"Reason: {one}" for one in reason), reason=phrase).flow()
        return said(blocking.test_other_refusals_are_no_603plus(flow))

    assert refused() == ["satisfied"]
    assert refused(plans.USUAL, phrase=BLOCKED) == ["violated"]


def test_every_call_of_a_plan_is_judged() -> None:
    wire = ProxyWire(plans.AFTER_1XX)
    for place, reason in enumerate((plans.USUAL, plans.USUAL, plans.USUAL.replace("TN", "LN"), plans.USUAL)):
        at = float(place)
        wire.asks(at).calls(at + 0.01)
        wire.says(at + 0.05, "callee", 603, f"Reason: {plans.USUAL}", reason=BLOCKED)
        wire.tells(at + 0.06, 603, f"Reason: {reason}", reason=BLOCKED)
    words = [_word(one) for one in _findings(wire.flow())]
    assert words.count("03 satisfied") == 4
    assert [word for word in words if "satisfied" not in word] == ["10 location-changed", "02 location-changed"]


def test_calls_that_were_not_placed_show_nothing() -> None:
    wire = ProxyWire(plans.AFTER_1XX).asks().calls(0.01).says(0.05, "callee", 480).tells(0.06, 480)
    assert {one.outcome for one in _findings(wire.flow())} == {"unseen"}
    assert {one.outcome for one in middle.test_blocked_call_is_reported_as_it_was(wire.flow())} == {"unseen"}


def test_whatever_rings_first_the_ringing_counts() -> None:
    wire = ProxyWire(number("blocked"))
    wire.places = replace(wire.places, numbers={"blocked": "sip:21@127.0.0.9"})
    flow = wire.asks().tells(0.01, 183).tells(0.02, 180).tells(0.03, 603, f"Reason: {plans.USUAL}").flow()
    assert said(blocking.test_block_is_returned_at_once(flow)) == ["violated"]
