"""The purposes about recursing proxies, and those about responses that match nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from proxy_flow import HEADERS, ProxyWire, said

from harness.model.windows import EXTENDED, QUICK, STANDARD
from suites.proxy import _plans as plans
from suites.proxy import test_recursed_request as request
from suites.proxy import test_recursion as recursion
from suites.proxy import test_recursion_ends as ends
from suites.transaction import test_strays as strays

TARGET, SECOND = "<sip:97001@127.0.0.3>;q=1.0", "<sip:87001@127.0.0.4>;q=0.5"
BOTH = (f"Contact: {SECOND}", f"Contact: {TARGET}")
PLAIN = "sip:97001@127.0.0.3"


def moved(plan: object = plans.RECURSION, *contacts: str) -> ProxyWire:
    """The callee redirects to target and second."""
    wire = ProxyWire(plan, proxy_recurses_3xx=True)  # type: ignore[arg-type]
    return wire.asks().calls(0.01, hops=29).says(0.02, "callee", 302, *(contacts or BOTH))


def recursed(**new: object) -> ProxyWire:
    """Both Contacts are tried, one after the other, and fail."""
    first = {"uri": PLAIN, "hops": 29} | new
    wire = moved().calls(0.03, "target", **first).says(0.04, "target", 180).says(0.3, "target", 486)  # type: ignore[arg-type]
    return wire.calls(0.31, "second", uri="sip:87001@127.0.0.4", hops=29).says(0.6, "second", 404)


# --- the recursed request


def test_who_did_not_recurse_shows_nothing() -> None:
    flow = moved().tells(0.03, 302, *BOTH).flow()
    for judge in (
        request.test_recursed_request_has_one_hop_less_than_the_callers,
        request.test_recursed_request_has_a_branch_of_its_own,
        request.test_recursed_request_keeps_the_callers_identifiers,
        recursion.test_contacts_are_tried_in_the_order_of_q,
        recursion.test_contacts_that_were_tried_are_not_handed_on,
        recursion.test_emptied_redirection_is_no_answer,
    ):
        assert said(judge(flow)) == ["unseen"]


@pytest.mark.parametrize(
    ("hops", "outcome"), [(29, "satisfied"), (28, "violated (warn)"), (30, "violated"), (70, "violated")]
)
def test_max_forwards(hops: int, outcome: str) -> None:
    flow = recursed(hops=hops).tells(0.7, 404).flow()
    assert said(request.test_recursed_request_has_one_hop_less_than_the_callers(flow)) == [outcome, "satisfied"]


def test_branch() -> None:
    judge = request.test_recursed_request_has_a_branch_of_its_own
    assert said(judge(recursed().flow())) == ["satisfied", "satisfied"]
    assert said(judge(recursed(branch="callee1.0.01").flow())) == ["violated", "satisfied"]


@pytest.mark.parametrize("change", [{"cseq": "2 INVITE"}, {"tag": "new"}])
def test_identifiers(change: dict[str, str]) -> None:
    judge = request.test_recursed_request_keeps_the_callers_identifiers
    assert said(judge(recursed().flow())) == ["satisfied", "satisfied"]
    assert said(judge(recursed(**change).flow())) == ["violated", "satisfied"]


@pytest.mark.parametrize(
    ("uri", "outcome"),
    [
        (f"{PLAIN};foo=1", "satisfied"),
        (PLAIN, "violated"),
        (f"{PLAIN};method=INVITE;foo=1", "violated"),
        (f"{PLAIN};foo=1?Subject=moved", "violated"),
    ],
)
def test_request_uri(uri: str, outcome: str) -> None:
    judge = request.test_recursed_request_is_the_callers_with_the_contact_as_request_uri
    wire = moved(plans.RECURSION_ODD_CONTACT, f"Contact: <{PLAIN};method=INVITE;foo=1?Subject=moved>")
    kept = (*HEADERS, "X-Sipverdict-Kept: as it was")
    assert said(judge(wire.calls(0.03, "target", uri=uri, headers=kept).flow())) == [outcome, "satisfied"]


def test_headers_and_body() -> None:
    judge = request.test_recursed_request_is_the_callers_with_the_contact_as_request_uri
    kept = (*HEADERS, "X-Sipverdict-Kept: as it was")

    def told(**new: object) -> list[str]:
        wire = moved(plans.RECURSION_ODD_CONTACT, f"Contact: <{PLAIN}?Subject=moved>")
        return said(judge(wire.calls(0.03, "target", uri=PLAIN, **({"headers": kept} | new)).flow()))  # type: ignore[arg-type]

    assert told() == ["satisfied", "satisfied"]
    assert told(headers=HEADERS) == ["satisfied", "violated"]
    assert told(body="") == ["satisfied", "violated"]
    other = tuple(h.replace("Subject: sipverdict", "Subject: moved") for h in kept)
    assert told(headers=other) == ["satisfied", "satisfied", "violated (warn)"]


@pytest.mark.parametrize(
    ("cut", "closed", "outcome"), [(None, 190.0, "satisfied"), (60.0, 190.0, "violated"), (None, 90.0, "unseen")]
)
def test_ringing_for_three_minutes(cut: float | None, closed: float, outcome: str) -> None:
    wire = moved(plans.RECURSION_RINGING).calls(0.03, "target").says(0.04, "target", 180)
    if cut:
        wire.cancels(cut, "target")
    flow = wire.flow(window=EXTENDED, closed=closed)
    assert said(request.test_redirect_target_may_ring_for_three_minutes(flow)) == [outcome]


# --- the target set


def test_no_uri_twice() -> None:
    judge = recursion.test_no_uri_is_tried_twice
    assert said(judge(recursed().flow())) == ["satisfied"]
    assert said(judge(recursed().flow(alive=False))) == ["unseen"]
    again = recursed().calls(0.7, "callee").says(0.71, "callee", 302, *BOTH)
    assert said(judge(again.flow())) == ["violated"]
    assert said(judge(moved().flow())) == ["unseen"]


def test_order_of_q() -> None:
    judge = recursion.test_contacts_are_tried_in_the_order_of_q

    def at(first: float, second: float) -> list[str]:
        wire = moved().calls(first, "target").says(first + 0.3, "target", 486)
        return said(judge(wire.calls(second, "second").says(second + 0.3, "second", 404).flow()))

    assert at(0.03, 0.34) == ["satisfied"]
    assert at(0.03, 0.04) == ["satisfied"], "at once"
    assert at(0.34, 0.03) == ["violated"]
    assert at(0.03, 0.2) == ["violated"], "the first one was still ringing"


def test_tried_contacts() -> None:
    judge = recursion.test_contacts_that_were_tried_are_not_handed_on
    assert said(judge(recursed().tells(0.7, 404).flow())) == ["satisfied"]
    assert said(judge(recursed().tells(0.7, 302, *BOTH).flow())) == ["violated"]
    assert said(judge(recursed().tells(0.7, 302, "Contact: <sip:5@x>").flow())) == ["satisfied"]


def test_emptied_redirection() -> None:
    judge = recursion.test_emptied_redirection_is_no_answer
    assert said(judge(recursed().tells(0.7, 404).flow())) == ["satisfied"]
    assert said(judge(recursed().tells(0.7, 302).flow())) == ["violated"]
    assert said(judge(recursed().tells(0.7, 302, *BOTH).flow())) == ["unseen"]


def test_an_unreachable_contact() -> None:
    judge = recursion.test_unreachable_contact_is_a_failed_branch
    left = "Contact: <sip:87001@127.0.0.3>;q=0.5"

    def wire() -> ProxyWire:
        return moved(plans.RECURSION_UNREACHABLE, "Contact: <sip:97001@127.0.0.3:5099>;q=1.0", left)

    assert said(judge(wire().calls(32.1, "target").flow(window=STANDARD))) == ["satisfied"]
    assert said(judge(wire().tells(32.1, 302, left).flow(window=STANDARD))) == ["satisfied"]
    assert said(judge(wire().tells(32.1, 500).flow(window=STANDARD))) == ["violated"]
    assert said(judge(wire().flow(window=STANDARD))) == ["violated"]
    assert said(judge(wire().flow(window=QUICK))) == ["unseen"]


def test_a_message_without_answer() -> None:
    judge = recursion.test_message_that_runs_out_of_time_gets_no_408

    def told(status: int = 0, *, tried: bool = True, **how: object) -> list[str]:
        wire = ProxyWire(plans.RECURSION_MESSAGE, proxy_recurses_3xx=True).asks(method="MESSAGE")
        if tried:
            wire.calls(0.03, "target", cseq="1 MESSAGE", method="MESSAGE")
        if status:
            wire.tells(32.1, status, method="MESSAGE")
        return said(judge(wire.flow(**{"window": STANDARD} | how)))  # type: ignore[arg-type]

    assert [told(), told(408), told(480)] == [["satisfied"], ["violated"], ["satisfied"]]
    assert told(tried=False) == ["unseen"]
    assert told(closed=20.0) == ["unseen"]


# --- what ends it


def test_a_declined_contact() -> None:
    judge = ends.test_decline_of_a_contact_ends_the_recursion

    def wire() -> ProxyWire:
        return moved(plans.RECURSION_DECLINED).calls(0.03, "target").says(0.2, "target", 603)

    assert said(judge(wire().tells(0.21, 603).flow())) == ["satisfied", "satisfied"]
    assert said(judge(wire().tells(0.21, 302, BOTH[1]).flow())) == ["satisfied", "violated"]
    assert said(judge(wire().calls(0.21, "second").tells(0.22, 603).flow())) == ["violated", "satisfied"]
    assert said(judge(moved(plans.RECURSION_DECLINED).flow())) == ["unseen"]


@pytest.mark.parametrize(
    ("then", "verdict"),
    [
        (lambda wire: wire.calls(0.21, "second"), "satisfied"),
        (lambda wire: wire.tells(0.21, 302, BOTH[0]), "satisfied"),
        (lambda wire: wire.tells(0.21, 302, BOTH[1]), "violated"),
        (lambda wire: wire.tells(0.21, 486), "violated"),
        (lambda wire: wire.tells(0.1, 486), "unseen"),
        (lambda wire: wire, "violated"),
    ],
    ids=["called", "handed-back", "only-the-tried-one", "lost", "answered-before", "nothing"],
)
def test_a_contact_that_was_not_tried(then: Callable[[ProxyWire], ProxyWire], verdict: str) -> None:
    judge = ends.test_failure_of_one_contact_leaves_the_others

    def wire() -> ProxyWire:
        return moved(plans.RECURSION_FAILS).calls(0.03, "target", uri=PLAIN).says(0.2, "target", 486)

    assert said(judge(then(wire()).flow())) == [verdict]


def test_a_contact_that_may_yet_be_tried() -> None:
    judge = ends.test_failure_of_one_contact_leaves_the_others
    wire = moved(plans.RECURSION_FAILS).calls(0.03, "target", uri=PLAIN).says(0.2, "target", 486)
    assert said(judge(wire.flow(window=QUICK))) == ["unseen"]
    # A 6xx is another rule, and so is a Contact that answers.
    for status in (200, 603):
        wire = moved(plans.RECURSION_FAILS).calls(0.03, "target", uri=PLAIN).says(0.2, "target", status)
        assert said(judge(wire.tells(0.21, status).flow())) == ["unseen"]


def test_a_declined_contact_beside_another() -> None:
    judge = ends.test_decline_of_a_contact_stops_the_others_ringing

    def wire() -> ProxyWire:
        both = moved(plans.RECURSION_AT_ONCE).calls(0.03, "target").calls(0.03, "second").says(0.04, "second", 180)
        return both.says(0.3, "target", 603)

    good = wire().cancels(0.31, "second").says(0.8, "second", 487)
    assert said(judge(good.tells(0.81, 603).flow())) == ["satisfied", "satisfied"]
    early = wire().cancels(0.31, "second").says(0.8, "second", 487)
    assert said(judge(early.tells(0.32, 603).flow())) == ["satisfied", "violated"]
    rang = wire().says(2.5, "second", 480)
    assert said(judge(rang.tells(2.51, 603).flow()))[0] == "violated"
    one = moved(plans.RECURSION_AT_ONCE).calls(0.03, "target").says(0.3, "target", 603).tells(0.31, 603)
    assert said(judge(one.flow())) == ["satisfied"]


def test_a_cancelled_recursion() -> None:
    judge = ends.test_cancel_ends_the_recursion

    def wire(*, answered: int = 200, cancels: bool = True) -> ProxyWire:
        ringing = moved(plans.RECURSION_CANCELLED).calls(0.03, "target").says(0.04, "target", 180).tells(0.05, 180)
        ringing.hangs_up(0.06, answered=answered)
        return ringing.cancels(0.07, "target").says(0.08, "target", 487) if cancels else ringing

    assert said(judge(wire().tells(0.09, 487).flow())) == ["satisfied"] * 4
    trying = wire(answered=100).tells(0.07, 200, method="CANCEL").tells(0.09, 487)
    assert said(judge(trying.flow())) == ["satisfied"] * 4
    assert said(judge(wire(answered=0).tells(0.09, 487).flow())) == ["satisfied", "satisfied", "violated", "satisfied"]
    assert said(judge(wire().tells(0.09, 480).flow())) == ["satisfied", "satisfied", "satisfied", "violated"]
    on = wire().calls(0.09, "second").says(0.1, "second", 480).tells(0.11, 487)
    assert said(judge(on.flow()))[0] == "violated"
    rang = wire(cancels=False).says(2.5, "target", 480).tells(2.51, 480)
    assert said(judge(rang.flow())) == ["satisfied", "violated", "satisfied", "violated"]


# --- what matches nothing


def forged(*, acked: str = "callee", follows: bool = False, passed: str = "") -> list[str]:
    wire = ProxyWire(strays.FORGED).asks().calls(0.01)
    wire._branches["callee"] = "forged"
    wire.says(0.06, "callee", 302, "Contact: <sip:87001@127.0.0.3>", tag="x").says(0.1, "callee", 603, tag="z")
    wire._branches["callee"] = "callee1.0.01"
    wire.says(0.2, "callee", 180).says(0.3, "callee", 486).acks(0.31, "callee", acked)
    if follows:
        wire.calls(0.07, "elsewhere")
    if passed:
        wire.tells(0.11, 603, tag=passed)
    plain = ProxyWire(strays.DECLINE).asks().calls(0.01).says(0.02, "callee", 603).acks(0.03, "callee").flow()
    flow = wire.tells(0.32, 486, tag="callee").flow()
    return said(strays.test_response_that_matches_no_transaction_changes_nothing((plain, flow)))


def test_responses_that_match_nothing() -> None:
    assert forged() == ["satisfied"] * 4
    assert forged(follows=True)[0] == "violated"
    assert forged(acked="z")[1] == "violated"
    assert forged(passed="z") == ["satisfied", "satisfied", "satisfied", "violated (warn)", "violated (warn)"]
