"""Which Contact and which Record-Route lead to the side that is told them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from harness.model.finding import Finding
from harness.model.flow import Flow
from harness.net.address import Address, Transport
from suites.invariants import test_crossings as crossings
from suites.plans import DECLINE
from tests.unit.judge.answered_flow import Line, outcomes

_TRANSPORTS: Mapping[str, Transport] = {"caller": "wss", "callee": "udp"}
CALLED, CALLS = Address("127.0.0.9", 5070, "wss"), Address("127.0.0.9", 5060, "udp")
THERE, HERE = "<sip:127.0.0.9:5060;lr>", "<sip:note@127.0.0.9:5070;transport=ws;lr>"


def crossing(*, sent: str = "", answered: str = "") -> Flow:
    """A call that comes over wss and goes on over udp: a header of the INVITE, and one of the 200."""
    line = Line(DECLINE, "proxy").ask()
    line.say(0.01, "INVITE sip:1@127.0.0.2 SIP/2.0", sent=False, seat="callee", call_id="c2", extra=(sent or "X: y",))
    line.reply(0.02, 200, extra=(answered or "X: y",))
    flow = line.flow()
    events = tuple(
        replace(event, transport="udp", source=CALLS)
        if event.seat == "callee"
        else replace(event, transport="wss", source=CALLED if event.from_device else None)
        for event in flow.events
    )
    seats = tuple(replace(seat, address=replace(seat.address, transport=_TRANSPORTS[seat.kind])) for seat in flow.seats)
    there = replace(flow.places, device=CALLED)
    return replace(flow, transport="wss-to-udp", events=events, seats=seats, places=there)


def routes(sent: str, answered: str) -> list[str]:
    flow = crossing(sent=sent and f"Record-Route: {sent}", answered=answered and f"Record-Route: {answered}")
    return outcomes(crossings.test_recorded_route_leads_to_the_side_that_it_is_told(flow))


def contacts(sent: str, answered: str) -> list[str]:
    found: list[Finding] = list(
        crossings.test_contact_of_a_leg_can_be_reached_by_its_transport(
            crossing(sent=f"Contact: {sent}", answered=f"Contact: {answered}")
        )
    )
    return outcomes(found)


def test_two_values_of_which_each_side_has_its_own_nearest():
    both = f"{THERE}, {HERE}"
    assert routes(both, both) == ["satisfied"] * 2
    turned = f"{HERE}, {THERE}"
    assert routes(turned, turned) == ["violated"] * 2


def test_one_value_that_is_rewritten_in_the_response():
    assert routes(THERE, HERE) == ["satisfied"] * 2


def test_one_value_for_both_sides():
    assert routes(HERE, HERE) == ["violated", "satisfied"]
    assert routes(THERE, THERE) == ["satisfied", "violated"]


@pytest.mark.parametrize("name", ["<sip:proxy.example.test;lr>", "<sip:127.0.0.99:5060;lr>"])
def test_a_name_or_another_element_may_be_reached_by_either(name: str):
    assert routes(name, name) == ["satisfied"] * 2


def test_a_provisional_response_that_makes_a_dialog_is_one_of_them():
    line = Line(DECLINE, "b2bua").ask()
    line.reply(0.01, 180, contact="<sip:gw@127.0.0.9:5060>").reply(
        0.02, 180, to_tag="", contact="<sip:gw@127.0.0.9:5060>"
    )
    flow = replace(crossing(), events=())
    events = tuple(replace(event, transport="wss", source=CALLED) for event in line.flow().events)
    early = replace(flow, role="b2bua", events=(*crossing().events[1:2], *events))
    found = list(crossings.test_contact_of_a_leg_can_be_reached_by_its_transport(early))
    assert [one.code for one in found if one.outcome == "violated"] == ["contact-of-other-side"]


def test_no_route_is_no_question():
    assert routes("", "") == []


def test_a_contact_of_the_other_side_in_either_direction():
    trunk, browser = "<sip:gw@127.0.0.9:5060>", "<sip:gw@127.0.0.9:5070;transport=ws>"
    assert contacts(trunk, browser) == ["satisfied"] * 2
    assert contacts(browser, browser) == ["violated", "satisfied"]
    assert contacts("<sip:gw@127.0.0.9:5070>", browser) == ["violated", "satisfied"]
    assert contacts(trunk, trunk) == ["satisfied", "violated"]
    invalid = "<sip:gw@df7jal23ls0d.invalid;transport=ws>"
    assert contacts(trunk, invalid) == ["satisfied"] * 2


def test_tcp_and_udp_may_share_a_port():
    flow = crossing(sent="Contact: <sip:gw@127.0.0.9:5060;transport=tcp>", answered="Contact: <sip:gw@127.0.0.9:5070>")
    line = Address("127.0.0.9", 40000, "tcp")
    called, invite, answer = flow.events
    by_udp = replace(invite, raw=invite.raw.replace(";transport=tcp", ""))
    events = (called, by_udp, replace(invite, transport="tcp", source=line), answer)
    found = crossings.test_contact_of_a_leg_can_be_reached_by_its_transport(replace(flow, events=events))
    assert outcomes(found) == ["satisfied"] * 3


def test_a_redirection_to_another_transport_makes_two_sides_as_well():
    def redirected(sent: str, answered: str) -> list[str]:
        """The call comes over UDP, and the target is reached over TCP; the device has one port for both."""
        flow = crossing(sent=f"Record-Route: {sent}", answered=f"Record-Route: {answered}")
        here, line = Address("127.0.0.9", 5060, "udp"), Address("127.0.0.9", 40000, "tcp")
        seats = tuple(
            replace(seat, address=replace(seat.address, transport="udp" if seat.kind == "caller" else "tcp"))
            for seat in flow.seats
        )
        events = tuple(
            replace(event, transport="tcp", source=line)
            if event.seat == "callee"
            else replace(event, transport="udp", source=here if event.from_device else None)
            for event in flow.events
        )
        places = replace(flow.places, device=here)
        flow = replace(flow, transport="udp", events=events, seats=seats, places=places)
        return outcomes(crossings.test_recorded_route_leads_to_the_side_that_it_is_told(flow))

    by_tcp, by_udp = "<sip:127.0.0.9:5060;transport=tcp;lr>", "<sip:127.0.0.9:5060;lr>"
    both = f"{by_tcp}, {by_udp}"
    assert redirected(both, both) == ["satisfied"] * 2
    turned = f"{by_udp}, {by_tcp}"
    assert redirected(turned, turned) == ["satisfied", "violated"], "every proxy has UDP and TCP (18)"
    assert redirected("<sip:127.0.0.9:5060;transport=udp;lr>", by_udp) == ["violated", "satisfied"]
