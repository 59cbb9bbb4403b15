"""When a drive takes a call for over: what callers and endpoints still owe each other."""

from __future__ import annotations

import asyncio

import pytest

from harness.drive.caller import CallerState
from harness.drive.recorder import Recorder
from harness.model.flow import Event, Fate
from harness.model.plan import Answer, Call, Cancelled, Endpoint, Plan, Response


def heard(seat: str, line: str, branch: str = "z1", cseq: str = "1 INVITE", at: float = 1.0, fate: Fate = "") -> Event:
    lines = (line.removeprefix("<"), f"Via: SIP/2.0/UDP h;branch={branch}", "To: <sip:a>;tag=t", "Call-ID: c")
    raw = "\r\n".join((*lines, f"CSeq: {cseq}", "", ""))
    return Event(raw, 0, at, seat, "sent" if line[0] == "<" else "received", fate=fate)


def after(asked: CallerState, *messages: Event) -> bool:
    for message in messages:
        asked.follow(message)
    return asked.due


INVITE = heard("caller", "<INVITE sip:a SIP/2.0")
TRYING, RINGING = heard("caller", "SIP/2.0 100 Trying"), heard("caller", "SIP/2.0 180 Ringing")
DECLINED = heard("caller", "SIP/2.0 603 Decline", at=2.0)
ACK = heard("caller", "<ACK sip:a SIP/2.0", cseq="1 ACK")
ACCEPTED = heard("caller", "SIP/2.0 200 OK")
ENDED = heard("caller", "SIP/2.0 200 OK", cseq="3 BYE")


def test_a_caller_waits_for_its_final_response() -> None:
    asked = CallerState(Call(), 0.0)
    assert after(asked, INVITE, TRYING)
    assert not asked.reached, "a 100 says nothing"
    assert after(asked, RINGING)
    assert asked.reached
    assert after(asked, DECLINED), "its ACK is still to come"
    assert not after(asked, ACK)
    assert (asked.status, asked.answered_at) == (603, 2.0)
    asked.follow(heard("caller", "SIP/2.0 603 Decline", at=9.0))
    assert asked.answered_at == 2.0, "the first copy counts"


@pytest.mark.parametrize(
    ("call", "acks"), [(Call(acks=0), 0), (Call(), 1), (Call(acks=3), 3), (Call(act="repeat", acks=2), 2)]
)
def test_as_many_acks_are_waited_for_as_the_plan_sends(call: Call, acks: int) -> None:
    asked = CallerState(call, 0.0)
    owed = [after(asked, DECLINED), *(after(asked, ACK) for _ in range(acks))]
    assert owed == [True] * acks + [False]


def test_an_answered_call_is_over_when_its_caller_has_ended_it() -> None:
    assert not after(CallerState(Call(), 0.0), ACCEPTED, ACK)
    asked = CallerState(Call(), 0.0, hangs_up=True)
    assert after(asked, ACCEPTED, ACK)
    assert not after(asked, ENDED)


def test_other_requests_have_no_ack() -> None:
    asked = CallerState(Call(method="MESSAGE"), 0.0)
    assert not after(asked, heard("caller", "SIP/2.0 302 Moved", cseq="1 MESSAGE"))


def busy(answer: Answer, *messages: Event) -> list[bool]:
    async def followed() -> list[bool]:
        recorder, states = Recorder(Plan((Endpoint("callee", "callee", (answer,)),))), []
        for message in messages:
            recorder.hear(message)
            states.append(recorder.invites.busy())
        return states

    return asyncio.run(followed())


ARRIVES = heard("callee", "INVITE sip:a SIP/2.0")
CANCELLED = heard("callee", "CANCEL sip:a SIP/2.0", cseq="1 CANCEL")
RINGS_LONG = (Response(180), Response(480, after=30))


def sends(status: int, branch: str = "z1", cseq: str = "1 INVITE") -> Event:
    return heard("callee", f"<SIP/2.0 {status} X", branch, cseq)


@pytest.mark.parametrize(("cancelled", "ends"), [("terminate", 487), ("answer", 200)])
def test_a_cancelled_branch_is_waited_for_and_then_its_answer_is_not(cancelled: Cancelled, ends: int) -> None:
    answer = Answer(RINGS_LONG, cancelled=cancelled, cancelled_after=1.0, then="wait")
    states = busy(answer, ARRIVES, sends(180), CANCELLED, sends(200, cseq="1 CANCEL"), sends(ends))
    assert states == [True, True, True, True, False]


@pytest.mark.parametrize("cancelled", ["ignore", "deaf"])
def test_a_branch_that_minds_no_cancel_goes_on(cancelled: Cancelled) -> None:
    answer = Answer((Response(180), Response(603, after=1)), cancelled=cancelled)
    assert busy(answer, ARRIVES, sends(180), CANCELLED, sends(603)) == [True, True, True, False]
    # One that never ends is not waited for.
    assert not any(busy(Answer((Response(180),), cancelled=cancelled), ARRIVES, sends(180), CANCELLED))


def test_forged_responses_count_as_sent() -> None:
    answer = Answer((Response(302, forged="branch"), Response(302, forged="method"), Response(603)))
    messages = (ARRIVES, sends(302, "other"), sends(302, cseq="1 INFO"), sends(603))
    assert busy(answer, *messages) == [True, True, True, False]


def test_what_the_tap_lost_on_its_way_to_an_endpoint_is_nothing_that_it_will_answer() -> None:
    async def followed() -> None:
        recorder = Recorder(Plan((Endpoint("callee", "callee", (Answer((Response(603),)),)),)))
        recorder.hear(heard("callee", "INVITE sip:a SIP/2.0", fate="lost"))
        assert (recorder.invites.busy(), recorder.invites.count(), len(recorder.events())) == (False, 0, 1)
        recorder.hear(heard("callee", "INVITE sip:a SIP/2.0"))
        assert (recorder.invites.busy(), recorder.invites.count()) == (True, 1)

    asyncio.run(followed())


def test_a_response_that_the_tap_lost_opens_no_window_and_its_copy_is_waited_for() -> None:
    async def followed() -> None:
        recorder = Recorder(Plan((Endpoint("callee", "callee", (Answer((Response(603),)),)),)))
        recorder.hear(ARRIVES)
        recorder.hear(heard("callee", "<SIP/2.0 603 X", at=5.0, fate="lost"))
        assert (recorder.invites.busy(), recorder.invites.last_final_at()) == (True, None)
        assert [event.direction for event in recorder.events()] == ["received"]
        assert [event.status for event in recorder.lost] == [603]
        recorder.hear(heard("callee", "<SIP/2.0 603 X", at=6.0))
        assert (recorder.invites.busy(), recorder.invites.last_final_at()) == (False, 6.0)

    asyncio.run(followed())
