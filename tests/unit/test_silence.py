"""A proof of silence has four parts; without any one of them the verdict is "could not be told", and says which."""

from __future__ import annotations

import dataclasses
import re

import pytest

from harness.judge.attempts import original
from harness.judge.silence import NO_LIFE, silent
from harness.model.flow import Control, Flow, Seat, Unreadable
from harness.net.address import Address
from harness.store.codec import dump, load
from tests.report.flows import flow

DECLINED = (
    (0.0, "callee", "INVITE sip:7001001@127.20.0.2 SIP/2.0", "Via: SIP/2.0/UDP 127.9.9.9;branch=z9hG4bK1"),
    (0.1, "callee", "<SIP/2.0 603 Decline", "Via: SIP/2.0/UDP 127.9.9.9;branch=z9hG4bK1"),
    (0.2, "callee", "ACK sip:7001001@127.20.0.2 SIP/2.0", "Via: SIP/2.0/UDP 127.9.9.9;branch=z9hG4bK1"),
)


def one_call(made: Flow) -> Flow:
    """The builder gives every message a Call-ID of its own; here they are one call."""
    events = tuple(dataclasses.replace(e, raw=re.sub(r"Call-ID: c\d+", "Call-ID: c1", e.raw)) for e in made.events)
    return dataclasses.replace(made, events=events)


def judged(made: Flow) -> tuple[str, str]:
    first = original(made)
    assert first is not None
    assert first.final is not None
    finding = silent(made, code="redialled", after=first.final, expected="no INVITE", means="it rings again")
    return finding.outcome, finding.actual


def with_guard(made: Flow, **changes: object) -> Flow:
    seats = tuple(dataclasses.replace(s, **changes) if s.name == "guard" else s for s in made.seats)  # type: ignore[arg-type]
    return dataclasses.replace(made, seats=seats)


@pytest.fixture
def proven() -> Flow:
    return one_call(flow(*DECLINED, seats=("callee", "guard")))


def test_all_four_conditions_make_a_pass(proven: Flow) -> None:
    outcome, actual = judged(proven)
    assert outcome == "satisfied"
    assert "40 s" in actual
    assert "standard" in actual


def test_an_invite_anywhere_is_a_violation_whatever_else_is_missing(proven: Flow) -> None:
    late = flow(
        *DECLINED,
        (1.0, "guard", "INVITE sip:7001001@127.20.0.2 SIP/2.0", "Via: SIP/2.0/UDP 127.9.9.9;branch=z9hG4bK2"),
        seats=("callee", "guard"),
    )
    assert judged(dataclasses.replace(one_call(late), life=None))[0] == "violated"


def test_a_guard_that_came_late_proves_nothing(proven: Flow) -> None:
    placed = proven.calls[0].placed_at
    outcome, actual = judged(with_guard(proven, bound_at=placed + 0.5))
    assert (outcome, "not yet listening" in actual) == ("unseen", True)


def test_a_guard_that_went_away_proves_nothing(proven: Flow) -> None:
    outcome, actual = judged(with_guard(proven, lost_at=proven.calls[0].placed_at + 3))
    assert (outcome, "stopped listening" in actual) == ("unseen", True)


def test_a_window_that_was_cut_short_proves_nothing(proven: Flow) -> None:
    watch = dataclasses.replace(proven.watch, closed_at=(proven.watch.opened_at or 0) + 3)
    outcome, actual = judged(dataclasses.replace(proven, watch=watch))
    assert (outcome, "cut short" in actual) == ("unseen", True)


def test_without_a_positive_control_nothing_is_proven(proven: Flow) -> None:
    outcome, actual = judged(dataclasses.replace(proven, controls=()))
    assert (outcome, "no positive control" in actual) == ("unseen", True)


def test_a_follower_must_have_been_seen_to_follow(proven: Flow) -> None:
    dialled = Control("callee", Address("127.20.0.2"), 0.0, "f0")
    assert judged(dataclasses.replace(proven, controls=(dialled,)))[0] == "unseen"
    relaying = {"name": "x", "version": "1", "pics": {"follows_redirects": False}}
    assert judged(dataclasses.replace(proven, controls=(dialled,), device=relaying))[0] == "satisfied"


def test_a_device_that_may_be_dead_proves_nothing(proven: Flow) -> None:
    outcome, actual = judged(dataclasses.replace(proven, life=None))
    assert (outcome, "no sign of life" in actual) == ("unseen", True)


def test_a_sign_of_life_from_before_the_end_of_the_window_is_none(proven: Flow) -> None:
    assert proven.life is not None
    early = dataclasses.replace(proven.life, at=(proven.watch.opened_at or 0) + 1)
    assert judged(dataclasses.replace(proven, life=early))[0] == "unseen"


def test_the_seat_that_was_reached_in_this_flow_needs_no_other_control(proven: Flow) -> None:
    alone = dataclasses.replace(
        proven,
        controls=(),
        seats=tuple(seat for seat in proven.seats if isinstance(seat, Seat) and seat.name == "callee"),
    )
    assert judged(alone)[0] == "satisfied"


@pytest.mark.parametrize(
    ("seat", "text", "outcome"),
    [
        ("guard", "INVITE sip:7001001@127.20.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 127.9.9.9\r\n\r\n", "unseen"),
        ("callee", "\r\nINVITE sip:7001001@127.20.0.2 SIP/2.0\r\n\r\n", "unseen"),
        ("target", "INVITE sip:7001001@127.20.0.2 SIP/2.0\r\n\r\n", "satisfied"),
        ("guard", "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.9.9.9\r\n\r\n", "satisfied"),
        ("guard", "INVITE nonsense\r\n: x\r\nVia: SIP/2.0/UDP 127.9.9.9\r\n\r\n", "satisfied"),
        ("guard", "GET / HTTP/1.1\r\n\r\n", "satisfied"),
        ("guard", "\0\1\2\3", "satisfied"),
    ],
)
def test_a_request_that_could_not_be_read_is_no_silence(proven: Flow, seat: str, text: str, outcome: str) -> None:
    assert judged(dataclasses.replace(proven, unreadable=(Unreadable(seat, text),)))[0] == outcome


def test_what_a_flow_left_out_is_no_silence(proven: Flow) -> None:
    outcome, actual = judged(dataclasses.replace(proven, unreadable_left_out=3))
    assert (outcome, "and 3 more" in actual) == ("unseen", True)


def test_an_unreadable_datagram_survives_storage(proven: Flow) -> None:
    made = dataclasses.replace(proven, unreadable=(Unreadable("guard", "at callee: x"),), unreadable_left_out=2)
    assert load(Flow, dump(made), "a flow") == made


def test_the_code_of_an_unproven_silence_names_the_condition(proven: Flow) -> None:
    first = original(proven)
    assert first is not None
    assert first.final is not None
    dead = dataclasses.replace(proven, life=None)
    finding = silent(dead, code="redialled", after=first.final, expected="no INVITE", means="it rings again")
    assert (finding.code, finding.unproven) == (NO_LIFE, "the device gave no sign of life after the window")


def test_a_datagram_that_this_machine_dropped_is_no_silence(proven: Flow) -> None:
    seats = tuple(dataclasses.replace(seat, drops=2 if seat.name == "guard" else 0) for seat in proven.seats)
    outcome, actual = judged(dataclasses.replace(proven, seats=seats))
    assert (outcome, "this machine dropped 2 datagrams that arrived at guard" in actual) == ("unseen", True)
