"""Redirections in which it counts when something came: a Contact with a lifetime, a target that stays silent."""

from __future__ import annotations

import pytest
from redirect_flow import outcomes
from refused_flow import Wire

from harness.model.windows import STANDARD
from suites.uac import _plans as plans
from suites.uac import test_redirect_hunts as hunts
from suites.uac import test_redirect_is_not_remembered as remembered

MOVED = "sip:97001@127.0.0.3"


def asks(wire: Wire, at: float, name: str) -> None:
    """A call to the original URI, which is redirected and follows."""
    wire.invite(at, branch=f"z9hG4bK{name}", call_id=name)
    wire.answer(at + 0.01, 302, branch=f"z9hG4bK{name}", call_id=name, extra=(f"Contact: <{MOVED}>;expires=10",))
    goes_there(wire, at + 0.05, name)


def goes_there(wire: Wire, at: float, name: str) -> None:
    """A call that begins at the Contact."""
    wire.invite(at, uri=MOVED, seat="target", branch=f"z9hG4bK{name}t", call_id=f"{name}t")


def test_contact_that_was_given_anew_may_be_kept_for_longer():
    def last_call(at: float, *, before_asks: bool, asks_itself: bool = False) -> list[str]:
        wire = Wire(plans.EXPIRES_TEN)
        asks(wire, 0.0, "c1")
        (asks if before_asks else goes_there)(wire, 5.0, "c2")
        (asks if asks_itself else goes_there)(wire, at, "c3")
        flow = wire.flow(calls=(-0.1, 4.9, 12.9))
        return outcomes(remembered.test_contact_is_not_kept_beyond_its_lifetime, flow)

    assert last_call(13.0, before_asks=True) == ["unseen"]
    assert last_call(15.1, before_asks=True) == ["violated"]
    assert last_call(13.0, before_asks=False) == ["violated"]
    assert last_call(13.0, before_asks=True, asks_itself=True) == ["satisfied"]


SILENT = "sip:97001@127.0.0.4"
COPIES = (0.5, 1.5, 3.5, 7.5, 15.5, 31.5)


@pytest.mark.parametrize(
    ("copies", "later", "outcome"),
    [
        (COPIES, {32.0: "target"}, "satisfied"),
        (COPIES, {}, "violated (warn)"),
        ((*COPIES, 63.5), {}, "violated"),
        ((*COPIES, 63.5), {0.01: "target"}, "violated"),
        (COPIES, {32.0: "deaf"}, "violated"),
        (COPIES, {32.0: "deaf", 64.0: "target"}, "violated"),
        (COPIES, {0.01: "target"}, "unseen"),
        ((), {0.01: "target"}, "unseen"),
        (COPIES[:4], {10.0: "target"}, "satisfied"),
        (COPIES, {10.0: "target"}, "unseen"),
        (COPIES, {10.0: "deaf"}, "unseen"),
        (COPIES, {10.0: "deaf", 32.0: "target"}, "satisfied"),
    ],
)
def test_who_stays_silent_has_failed(copies, later, outcome):
    wire = Wire(plans.BLACK_HOLE).invite()
    wire.answer(0.01, 302, extra=(f"Contact: <{SILENT}>", f"Contact: <{MOVED}>")).ack(0.02)
    for copy in (0.0, *copies):
        wire.invite(0.05 + copy, uri=SILENT, seat="deaf", branch="z9hG4bKdeaf", cseq="2 INVITE")
    for at, seat in later.items():
        uri = SILENT if seat == "deaf" else MOVED
        wire.invite(0.05 + at, uri=uri, seat=seat, branch=f"z9hG4bK{at}", cseq="3 INVITE")
    judged = outcomes(
        hunts.test_silent_target_has_failed_after_32_s, wire.flow(window=STANDARD, opened=0.01, closed=70.0)
    )
    assert judged == [outcome]
