from __future__ import annotations

import pytest
from refused_flow import URI, Wire, declined, outcomes

from harness.judge.acks import acknowledged, late_copies, no_ack_doubt, refused
from harness.judge.attempts import original
from harness.model.flow import Trouble
from harness.model.verdict import Verdict
from suites.transaction import test_ack as purposes


def _acknowledged(flow):
    return acknowledged(flow, refused(flow))


def test_an_ack_is_an_ack_wherever_and_however():
    astray = Wire().invite().answer(0.01, 603).ack(0.02, branch="z9hG4bKother", to_tag="", cseq="2 ACK")
    assert _acknowledged(astray.flow()).outcome == "satisfied"
    other_call = Wire().invite().answer(0.01, 603).ack(0.02, call_id="c2")
    assert _acknowledged(other_call.flow()).outcome == "satisfied"


def test_a_missing_ack_is_violated_only_when_it_could_have_been_seen():
    flow = Wire().invite().answer(0.01, 603).answer(0.51, 603).flow()
    assert _acknowledged(flow).outcome == "violated"
    assert "2 times" in _acknowledged(flow).actual
    assert _acknowledged(Wire().invite().answer(0.01, 603).flow(closed=1.0)).outcome == "unseen"
    assert _acknowledged(Wire().invite().answer(0.01, 603).flow(alive=False)).outcome == "unseen"
    died = (Trouble("device", "the device exited with 1 by itself"),)
    flow = Wire().invite().answer(0.01, 603).flow(troubles=died)
    assert "exited" in no_ack_doubt(flow, refused(flow))


def test_a_late_ack_is_a_warning():
    found = _acknowledged(Wire().invite().answer(0.0, 603).ack(2.5).flow())
    assert (found.outcome, found.at_most) == ("violated", Verdict.WARN)


def test_copies_in_flight_are_no_copies_after_the_response():
    def late(wire):
        return len(late_copies(original(wire.flow())))

    assert late(Wire().invite().answer(0.3, 603).invite(0.39).ack(0.31)) == 0
    assert late(Wire().invite().answer(0.3, 603).invite(0.5).ack(0.51)) == 0, "the device was slow, and so its ACK"
    assert late(Wire().invite().answer(0.3, 603).ack(0.31).invite(0.5).invite(1.5)) == 2
    assert late(Wire().invite().answer(0.3, 603).invite(0.5).invite(1.5)) == 2
    assert late(Wire().invite().invite(0.5).answer(0.7, 603).ack(0.71)) == 0


RIGHT = {
    "rport in other order": {"via": "Via: SIP/2.0/UDP 127.0.0.9;branch=z9hG4bKone;rport"},
    "compact": {"via": "v: SIP/2.0/UDP 127.0.0.9:5060;branch=z9hG4bKone"},
    "display name": {"from_": '"Bob" <sip:device@127.0.0.9>;tag=f1'},
    "without brackets": {"from_": "sip:device@127.0.0.9;tag=f1"},
}


@pytest.mark.parametrize("how", RIGHT)
def test_what_an_ack_may_look_like(how):
    flow = Wire().invite().answer(0.01, 603).ack(0.02, **RIGHT[how]).flow()
    for name in ("repeats_request_uri_call_id_and_from", "has_the_via_of_the_invite", "has_the_to_of_the_response"):
        assert set(outcomes(getattr(purposes, f"test_ack_{name}")([flow]))) == {"satisfied"}, name


WRONG = {
    "repeats_request_uri_call_id_and_from": (
        {"uri": "sip:moved@127.0.0.3"},
        {"call_id": "c2"},
        {"from_": "<sip:device@127.0.0.9>;tag=f2"},
    ),
    "has_the_via_of_the_invite": (
        {"branch": "z9hG4bKtwo"},
        {"via": "Via: SIP/2.0/UDP 127.0.0.9:5062;branch=z9hG4bKone"},
        {"via": "Via: SIP/2.0/UDP 127.0.0.9:5060;branch=z9hG4bKone, SIP/2.0/UDP 127.0.0.8;branch=z9hG4bKx"},
        {"via": "Via: SIP/2.0/UDP 127.0.0.9:5060;rport=5060;branch=z9hG4bKone"},
    ),
    "has_the_to_of_the_response": ({"to_tag": ""}, {"to_tag": "other"}),
    "has_the_cseq_number_of_the_invite": ({"cseq": "2 ACK"}, {"cseq": "1 INVITE"}),
    "has_no_body": ({"body": "v=0\r\n"},),
    "goes_where_the_invite_went": ({"seat": "other"},),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_wrong_ack_is_found_by_its_own_purpose_alone(name):
    for how in WRONG[name]:
        flow = Wire(purposes.POINTING_DECLINE).invite().answer(0.01, 603).ack(0.02, **how).flow()
        for other in WRONG:
            found = "violated" in outcomes(getattr(purposes, f"test_ack_{other}")([flow]))
            assert found == (other == name), (how, other)


def test_an_equivalent_request_uri_and_a_copied_via_are_warnings():
    flow = Wire().invite().answer(0.01, 603).ack(0.02, uri=URI.replace("127", "127").replace("sip:", "SIP:")).flow()
    (found,) = (f for f in purposes.test_ack_repeats_request_uri_call_id_and_from([flow]) if f.outcome == "violated")
    assert found.at_most is Verdict.WARN
    via = "Via: SIP/2.0/UDP 127.0.0.9:5060;received=127.0.0.9;branch=z9hG4bKone"
    flow = Wire().invite().answer(0.01, 603).ack(0.02, via=via).flow()
    (found,) = (f for f in purposes.test_ack_has_the_via_of_the_invite([flow]) if f.outcome == "violated")
    assert found.at_most is Verdict.WARN


def test_without_an_ack_its_looks_are_unseen():
    flow = Wire().invite().answer(0.01, 603).flow()
    for name in WRONG:
        assert outcomes(getattr(purposes, f"test_ack_{name}")([flow])) == ["unseen"]


def test_the_to_tag_of_a_180_is_wrong_in_the_ack():
    wire = Wire().invite().answer(0.01, 180, to_tag="ring").answer(0.2, 603, to_tag="final").ack(0.21, to_tag="ring")
    assert outcomes(purposes.test_ack_has_the_to_of_the_response([wire.flow()])) == ["violated"]


def test_the_right_ack_passes_everything():
    flow = declined().flow()
    for name in WRONG:
        assert set(outcomes(getattr(purposes, f"test_ack_{name}")([flow]))) == {"satisfied"}


def test_one_flow_without_ack_takes_nothing_from_the_others():
    never = Wire().invite().answer(0.01, 603).flow()
    right = declined().flow()
    wrong = Wire().invite().answer(0.01, 603).ack(0.02, to_tag="other").flow()
    judge = purposes.test_ack_has_the_to_of_the_response
    assert outcomes(judge([right, never])) == ["satisfied"]
    assert outcomes(judge([never, wrong])) == ["violated"]
    assert outcomes(judge([never, never])) == ["unseen"]
