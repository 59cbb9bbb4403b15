"""Whose a message is that comes to a shared socket, or late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from harness.drive.names import Names
from harness.drive.recorder import Recorder
from harness.drive.switchboard import Switchboard
from harness.model.flow import Event, Unreadable
from harness.model.plan import Plan


def invite(user: str, call_id: str = "c1", time: float = 1.0, method: str = "INVITE") -> Event:
    raw = f"{method} sip:{user}@127.0.0.2 SIP/2.0\r\nCall-ID: {call_id}\r\nCSeq: 1 {method}\r\n\r\n"
    return Event(raw, time=time, seat="exchange")


def played(act: Callable[[Switchboard, Recorder, Recorder, str, str], None]) -> None:
    async def play() -> None:
        names = Names("device", "7")
        board, first, second = Switchboard(names), Recorder(Plan(())), Recorder(Plan(()))
        one, two = names.token(), names.token()
        board.enrol(one, first)
        board.enrol(two, second)
        act(board, first, second, one, two)

    asyncio.run(play())


def test_digits_tell_whose_it_is() -> None:
    def act(board: Switchboard, first: Recorder, second: Recorder, one: str, two: str) -> None:
        board.hear(invite(two))
        assert (len(first.heard), len(second.heard)) == (0, 1)
        board.hear(invite("0", method="BYE"))  # of the same call, without digits
        assert len(second.heard) == 2
        assert not list(board.strays(0, 10))

    played(act)


def test_what_bears_no_digits_is_everybodys() -> None:
    def act(board: Switchboard, first: Recorder, second: Recorder, _one: str, _two: str) -> None:
        board.hear(invite("0", "other", time=5.0))
        board.put_aside(Unreadable("exchange", "GET / HTTP/1.1", 5.0))
        assert not first.heard
        assert not second.heard
        assert [event.request_uri for event in board.strays(4, 6)] == ["sip:0@127.0.0.2"]
        assert len(list(board.unreadable(4, 6))) == 1
        assert not list(board.strays(6, 8))

    played(act)


def test_a_drive_that_is_over_keeps_what_comes_late() -> None:
    def act(board: Switchboard, first: Recorder, _second: Recorder, one: str, _two: str) -> None:
        board.hear(invite(one))
        first.over = True
        board.hear(invite(one, "c2", time=9.0))
        assert len(first.heard) == 1
        assert [(event.number, event.time) for event in first.late()] == [(2, 9.0)]

    played(act)


def test_a_late_call_at_the_seat_of_another_drive_is_not_its_own() -> None:
    def act(board: Switchboard, first: Recorder, second: Recorder, one: str, two: str) -> None:
        first.over = True
        board.hear_at(invite(one, "late"), second)
        board.hear_at(invite("x", "late", method="ACK"), second)
        board.hear_at(invite(two, "own"), second)
        assert [event.call_id for event in first.late()] == ["late", "late"]
        assert [event.call_id for event in second.heard] == ["own"]

    played(act)


def test_a_drive_that_goes_on_keeps_what_comes_to_its_seat() -> None:
    def act(board: Switchboard, first: Recorder, second: Recorder, one: str, _two: str) -> None:
        board.hear_at(invite(one, "astray"), second)  # the drive of these digits is not over
        assert [event.call_id for event in second.heard] == ["astray"]
        assert not first.heard

    played(act)
