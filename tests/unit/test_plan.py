"""Plans, what their placeholders stand for, and that a flow keeps all of it."""

from __future__ import annotations

import dataclasses

import pytest

from harness.model.flow import Flow, Watch
from harness.model.places import Places
from harness.model.plan import NUMBERS, Answer, Call, Endpoint, Plan, Response
from harness.model.windows import QUICK
from harness.net.address import Address
from harness.purposes.discovery import all_purposes
from harness.store.codec import dump, load

CALLEE, DEVICE = Address("127.20.0.2", 5062), Address("127.20.0.9")

FULL = Plan(
    (
        Endpoint(
            "callee",
            "callee",
            (
                Answer(
                    (
                        Response(
                            302, "", ("<sip:{token}@{target}>",), ("X: {device}",), body="b {callee}", forged="branch"
                        ),
                    ),
                    copies=(0.5,),
                    reinvites=(Response(488),),
                    cancelled="answer",
                    cancelled_after=0.5,
                ),
            ),
        ),
        Endpoint("target", "target", (Answer(),), beside="callee"),
    ),
    calls=(
        Call("{declines}", headers=("A: 1", "B: {token}"), vias=("SIP/2.0/UDP {callee}",), from_params=";x", acks=0),
        Call("sip:{token}@{device}", act="repeat", ack_copy=2, max_forwards=0, method="INVITE"),
    ),
    bindings=("<sip:{token}@{callee}>;q=1",),
)


def flow(plan: Plan, places: Places) -> Flow:
    watch = Watch(QUICK, None, 1.0)
    return Flow("f", plan, "proxy", "udp", {"name": "d"}, places, (), (), (), watch)


def test_a_flow_keeps_its_whole_plan_and_all_places() -> None:
    places = Places("7001", {"callee": CALLEE}, DEVICE, {"declines": f"sip:603@{DEVICE}"})
    whole = flow(FULL, places)
    again = load(Flow, dump(whole), "f")
    assert again == whole
    assert {again.plan: 1}[FULL], "plans are keys"
    assert load(Flow, dump(flow(FULL, Places("7001"))), "f").places.device is None


def test_every_plan_of_the_suite_is_one_that_a_reader_takes() -> None:
    """A stored flow is checked type by type, words and all: a word that only a plan uses would make it unreadable."""
    for purpose in all_purposes().values():
        for plan in purpose.plans:
            assert load(Plan, dump(plan), purpose.name) == plan


def test_placeholders_are_filled_in() -> None:
    places = Places("7001", {"callee": CALLEE}, DEVICE, {"declines": f"sip:603@{DEVICE}"})
    text = "{token} {callee} {callee.host} {callee.port} {device} {device.host} {declines}"
    expected = f"7001 {CALLEE} 127.20.0.2 5062 {DEVICE} 127.20.0.9 sip:603@{DEVICE}"
    assert places.fill(text) == expected
    with pytest.raises(KeyError):
        dataclasses.replace(places, device=None).fill("{device}")
    with pytest.raises(KeyError):
        places.fill("{redirects}")


def test_a_plan_names_its_numbers_and_all_its_texts() -> None:
    assert FULL.numbers == ("declines",)
    assert Plan((), (Call("{rings}"), Call("{declines}"), Call("{rings}"))).numbers == ("rings", "declines")
    assert [Call(f"{{{name}}}").numbers for name in NUMBERS] == [(name,) for name in NUMBERS]
    texts = set(FULL.texts())
    assert {"X: {device}", "b {callee}", "B: {token}", "SIP/2.0/UDP {callee}", ";x", "{declines}"} <= texts
    assert FULL.bindings[0] in texts


def test_a_plan_has_a_title_even_without_endpoints() -> None:
    assert FULL.title == "callee 302, target no answer"
    assert Plan((), (Call("{declines}"), Call("{rings}", method="MESSAGE"))).title == (
        "INVITE {declines}, MESSAGE {rings}"
    )
