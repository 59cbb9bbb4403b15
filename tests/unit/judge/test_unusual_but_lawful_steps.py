"""Steps of a redirected call that are unusual and lawful; and what becomes of a response that was cut short."""

from __future__ import annotations

from harness.judge.attempts import attempts
from harness.judge.calls import calls
from harness.judge.redirection import by_call, redirections
from suites.invariants import test_acks, test_answers
from suites.plans import MOVED_URI, NEXT_CALL
from suites.transaction import test_strays
from suites.uac import test_redirect_is_not_remembered as remembered
from suites.uac._plans import HUNT_DECLINES
from tests.unit.judge.redirect_flow import Try, drive, outcomes
from tests.unit.judge.refused_flow import Wire

LATE = Try(MOVED_URI, "target", call=1)
"""What follows the 302 of the first call, when the second call has been asked for."""


def test_a_contact_that_is_called_late_belongs_to_its_call() -> None:
    flow = drive(NEXT_CALL, Try(), Try(call=1, call_id="c2"), LATE)
    assert [[one.seat for one in group] for group in by_call(flow)] == [["callee", "target"], ["callee"]]
    assert [step.new.seat for step in redirections(flow)][:1] == ["target"]
    assert outcomes(remembered.test_next_call_begins_at_the_original_uri, flow) == ["satisfied"]


def test_a_new_call_belongs_to_whoever_dialled_its_number() -> None:
    first, second = Try("sip:{token}1@{callee}", call=1), Try("sip:{token}2@{callee}", call=1, call_id="c2")
    flow = drive(HUNT_DECLINES, first, second)
    found = [[one.invite.call_id for one in call.tries] for call in calls(flow)]
    assert found == [["c1"], ["c2"]]


def test_a_new_call_id_with_the_from_of_the_call_is_no_second_call() -> None:
    wire = Wire().invite().answer(0.02, 302, extra=("Contact: <sip:97001@127.0.0.3:5060>",)).ack(0.03)
    wire.invite(0.05, uri="sip:97001@127.0.0.3:5060", call_id="c2", branch="z9hG4bKtwo")
    wire.invite(3.0, call_id="c3", branch="z9hG4bKthree", from_="<sip:device@127.0.0.9>;tag=f3")
    found = list(test_answers.test_no_tag_is_used_twice(wire.flow(calls=(-0.1, 2.9))))
    assert {one.outcome for one in found} == {"satisfied"}


def test_the_from_tag_of_an_earlier_call_is_used_twice() -> None:
    wire = Wire().invite().answer(0.02, 603).ack(0.03).invite(3.0, call_id="c3", branch="z9hG4bKthree")
    found = list(test_answers.test_no_tag_is_used_twice(wire.flow(calls=(-0.1, 2.9))))
    assert [one.code for one in found if one.outcome == "violated"] == ["tag-reused"]


def _cut_short() -> Wire:
    wire = Wire().invite()
    head = ("Contact: <sip:97001@127.0.0.3:5060>", "Content-Type: text/plain", "Content-Length: 400")
    return wire.answer(0.02, 302, to_tag="short", extra=head).answer(0.2, 486, to_tag="whole")


def test_a_response_that_was_cut_short_is_none() -> None:
    flow = _cut_short().ack(0.21, to_tag="whole").flow()
    (attempt,) = attempts(flow)
    assert attempt.status == 486
    assert [one.outcome for one in test_strays.test_response_that_was_cut_short_is_dropped(flow)] == ["satisfied"]


def test_a_device_that_takes_it_is_found_once() -> None:
    flow = _cut_short().ack(0.03, to_tag="short").ack(0.21, to_tag="short").flow()
    (attempt,) = attempts(flow)
    assert [final.status for final in attempt.finals] == [302, 486]
    found = list(test_strays.test_response_that_was_cut_short_is_dropped(flow))
    assert [one.code for one in found] == ["cut-short-accepted"]
    made = list(test_acks.test_every_ack_of_a_refusal_is_made_of_its_invite(flow))
    assert {one.outcome for one in made} <= {"satisfied"}, made
