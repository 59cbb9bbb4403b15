"""What is odd about a response: changes as data, and that each of the suite's finds something to change."""

from __future__ import annotations

import re

import pytest

from harness.model.oddity import MARK, Oddity, Rewrite, marked
from harness.model.places import Places
from harness.model.plan import Plan, Response
from harness.net.address import Address
from harness.purposes.discovery import all_purposes
from harness.sip.message import SipMessage

PLACES = Places(
    "7001001",
    {name: Address(f"127.20.0.{n}") for n, name in enumerate(("callee", "target", "elsewhere"), 2)},
    Address("127.20.0.9"),
)
PLAIN = (
    "SIP/2.0 302 Moved\r\nVia: SIP/2.0/UDP 127.20.0.9:5060;branch=z9hG4bKa\r\nTo: <sip:a@b>;tag=t\r\nCall-ID: c\r\n\r\n"
)


def test_changes_are_made_in_turn_and_filled_in() -> None:
    odd = Oddity("", (Rewrite(r"^To:[^\r\n]*", "{it};n={n}"), Rewrite(r"tag=t;n=2", "tag={token}@{target};{{x}}")))
    text = odd.applied(PLAIN, PLACES.fill, 2)
    assert text is not None
    assert "To: <sip:a@b>;tag=7001001@127.20.0.3:5060;{x}\r\n" in text


def test_change_that_finds_nothing_makes_nothing_odd() -> None:
    assert Oddity("", (Rewrite("^From:", "X"),)).applied(PLAIN, PLACES.fill, 1) is None


@pytest.mark.parametrize(("times", "left"), [(1, 4), (0, 0), (2, 3)])
def test_a_change_is_made_so_often(times: int, left: int) -> None:
    text = Oddity("", (Rewrite(r"\r\n", "\n", times),)).applied(PLAIN, PLACES.fill, 1)
    assert text is not None
    assert text.count("\r\n") == left


def test_mark_is_read_and_taken_away() -> None:
    assert marked(PLAIN) == (None, PLAIN)
    assert marked(PLAIN.replace("\r\n", f"\r\n{MARK}: 12\r\n", 1)) == (12, PLAIN)


def _written(response: Response, plan: Plan) -> str:
    """``response`` as SIPp writes it."""
    contacts = "".join(f"Contact: {PLACES.fill(contact)}\r\n" for contact in response.contacts)
    return (
        f"SIP/2.0 {response.status} Moved Temporarily\r\n"
        "Via: SIP/2.0/UDP 127.20.0.9:5060;rport;branch=z9hG4bKa\r\n"
        "From: <sip:device@127.20.0.9>;tag=f\r\nTo: <sip:7001001@127.20.0.2:5060>;tag=callee.1.1.99\r\n"
        f"Call-ID: c@127.20.0.9\r\nCSeq: 1 INVITE\r\n{contacts}Content-Length: 0\r\n\r\n"
    )


def _odd() -> list[tuple[str, Plan, Response]]:
    plans = {plan: name for name, purpose in all_purposes().items() for plan in purpose.plans if plan.oddities}
    return [
        (f"{name.rpartition('/')[2]}-{response.status}-{response.odd.name}", plan, response)
        for plan, name in plans.items()
        for endpoint in plan.endpoints
        for answer in endpoint.answers
        for response in answer.responses
        if response.odd
    ]


@pytest.mark.parametrize(("plan", "response"), [case[1:] for case in _odd()], ids=[case[0] for case in _odd()])
def test_every_oddity_of_the_suite_changes_something_and_fits_a_datagram(plan: Plan, response: Response) -> None:
    plain = _written(response, plan)
    odd = response.odd.applied(plain, PLACES.fill, 1)
    assert odd is not None, "it finds nothing to change: the device would be sent a plain response"
    assert response.odd.aside or odd != plain
    assert len(odd.encode("latin-1")) <= 65_507


def test_foreign_branch_is_foreign_and_nothing_else() -> None:
    from suites.robustness._oddities import STRAYS

    response = Response(302, contacts=("<sip:x@{target}>",))
    plain = _written(response, Plan(()))
    odd = STRAYS[1].applied(plain, PLACES.fill, 1)
    assert odd is not None
    assert SipMessage(odd).branch == "z9hG4bK-of-nobody"
    assert re.sub("z9hG4bK-of-nobody", "z9hG4bKa", odd) == plain


def test_equal_draws_are_equal_and_others_differ() -> None:
    from suites.robustness._drawn import drawn

    assert [drawn(n) for n in range(1, 60)] == [drawn(n) for n in range(1, 60)]
    assert len({drawn(n).oddities[0].rewrites for n in range(1, 60)}) > 50
