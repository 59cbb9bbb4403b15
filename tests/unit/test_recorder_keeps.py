"""What a drive keeps of a flood: its first and its last messages, so that no silence is made by cutting."""

from __future__ import annotations

import asyncio

from harness.drive.recorder import KEPT_OF_A_KIND, Recorder
from harness.model.flow import Event, Fate
from harness.model.plan import Answer, Endpoint, Plan, Response

PLAN = Plan((Endpoint("callee", "callee", (Answer((Response(603),)),)),))


def message(line: str, at: float, call: str, fate: Fate = "") -> Event:
    raw = f"{line}\r\nVia: SIP/2.0/UDP h;branch=z{call}\r\nCall-ID: {call}\r\nCSeq: 1 INVITE\r\n\r\n"
    return Event(raw, 0, at, "callee", "sent" if line.startswith("SIP") else "received", fate=fate)


def recorded(*events: Event) -> Recorder:
    async def heard() -> Recorder:
        recorder = Recorder(PLAN)
        for event in events:
            recorder.hear(event)
        return recorder

    return asyncio.run(heard())


def invites(first: int, last: int) -> list[Event]:
    return [message("INVITE sip:a SIP/2.0", float(number), f"c{number}") for number in range(first, last)]


def test_the_first_and_the_last_of_a_kind_are_kept_in_their_order() -> None:
    recorder = recorded(*invites(0, 300), message("SIP/2.0 603 Decline", 300.5, "c0"), *invites(301, 602))
    events, half = recorder.events(), KEPT_OF_A_KIND // 2
    came = [event.time for event in events if event.from_device]
    assert came == [*map(float, range(half)), *map(float, range(602 - half, 602))]
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert max(came) > next(event.time for event in events if event.status == 603), "the device went on calling"
    assert recorder.dropped == {("callee", "INVITE"): 601 - KEPT_OF_A_KIND}


def test_nothing_is_cut_of_what_there_is_room_for() -> None:
    recorder = recorded(*invites(0, KEPT_OF_A_KIND))
    assert [event.time for event in recorder.events()] == list(map(float, range(KEPT_OF_A_KIND)))
    assert not recorder.dropped


def test_what_the_tap_lost_on_purpose_is_kept_apart_to_the_last() -> None:
    sent = [message("SIP/2.0 603 Decline", float(n), f"c{n}", "lost" if n % 2 else "") for n in range(150)]
    recorder = recorded(*sent)
    assert [event.time for event in recorder.events()] == list(map(float, range(0, 150, 2)))
    assert [event.time for event in recorder.lost_on_purpose()] == list(map(float, range(1, 150, 2)))


def test_somebody_elses_call_leaves_nothing() -> None:
    recorder = recorded(*invites(0, 150))
    recorder.disown()
    assert recorder.events() == ()
