"""What a profile must name for a plan's calls, and what is said where it does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.device import load_profile
from harness.device.models import LabSection
from harness.errors import ProfileError
from harness.plan import Call, Plan
from harness.run import _cannot_call

BOUND = Plan((), (Call("sip:{token}@{device}"),), bindings=("<sip:1@192.0.2.1>",))


def lab(**more: object) -> LabSection:
    return LabSection.model_validate(more)


@pytest.mark.parametrize(
    ("plan", "section", "says"),
    [
        (Plan(()), lab(), ""),
        (BOUND, lab(registrar=True), ""),
        (BOUND, lab(), "nothing can be registered with dut.*lab.registrar = true"),
        (Plan((), (Call("{declines}"),)), lab(), "names no number for it: lab.numbers.declines"),
        (Plan((), (Call("{declines}"),)), lab(registrar=True), "lab.numbers.declines"),
        (Plan((), (Call("{declines}"), Call("{rings}"))), lab(), "lab.numbers.declines and lab.numbers.rings"),
        (Plan((), (Call("{declines}"),)), lab(numbers={"declines": "sip:6@{device}"}), ""),
        # With a registrar the registered user is the one who is redirected to.
        (Plan((), (Call("{redirects}"), Call("{unknown}")), bindings=BOUND.bindings), lab(registrar=True), ""),
        # Where the profile names that one nothing needs to be registered.
        (Plan((), (Call("{redirects}"),), bindings=BOUND.bindings), lab(numbers={"redirects": "sip:3@{device}"}), ""),
    ],
)
def test_calls_that_cannot_be_made_are_told(plan: Plan, section: LabSection, says: str) -> None:
    reason = _cannot_call(plan, section, "dut")
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
