"""A message counts for whoever sent it: the device, a caller behind it, or another endpoint of the suite."""

from __future__ import annotations

import dataclasses

from proxy_flow import CALLER, ProxyWire, said

from harness.judge.attempts import original
from harness.judge.passed_on import passed_on
from harness.model.flow import Flow
from suites.plans import DECLINE
from suites.transaction import test_copies as copies
from suites.transaction import test_strays as strays


def declined(*acks: float) -> ProxyWire:
    """A proxy relays a 603 at once, and sends so many ACKs of its own."""
    wire = ProxyWire(DECLINE).asks().calls(0.01).says(0.02, "callee", 603, tag="c")
    for at in acks:
        wire.acks(at, "callee", tag="c")
    return wire.tells(0.03, 603, tag="c").acknowledges(0.04, "c")


def test_the_ack_of_a_caller_is_not_the_proxys() -> None:
    flow = declined().passes_ack(0.05, "callee", "c").flow()
    assert [passed_on(flow, ack) for ack in flow.select("ACK", received=True)] == [True]
    assert original(flow).acks == ()
    both = declined(0.025).passes_ack(0.05, "callee", "c").flow()
    assert [ack.time for ack in original(both).acks] == [1000.025]


def test_the_ack_of_a_stateless_hop_has_the_branch_of_its_invite() -> None:
    flow = declined().passes_ack(0.05, "callee", "c", branch="callee1.0.01").flow()
    assert original(flow).acks == ()


def test_the_ack_of_an_answer_is_passed_on_as_it_should_be() -> None:
    wire = ProxyWire(DECLINE).asks().calls(0.01).says(0.02, "callee", 200, tag="c")
    flow = wire.tells(0.03, 200, tag="c").acknowledges(0.04, "c").passes_ack(0.05, "callee", "c").flow()
    assert len(original(flow).acks) == 1


def test_an_own_ack_with_the_vias_of_the_invite_is_the_proxys() -> None:
    wire = ProxyWire(DECLINE).asks().calls(0.01).says(0.02, "callee", 603, tag="c")
    flow = wire.passes_ack(0.025, "callee", "c", branch="callee1.0.01").tells(0.03, 603).acknowledges(0.04, "t").flow()
    assert len(original(flow).acks) == 1


def test_copies_are_not_acknowledged_by_the_caller() -> None:
    wire = ProxyWire(copies.DECLINE_COPIES).asks().calls(0.01).says(0.02, "callee", 603, tag="c")
    wire.says(0.04, "callee", 603, tag="c").says(0.3, "callee", 603, tag="c").acks(0.025, "callee", tag="c")
    wire.tells(0.03, 603, tag="c").acknowledges(0.05, "c")
    wire.passes_ack(0.06, "callee", "c").passes_ack(0.31, "callee", "c")
    judge = copies.test_copies_of_a_decline_are_acknowledged_and_change_nothing
    assert said(judge((declined(0.025).flow(), wire.flow())))[0] == "violated"


def told_about_strays(wire: ProxyWire) -> list[str]:
    plain = declined(0.025).flow()
    return said(strays.test_response_that_matches_no_transaction_changes_nothing((plain, wire.flow())))


def with_strays() -> ProxyWire:
    wire = ProxyWire(strays.FORGED).asks().calls(0.01)
    wire._branches["callee"] = "forged"
    wire.says(0.06, "callee", 302, "Contact: <sip:87001@127.0.0.3>", tag="x").says(0.1, "callee", 603, tag="z")
    wire._branches["callee"] = "callee1.0.01"
    return wire.says(0.3, "callee", 486).acks(0.31, "callee")


def test_a_relayed_stray_that_the_caller_acknowledges_costs_the_relaying_alone() -> None:
    wire = with_strays().tells(0.11, 603, tag="z").acknowledges(0.12, "z").passes_ack(0.13, "callee", "z")
    assert told_about_strays(wire) == ["satisfied", "satisfied", "satisfied", "violated (warn)", "violated (warn)"]


def test_the_response_of_another_branch_is_no_stray() -> None:
    wire = (
        with_strays().calls(0.4, "callee", branch="second").says(0.41, "callee", 486, tag="q").acks(0.42, "callee", "q")
    )
    assert told_about_strays(wire.tells(0.5, 486, tag="q")) == ["satisfied"] * 4


def test_a_device_that_never_acknowledges_does_not_fail_for_strays() -> None:
    wire = ProxyWire(strays.FORGED).asks().calls(0.01)
    wire._branches["callee"] = "forged"
    wire.says(0.06, "callee", 603, tag="z")
    wire._branches["callee"] = "callee1.0.01"
    never = declined().flow()
    flow = wire.says(0.3, "callee", 486).tells(0.32, 486, tag="callee").flow()
    told = said(strays.test_response_that_matches_no_transaction_changes_nothing((never, flow)))
    assert told == ["satisfied", "satisfied", "unseen", "satisfied"]


def test_what_one_endpoint_sends_to_another_is_not_the_devices() -> None:
    flow = declined(0.025).flow()
    direct = dataclasses.replace(flow.select("ACK", received=True)[0], source=CALLER)
    flow = dataclasses.replace(flow, events=tuple(direct if e.number == direct.number else e for e in flow.events))
    assert isinstance(flow, Flow)
    assert flow.select("ACK", received=True) == ()
    assert direct not in flow.select(received=False)
