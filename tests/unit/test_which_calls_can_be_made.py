"""What a profile must name for a plan's calls, and what is said where it does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.device import Profile, load_profile
from harness.errors import ProfileError
from harness.model.plan import Call, Plan
from harness.run.execution import _cannot_call

BOUND = Plan((), (Call("sip:{token}@{device}"),), bindings=("<sip:1@192.0.2.1>",))


REJECTS = {"kind": "command", "reject": ["true"]}


def lab(stimulus: object = None, **more: object) -> Profile:
    return Profile.model_validate(
        {
            "device": {"name": "dut", "roles": ["uas"]},
            "lab": {"address": "192.0.2.7:5060", "tester": "192.0.2.10", **more},
            "stimulus": stimulus or {"kind": "sipp"},
        }
    )


@pytest.mark.parametrize(
    ("plan", "profile", "says"),
    [
        (Plan(()), lab(), ""),
        (BOUND, lab(registrar=True), ""),
        (BOUND, lab(), "nothing can be registered with dut.*lab.registrar = true"),
        (Plan((), (Call("{declines}"),)), lab(), "names no number for it: lab.numbers.declines"),
        (Plan((), (Call("{declines}"),)), lab(registrar=True), "lab.numbers.declines"),
        (Plan((), (Call("{declines}"), Call("{rings}"))), lab(), "lab.numbers.declines and lab.numbers.rings"),
        (Plan((), (Call("{declines}"),)), lab(numbers={"declines": "sip:6@{device}"}), ""),
        # A phone that rings, and can be told to decline, is as good as a number that declines.
        (Plan((), (Call("{declines}"),)), lab(REJECTS, numbers={"rings": "sip:1@{device}"}), ""),
        (Plan((), (Call("{declines}"),)), lab(numbers={"rings": "sip:1@{device}"}), "lab.numbers.declines"),
        # With a registrar the registered user is the one who is redirected to.
        (Plan((), (Call("{redirects}"), Call("{unknown}")), bindings=BOUND.bindings), lab(registrar=True), ""),
        # Where the profile names that one nothing needs to be registered.
        (Plan((), (Call("{redirects}"),), bindings=BOUND.bindings), lab(numbers={"redirects": "sip:3@{device}"}), ""),
    ],
)
def test_calls_that_cannot_be_made_are_told(plan: Plan, profile: Profile, says: str) -> None:
    reason = _cannot_call(plan, profile, "dut", "uas")
    assert bool(reason) == bool(says)
    assert re.search(says, reason)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('numbers = { decline = "sip:6@{device}" }', "lab.numbers.decline: no such number; expected one of declines, "),
        ('numbers = { declines = "sip:6@{host}" }', "lab.numbers.declines: {host} is no placeholder here"),
        ('numbers = { declines = "sip:{0}@{device}" }', "lab.numbers.declines: expected a SIP URI"),
        ('numbers = { declines = "603" }', "lab.numbers.declines: expected a SIP URI, as in sip:600@{device}"),
        ("numbers = { declines = 603 }", "lab.numbers.declines: expected a string"),
        ('registrar = "yes"', "lab.registrar: expected true or false"),
        ("registar = true", "lab.registar: unknown key"),
    ],
)
def test_a_number_that_cannot_be_called_is_named_with_its_key(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "device.toml"
    path.write_text(
        f"""
[device]
name = "dut"
roles = ["uas"]
[lab]
address = "192.0.2.7:5060"
{line}
[stimulus]
kind = "sipp"
"""
    )
    with pytest.raises(ProfileError) as caught:
        load_profile(path)
    assert says in caught.value.cause
