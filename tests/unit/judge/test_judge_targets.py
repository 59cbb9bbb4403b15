from __future__ import annotations

import pytest
from redirect_flow import TOKEN, Try, drive

from harness.judge.attempts import original
from harness.judge.redirection import by_call, dropped, lost_ack, redirected, redirections, unacknowledged
from harness.judge.targets import address_of, fresh, hops, lapses, repeats, user_of
from harness.model.finding import Finding
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from suites.plans import NEXT_CALL, REDIRECT
from suites.uac import _plans as plans

PLAIN = drive(REDIRECT, Try(), Try("sip:9{token}@{target}", "target"))
WORDS = {"expected": "x", "means": "x", "look_at": "x"}


def test_the_next_call_is_no_redirection():
    flow = drive(NEXT_CALL, Try(), Try(call=1, call_id="c2"))
    assert redirected(flow) is None
    assert [len(call) for call in by_call(flow)] == [1, 1]


def test_a_redirection_is_found_wherever_its_invite_arrived():
    pair = redirected(drive(REDIRECT, Try(), Try("sip:9{token}@{target}", "callee")))
    assert pair is not None
    assert pair.new.seat == "callee"


def test_a_chain_has_a_step_for_each_redirection():
    flow = drive(plans.WORDING, Try(), Try("sip:9{token}@{target}", "target"), Try("sip:8{token}@{target}", "target"))
    assert len(redirections(flow)) == len(hops(flow)) == 2


def test_an_invite_that_went_astray_is_no_step_of_the_chain():
    flow = drive(plans.WORDING, Try(), Try("sip:9{token}@{target}", "callee"))
    assert len(hops(flow)) == 1


def test_a_uri_in_other_words_is_a_repetition():
    flow = drive(
        plans.DUPLICATES,
        Try(),
        Try("sip:a{token}@{target};foo=bar;transport=udp", "target"),
        Try("sip:%61{token}@{target};Transport=UDP;FOO=bar", "target"),
        Try("sip:A{token}@{target};foo=bar;transport=udp", "target"),
    )
    assert [user_of(attempt.invite.request_uri) for attempt in fresh(flow)] == [f"a{TOKEN}", f"A{TOKEN}"]
    assert repeats(flow, original(flow)) is None


@pytest.mark.parametrize(
    ("uri", "user"),
    [
        ("sip:+49@h", "49"),
        ("sip:%61b@h;x=y", "ab"),
        ("sip:h", ""),
        ("tel:+49", ""),
        ("", ""),
        ("sip:a:secret@h", "a"),
    ],
)
def test_user_of_a_uri(uri, user):
    assert user_of(uri) == user


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("sip:a@127.0.0.1", "127.0.0.1:5060"),
        ("sip:a@127.0.0.1:5070;x", "127.0.0.1:5070"),
        ("sip:a@h;maddr=127.0.0.2", "127.0.0.2:5060"),
        ("sips:a@h", "h:5061"),
        ("sip:a@[::1]", "[::1]:5060"),
        ("sip:a@[2001:db8::1]:5070", "[2001:db8::1]:5070"),
        ("sip:a@[2001:0DB8:0::0001]:5070", "[2001:db8::1]:5070"),
        ("mailto:a@h", ""),
    ],
)
def test_address_of_a_uri(uri, address):
    assert address_of(uri) == address


@pytest.mark.parametrize(
    ("actual", "harmless"),
    [
        ("sip:a@h:5060;user=phone", True),
        ("sip:a@h;user=phone;transport=udp", True),
        ("sip:a@h:5060;user=phone;transport=udp;ob", True),
        ("sip:a@h:5060;transport=udp", False),
        ("sip:b@h:5060;user=phone;transport=udp", False),
        ("sip:a@i:5060;user=phone;transport=udp", False),
        ("sip:a@h:5061;user=phone;transport=udp", False),
        ("sip:a@h:5060;user=phone;transport=tcp", False),
        ("not a uri", False),
    ],
)
def test_lapses_that_the_ruling_softens(actual, harmless):
    words, soft = lapses("sip:a@h:5060;user=phone;transport=udp", actual, "udp")
    assert words
    assert soft is harmless


def test_no_lapse_in_other_words_for_the_same():
    assert lapses("sip:%61@h:5060;a=1;b=2", "sip:a@H:5060;B=2;a=1", "udp")[0] == ()


def test_not_followed_is_a_fault_only_where_the_plain_302_was_followed():
    odd = drive(plans.COMPACT, Try())
    first = original(odd)
    assert dropped(odd, first, PLAIN, **WORDS).outcome == "violated"
    assert dropped(odd, first, drive(REDIRECT, Try()), **WORDS).outcome == "unseen"
    dead = drive(plans.COMPACT, Try(), alive=False)
    assert dropped(dead, original(dead), PLAIN, **WORDS).outcome == "unseen"


def lost(odd: Flow, plain: Flow) -> Finding | None:
    return lost_ack(odd, original(odd), plain, what="it")


def test_a_missing_ack_is_a_fault_of_this_response_only_where_the_plain_302_got_one():
    odd = drive(plans.NO_CONTACT, Try(acked=False))
    assert lost(odd, PLAIN).outcome == "violated"
    assert lost(odd, drive(REDIRECT, Try(acked=False))).outcome == "unseen"
    assert lost(PLAIN, PLAIN) is None


def test_a_missing_ack_proves_nothing_of_a_device_that_may_be_dead():
    assert lost(drive(plans.NO_CONTACT, Try(acked=False), alive=False), PLAIN).outcome == "unseen"


def test_a_missing_ack_names_the_header_of_its_response():
    odd = drive(plans.BAD_Q, Try(acked=False))
    found = unacknowledged(odd, [original(odd)], PLAIN)
    assert "no ACK for the 302 with Contact: <sip:17001@" in found.actual
    assert ";q=1.5, " in found.actual


def test_a_late_ack_is_no_ack_in_time():
    late = drive(plans.STAR, Try(acked_after=7.6))
    found = lost(late, PLAIN)
    assert (found.code, found.outcome, found.at_most) == ("late-ack", "violated", Verdict.WARN)
    assert "after 7.6 s" in found.actual
    assert lost(drive(plans.STAR, Try(acked_after=1.9)), PLAIN) is None
    assert lost(late, drive(REDIRECT, Try(acked_after=3.0))).outcome == "unseen"


def test_a_missing_ack_is_unseen_where_acks_go_to_the_contact():
    astray = drive(REDIRECT, Try(acked_at="target"))
    assert lost(drive(plans.FOO, Try(acked=False)), astray).outcome == "unseen"
