"""The routes that proxies have recorded: who is told of them, and who takes them."""

from __future__ import annotations

import pytest
from answered_flow import Line
from refused_flow import URI, Wire, outcomes

from suites.invariants import test_routes as routes

FAR, NEAR = "<sip:far.test;lr>", "<sip:127.0.0.2:5060;lr>"


def called(route: str, *, recorded: tuple[str, ...] = (FAR, NEAR), early: tuple[str, ...] = ()) -> list[str]:
    """A call whose 2xx has these Record-Route values, and its ACK with these Route values."""
    wire = Wire().invite()
    if early:
        wire.answer(0.01, 180, extra=tuple(f"Record-Route: {one}" for one in early))
    wire.answer(0.02, 200, extra=tuple(f"Record-Route: {one}" for one in recorded))
    wire.ack(0.03, branch="z9hG4bKack", extra=(f"Route: {route}",) if route else ())
    return outcomes(routes.test_requests_of_a_dialog_take_its_route(wire.flow()))


@pytest.mark.parametrize("route", [f"{NEAR}, {FAR}", f"{NEAR},{FAR}", f'"p" {NEAR}, <sip:FAR.test;lr>'])
def test_a_caller_takes_the_recorded_route_backwards(route: str):
    assert called(route) == ["satisfied"]


@pytest.mark.parametrize("route", ["", NEAR, f"{FAR}, {NEAR}", f"{NEAR}, {FAR}, {FAR}"])
def test_another_route_is_none(route: str):
    assert called(route) == ["violated"]


def test_an_outbound_proxy_before_the_route_is_its_own_affair():
    assert called(f"<sip:out.test;lr>, {NEAR}, {FAR}") == ["satisfied"]


def test_the_2xx_gives_the_route_and_not_the_180():
    assert called(FAR, recorded=(FAR,), early=(NEAR,)) == ["satisfied"]
    assert called(NEAR, recorded=(FAR,), early=(NEAR,)) == ["violated"]


@pytest.mark.parametrize("recorded", [(), ("<sip:strict.test>",)])
def test_no_route_and_a_strict_router_are_no_question(recorded: tuple[str, ...]):
    assert called("", recorded=recorded) == []


def answered(status: int, recorded: str, *, to_tag: str = "t1") -> list[str]:
    """An INVITE that came by two proxies, and a response to it."""
    line = Line().ask(extra=(f"Record-Route: {NEAR}", f"Record-Route: {FAR}"))
    line.reply(0.1, status, to_tag=to_tag, extra=(f"Record-Route: {recorded}",) if recorded else ())
    return outcomes(routes.test_recorded_route_is_repeated_to_the_caller(line.flow()))


@pytest.mark.parametrize("status", [180, 200])
def test_what_makes_a_dialog_repeats_the_recorded_route(status: int):
    assert answered(status, f"{NEAR}, {FAR}") == ["satisfied"]
    assert [answered(status, one) for one in ("", NEAR, f"{FAR}, {NEAR}")] == [["violated"]] * 3


@pytest.mark.parametrize(("status", "to_tag"), [(100, ""), (180, ""), (603, "t1")])
def test_what_makes_no_dialog_need_not(status: int, to_tag: str):
    assert answered(status, "", to_tag=to_tag) == []


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ("<sip:127.0.0.9:5060;transport=tcp;lr>", []),
        ('"p" <sips:[::1];lr=on>;x=y', []),
        ("sip:127.0.0.9:5060;transport=tcp;lr", ["bare-route"]),
        ("<sip:127.0.0.9:5060>;lr", ["strict-route"]),
        ("<sip:127.0.0.9:5060>", ["strict-route"]),
    ],
)
def test_a_proxy_records_a_loose_route(value: str, codes: list[str]):
    flow = Wire(role="proxy").invite(extra=(f"Record-Route: {value}",)).flow()
    found = routes.test_recorded_route_is_one_for_loose_routers(flow)
    assert [one.code for one in found if one.outcome == "violated"] == codes


def test_a_strict_route_of_ours_that_is_passed_on_is_ours():
    line = Line(role="proxy").ask(extra=("Record-Route: <sip:old.test>",))
    line.say(
        0.1, f"INVITE {URI} SIP/2.0", sent=False, seat="callee", call_id="c2", extra=("Record-Route: <sip:old.test>",)
    )
    assert outcomes(routes.test_recorded_route_is_one_for_loose_routers(line.flow())) == []


def test_a_bare_route_is_the_proxys_own_though_our_200_repeats_it():
    bare = ("Record-Route: sip:127.0.0.9:5060;lr",)
    flow = Wire(role="proxy").invite(extra=bare).answer(0.1, 200, extra=bare).flow()
    found = routes.test_recorded_route_is_one_for_loose_routers(flow)
    assert [one.code for one in found] == ["bare-route"]
