"""A finding's fingerprint is the same from run to run, and another one for another finding."""

from __future__ import annotations

import pytest

from harness.model.fingerprint import LENGTH, fingerprint, kind

SAME = [
    (
        "INVITE sip:71130012@127.39.0.15:5060 SIP/2.0 arrived 26 ms after the 603 (message 2)",
        "INVITE sip:88@127.1.0.5:5070 SIP/2.0 arrived 33.0 s after the 603 (message 14)",
    ),
    ("To: <sip:7001@127.0.1.1:5060>;tag=callee.moved.1", "To: <sip:9@127.0.1.7>;tag=aBcDeF"),
    ("it went to sip:alice@example.com;lr instead", "it went to sip:bob@example.org;lr instead"),
    ("Call-ID: abcdef@host", "Call-ID: xyzzy"),
    ("the branch is 'z9hG4bKabc', not 'z9hG4bKdef'", "the branch is 'z9hG4bKxyz', not 'z9hG4bK-it\\'s'"),
    ("copies after 0.5 s, 1.0 s and 2.0 s", "copies after 0.4 s, 1.1 s, 2.3 s and 4.0 s"),
    ("flaky: 1 fail, 2 pass in 3 drives; fail: x", "flaky: 2 fail, 1 pass in 3 drives; fail: x"),
]
DIFFERENT = [
    ("INVITE arrived after the 603", "INVITE arrived after the 302"),
    ("INVITE arrived after the 603", "CANCEL arrived after the 603"),
    ("a BYE came", "no BYE came"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_changes_from_run_to_run_is_left_out(one: str, other: str) -> None:
    assert kind(one) == kind(other)
    assert fingerprint("R", "violated", ("x",), one) == fingerprint("R", "violated", ("x",), other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_is_another_finding_has_another_fingerprint(one: str, other: str) -> None:
    assert fingerprint("R", "violated", (), one) != fingerprint("R", "violated", (), other)


def test_requirement_outcome_and_expectation_are_part_of_it() -> None:
    found = {
        fingerprint("R", "violated", ("a",), "b"),
        fingerprint("S", "violated", ("a",), "b"),
        fingerprint("R", "unseen", ("a",), "b"),
        fingerprint("R", "violated", ("c",), "b"),
        fingerprint("R", "violated", (), "a b"),
        fingerprint("R", "violated", ("a", "b"), ""),
    }
    assert len(found) == 6
    assert {len(one) for one in found} == {LENGTH}


@pytest.mark.parametrize(
    "text", ["'" * 50_000, "1" * 100_000, "tag=" * 30_000, "(" * 50_000, "a:" * 50_000, "\ud800\0é"]
)
def test_anything_a_device_may_write(text: str) -> None:
    assert len(fingerprint("R", "violated", (text,), text)) == LENGTH
