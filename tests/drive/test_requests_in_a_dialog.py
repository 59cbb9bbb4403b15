"""Requests in a dialog follow the route set and the Contact (RFC 3261 12.2.1.1), through the device or past it."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_drive_through import at_caller, callee, drive

from harness.model.flow import Event, Flow
from harness.model.plan import Answer, Call, Endpoint, Plan, Response
from harness.report.ladder import text_ladder
from harness.store.record import record_of, with_messages, without_messages

CALL = Plan((callee(Response(180), Response(200)),))
HANGS_UP = Plan((Endpoint("callee", "callee", (Answer((Response(200),), then="wait"),)),), (Call(act="hangup"),))


def said(events: tuple[Event, ...] | list[Event]) -> list[tuple[str, str]]:
    return [(event.seat, event.method or f"{event.status} {event.cseq_method}") for event in events]


def of_the_device(flow: Flow) -> set[str]:
    return {event.method or str(event.status) for event in flow.select(received=True)}


@pytest.mark.parametrize(
    ("plan", "ends"),
    [
        (CALL, [("callee", "BYE"), ("caller", "200 BYE")]),
        (HANGS_UP, [("caller", "BYE"), ("callee", "200 BYE")]),
    ],
    ids=["callee-hangs-up", "caller-hangs-up"],
)
def test_past_a_proxy_that_did_not_record_route(tmp_path: Path, plan: Plan, ends: list[tuple[str, str]]) -> None:
    [flow] = drive(tmp_path, "none", plan)
    assert said(flow.between) == [("caller", "ACK"), *ends]
    assert {event.destination for event in flow.between} == {seat.address for seat in flow.seats}
    assert of_the_device(flow) <= {"INVITE", "100", "180", "200"}
    assert not flow.troubles
    assert with_messages(without_messages(flow), record_of(flow), "here") == flow
    assert "past the device, which is not in the route set: ACK, BYE, 200" in text_ladder(flow)


def test_through_a_proxy_that_did(tmp_path: Path) -> None:
    [flow] = drive(tmp_path, "records_route", CALL)
    assert flow.between == ()
    assert {"ACK", "BYE"} <= of_the_device(flow)
    assert [event.method for event in at_caller(flow, received=False)][:2] == ["INVITE", "ACK"]


def test_the_ack_of_a_refusal_goes_through_the_proxy_in_any_case(tmp_path: Path) -> None:
    [flow] = drive(tmp_path, "none", Plan((callee(Response(603)),)))
    assert flow.between == ()
    assert [event.destination for event in flow.select("ACK", at="caller")] == [flow.places.device]
