"""What a profile must name for a plan's calls, and what is said where it does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.device import Profile, load_profile
from harness.drive.domain import as_driven
from harness.errors import ProfileError
from harness.judge.say import Findings, satisfied
from harness.model.axes import Axes, Role
from harness.model.flow import Flow, Watch
from harness.model.places import Places
from harness.model.plan import Call, Plan
from harness.model.windows import QUICK
from harness.purposes.purpose import purpose, purpose_of
from harness.purposes.troubles import left_out_told
from harness.run.permitted import cannot_call, cannot_reach, permitted
from suites.plans import callee, redirect, refuse

BOUND = Plan((), (Call("sip:{token}@{device}"),), bindings=("<sip:1@192.0.2.1>",))


def drive(plan: Plan) -> Flow:
    return Flow("f", plan, "uas", "udp", {}, Places("1"), (), (), (), Watch(QUICK, None, 0.0))


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
        (BOUND, lab(), "dut accepts no registrations.*lab.registrar = true"),
        (Plan((), (Call("{declines}"),)), lab(), "lacks a number: lab.numbers.declines"),
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
    reason = cannot_call(plan, profile, "dut", "uas")
    assert bool(reason) == bool(says)
    assert re.search(says, reason)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            'numbers = { decline = "sip:6@{device}" }',
            "lab.numbers.decline: no such number; expected one of blocked, declines, ",
        ),
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


def test_times_of_a_device_are_declared() -> None:
    assert lab().timers == {}
    profile = lab().model_copy(update={"pixit": {"t1_s": 2, "t2_s": 16.0}})
    assert profile.timers == {"t1": 2.0, "t2": 16.0}


DECLINES, REDIRECTS = Plan((), (Call("{declines}"),)), Plan((), (Call("{redirects}"),))
NAMED = {"declines": "sip:6@{device}"}


@purpose("RFC3261-8.2.6.2-01", plan={"uas": (DECLINES, REDIRECTS)})
def each(flow: Flow) -> Findings:
    yield satisfied(flow.id)


@purpose("RFC3261-8.2.6.2-01", plan={"uas": (DECLINES, REDIRECTS)})
def together(flows: tuple[Flow, ...]) -> Findings:
    yield satisfied(flows[0].id)


@pytest.mark.parametrize(
    ("function", "named", "driven", "why_not"),
    [
        (each, NAMED | {"redirects": "sip:3@{device}"}, (DECLINES, REDIRECTS), ""),
        (each, NAMED, (DECLINES,), ""),
        (each, {}, (), "lab.numbers.declines"),
        (together, NAMED, (DECLINES,), "lab.numbers.redirects"),
    ],
)
def test_a_phone_that_only_declines_is_asked_about_its_603(
    function: object, named: dict[str, str], driven: tuple[Plan, ...], why_not: str
) -> None:
    judged = purpose_of(function)
    assert judged is not None
    plans, reason = permitted(judged, Axes("uas"), lab(numbers=named), "dut")
    assert plans == driven
    assert bool(reason) == bool(why_not)
    assert why_not in reason


def test_the_plans_that_were_left_out_are_named() -> None:
    judged = purpose_of(each)
    assert judged is not None
    flow = drive(DECLINES)
    assert left_out_told(judged, "uas", [flow]) == "left out: INVITE {redirects} (needs lab.numbers.redirects)"
    assert left_out_told(judged, "uas", [flow, drive(REDIRECTS)]) == ""
    assert left_out_told(judged, "uas", []) == ""


CALLEE, REDIRECTING = callee(refuse()), callee(redirect("<sip:1@x>"))
HOME, STRANGER = Call("sip:{token}@{device}"), Call("sip:{token}@{callee}")


def server(role: str, *pics: str, **more: object) -> Profile:
    return Profile.model_validate(
        {
            "device": {"name": "dut", "roles": [role], "transports": ["udp", "ws"]},
            "pics": dict.fromkeys(pics, True),
            "lab": {"address": "192.0.2.7:5060", "tester": "192.0.2.10", "opens_websockets": False, **more},
            "stimulus": {"kind": "sipp"},
        }
    )


RECURSING = ("stateful_proxy", "proxy_recurses_3xx")


@pytest.mark.parametrize(
    ("profile", "role", "plan", "can"),
    [
        (server("proxy", registrar=True), "proxy", Plan((CALLEE,), (STRANGER,)), True),  # who registers first
        (server("proxy", registrar=True), "proxy", Plan((REDIRECTING,), (HOME,), bindings=BOUND.bindings), True),
        (server("proxy", "relays_foreign", registrar=True), "proxy", Plan((REDIRECTING,), (STRANGER,)), False),
        (server("proxy"), "proxy", Plan((CALLEE,), (STRANGER,)), False),
        (server("proxy", *RECURSING, registrar=True), "proxy", Plan((REDIRECTING,), (HOME,)), False),
        (server("proxy", *RECURSING, registrar=True), "proxy", Plan((CALLEE,), (HOME,)), True),
        (server("b2bua"), "b2bua", Plan((CALLEE,), (STRANGER,)), False),
        (server("b2bua", exchange="192.0.2.10:5060"), "b2bua", Plan((CALLEE,), (STRANGER,)), True),
        (server("uas"), "uas", Plan((CALLEE,), (HOME,)), True),
        (server("redirect", registrar=True), "redirect", Plan((CALLEE,), (HOME,), bindings=BOUND.bindings), True),
        (server("b2bua", opens_websockets=True), "b2bua", Plan((CALLEE,), (STRANGER,)), True),
    ],
)
def test_a_server_that_opens_no_websockets_reaches_those_who_registered(
    profile: Profile, role: Role, plan: Plan, can: bool
) -> None:
    assert bool(cannot_reach(plan, profile, "dut", Axes(role, "ws"))) is not can
    assert cannot_reach(plan, profile, "dut", Axes(role, "udp")) == ""
    assert cannot_reach(plan, profile, "dut", Axes(role, "tcp")) == ""


def test_who_relays_for_strangers_meets_users_over_websockets_alone() -> None:
    profile, plan = server("proxy", "relays_foreign", registrar=True), Plan((CALLEE,), (STRANGER,))
    assert as_driven(plan, "proxy", profile, "udp") is plan
    met = as_driven(plan, "proxy", profile, "ws")
    assert (met.calls, met.bindings) == ((HOME,), ("<sip:{token}@{callee}>",))
