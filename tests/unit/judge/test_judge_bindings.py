"""What a redirect server offers of what was registered with it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from answered_flow import URI, Line, outcomes

from harness.judge.bindings import lists_its_bindings
from harness.model.plan import Plan
from harness.net.address import Address

PLAN = Plan((), bindings=("<sip:1{token}@127.0.0.2;transport=udp>;q=0.7", "<sip:2{token}@127.0.0.3>;q=0.3"))
FIRST, SECOND = (binding.format(token="7001") for binding in PLAN.bindings)


def _said(*contacts: str, plan: Plan = PLAN) -> list[str]:
    flow = Line(plan, role="redirect").ask().reply(0.1, 302, contact=", ".join(contacts)).flow()
    flow = replace(flow, places=replace(flow.places, device=Address("127.0.0.9")))
    found = list(lists_its_bindings(flow, "r"))
    return [
        f"{word} {f.code}" if f.outcome == "violated" else word for word, f in zip(outcomes(found), found, strict=True)
    ]


@pytest.mark.parametrize(
    ("contacts", "said"),
    [
        ((FIRST, SECOND), "satisfied"),
        ((SECOND, FIRST), "satisfied"),
        ((FIRST.replace("q=0.7", "expires=60;q=0.700"), SECOND), "satisfied"),
        ((FIRST,), "violated (warn) binding-left-out"),
        ((FIRST, SECOND.partition(";")[0]), "satisfied"),
        ((FIRST.replace("q=0.7", "q=0.2"), SECOND), "violated (warn) preference-turned"),
        ((FIRST, SECOND, "<sip:box@127.0.0.4>"), "violated (warn) contact-not-registered"),
        ((FIRST, SECOND, "<sip:x@127.0.0.9:5060>"), "violated contact-not-registered"),
        (("<sip:x@127.0.0.4>",), "violated contact-not-registered"),
        (("<sip:17001@127.0.0.9:5060>",), "violated (warn) contact-not-registered"),
    ],
)
def test_the_contacts_are_the_bindings(contacts: tuple[str, ...], said: str) -> None:
    assert _said(*contacts) == [said]


def test_nobody_is_offered_what_was_called() -> None:
    plan = Plan((), bindings=(f"<{URI}>", *PLAN.bindings))
    assert _said(FIRST, SECOND, plan=plan) == ["satisfied"]


def test_without_bindings_of_ours_nothing_is_said() -> None:
    assert _said(FIRST, plan=Plan(())) == []
