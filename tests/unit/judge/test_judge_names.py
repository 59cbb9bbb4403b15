"""What the judges say of a device that was redirected to a name, by flows made by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from redirect_flow import Try, drive, outcomes

from harness.model.flow import Control, Event, Flow
from harness.model.windows import QUICK
from harness.model.zone import Lookup
from harness.net.address import Address
from suites.uac import test_next_server as server
from suites.uac import test_redirect_to_a_name as name

TO_NAME = "sip:9{token}@t7001.test"
ASKED = (Lookup("t7001.test", "NAPTR", "no such record"), Lookup("_sip._udp.t7001.test", "SRV", "10 0 5070 a."))
WITHOUT_PORT, WITH_PORT = name.WITHOUT_PORT[0], name.WITH_PORT[0]
FAILS, SILENT, DECLINES, RINGS = server.FAILS[0], server.SILENT[0], server.DECLINES[0], server.RINGS[0]


def named(plan: Any, *tries: Try, lookups: tuple[Lookup, ...] = ASKED, **how: Any) -> Flow:
    return dataclasses.replace(drive(plan, Try(), *tries, **how), lookups=lookups)


def at(seat: str, **more: Any) -> Try:
    return Try(TO_NAME, seat, **more)


@pytest.mark.parametrize(
    ("plan", "judge", "wrong"),
    [
        (
            WITHOUT_PORT,
            name.test_name_leads_to_its_best_server,
            {"second": "priority-reversed", "bare": "srv-ignored", "usual_port": "port-ignored"},
        ),
        (name.BY_TCP, name.test_domain_says_by_what_it_is_called, {"by_udp": "naptr-ignored"}),
        (name.SECURE, name.test_sips_name_leads_to_a_server_for_sips, {"by_sip": "sips-service-ignored"}),
        (
            WITH_PORT,
            name.test_port_of_a_contact_ends_the_search_for_servers,
            {"elsewhere": "srv-despite-port", "usual_port": "port-ignored"},
        ),
    ],
)
def test_a_name_leads_to_one_place(plan, judge, wrong) -> None:
    assert outcomes(judge, named(plan, at("first"))) == ["satisfied"]
    for seat, code in wrong.items():
        [finding] = judge(named(plan, at(seat)))
        assert (finding.outcome, finding.code, finding.event) == ("violated", code, 4)
    assert outcomes(judge, named(plan, at("callee"))) == ["unseen"]
    assert outcomes(judge, named(plan)) == ["violated (warn)"]
    assert outcomes(judge, named(plan, control=False)) == ["unseen"]
    assert outcomes(judge, named(plan, window=QUICK)) == ["unseen"]
    assert outcomes(judge, named(plan, alive=False)) == ["unseen"]
    [finding] = judge(named(plan, lookups=()))
    assert (finding.outcome, finding.code) == ("unseen", "resolver-not-asked")
    [finding] = judge(named(plan, lookups=(), control=False))  # it follows nothing: that is no matter of names
    assert (finding.outcome, finding.code) == ("unseen", "no-positive-control")


@pytest.mark.parametrize("plan", name.NOWHERE)
def test_a_name_that_leads_nowhere_is_called_nowhere(plan) -> None:
    judge = name.test_name_that_leads_nowhere_is_not_called
    nowhere = TO_NAME.replace("@", "@nowhere.")
    assert outcomes(judge, named(plan)) == ["satisfied"]
    assert outcomes(judge, named(plan, Try(nowhere, "callee"))) == ["violated"]
    assert outcomes(judge, named(plan, Try(nowhere, "bare"))) == ["violated"]
    assert outcomes(judge, named(plan, Try())) == ["satisfied"]  # the dialled number again: 8.1.3.4
    assert outcomes(judge, named(plan, lookups=())) == ["unseen"]
    assert outcomes(judge, named(plan, control=False)) == ["unseen"]


def test_a_numeric_host_asks_nothing() -> None:
    judge = name.test_numeric_contact_asks_nothing
    followed = Try("sip:9{token}@{target}", "target")
    assert outcomes(judge, named(name.NUMERIC, followed, lookups=())) == ["satisfied"]
    [finding] = judge(named(name.NUMERIC, followed, lookups=(Lookup("127.0.1.2", "A", "REFUSED"),)))
    assert (finding.outcome, finding.code) == ("violated", "numeric-host-asked")
    assert "127.0.1.2 A: REFUSED" in finding.actual
    assert outcomes(judge, named(name.NUMERIC, lookups=())) == ["unseen"]


@pytest.mark.parametrize(
    ("plan", "judge"),
    [
        (FAILS, server.test_next_server_is_tried_after_a_503),
        (SILENT, server.test_next_server_is_tried_after_silence),
    ],
)
def test_a_server_that_fails_is_left(plan, judge) -> None:
    assert outcomes(judge, named(plan, at("first"), at("second"))) == ["satisfied"]
    [finding] = judge(named(plan, at("first", branch="z9hG4bKsame"), at("second", branch="z9hG4bKsame")))
    assert (finding.outcome, finding.code) == ("violated", "branch-reused")
    [finding] = judge(named(plan, at("first")))
    assert (finding.outcome, finding.code) == ("violated", "no-next-server")
    assert outcomes(judge, named(plan, at("first"), window=QUICK)) == ["unseen"]
    assert outcomes(judge, named(plan, at("first"), alive=False)) == ["unseen"]
    assert outcomes(judge, named(plan)) == ["unseen"]
    [finding] = judge(named(plan, lookups=()))
    assert finding.code == "resolver-not-asked"


@pytest.mark.parametrize(("one", "other"), [("first", "second"), ("second", "first")])
def test_a_decline_is_the_answer_of_the_domain(one: str, other: str) -> None:
    judge = server.test_decline_does_not_move_the_call_to_the_next_server
    assert outcomes(judge, named(DECLINES, at(one))) == ["satisfied"]
    assert outcomes(judge, named(DECLINES, at(one), at(other, cseq=2))) == ["violated"]
    assert outcomes(judge, named(DECLINES, at(one), alive=False)) == ["unseen"]
    assert outcomes(judge, named(DECLINES)) == ["unseen"]


def test_the_ack_goes_to_the_server_of_its_invite() -> None:
    judge = server.test_ack_goes_to_the_server_that_declined
    assert outcomes(judge, named(DECLINES, at("second"))) == ["satisfied"]
    assert outcomes(judge, named(DECLINES, at("second", acked_at="first"))) == ["violated"]
    assert outcomes(judge, named(DECLINES, at("second", acked=False))) == ["unseen"]
    assert outcomes(judge, named(DECLINES)) == ["unseen"]


def test_the_cancel_goes_to_the_server_of_its_invite() -> None:
    judge = server.test_cancel_goes_to_the_server_that_rings
    flow = named(RINGS, at("first"))
    assert outcomes(judge, flow) == ["unseen"]
    assert outcomes(judge, _cancelled(flow, "first")) == ["satisfied"]
    assert outcomes(judge, _cancelled(flow, "second")) == ["violated"]
    assert outcomes(judge, _cancelled(named(RINGS), "first")) == ["unseen"]


NEXT_DECLINES, NEXT_RINGS = server.NEXT_DECLINES[0], server.NEXT_RINGS[0]


def test_the_ack_goes_to_the_server_that_took_over() -> None:
    """A phone was built that acknowledges at the server that had failed."""
    judge = server.test_ack_goes_to_the_server_that_took_over
    assert outcomes(judge, named(NEXT_DECLINES, at("first"), at("second"))) == ["satisfied"]
    assert outcomes(judge, named(NEXT_DECLINES, at("first"), at("second", acked_at="first"))) == ["violated"]
    assert outcomes(judge, named(NEXT_DECLINES, at("first"), at("second", acked=False))) == ["unseen"]
    assert outcomes(judge, named(NEXT_DECLINES, at("first"))) == ["unseen"]


@pytest.mark.parametrize("other", ["first", "third"])
def test_the_decline_of_the_next_server_is_the_answer(other: str) -> None:
    judge = server.test_decline_of_the_next_server_ends_the_call
    moved = at("first"), at("second")
    assert outcomes(judge, named(NEXT_DECLINES, *moved)) == ["satisfied"]
    assert outcomes(judge, named(NEXT_DECLINES, *moved, at(other, cseq=2))) == ["violated"]
    assert outcomes(judge, named(NEXT_DECLINES, *moved, alive=False)) == ["unseen"]
    assert outcomes(judge, named(NEXT_DECLINES, at("first"))) == ["unseen"]


@pytest.mark.parametrize(
    ("judge", "plan", "right", "wrong"),
    [
        (name.test_name_leads_to_its_best_server, WITHOUT_PORT, (at("first"),), (at("second"),)),
        (name.test_name_that_leads_nowhere_is_not_called, name.NOWHERE[0], (), (Try(TO_NAME, "bare"),)),
        (server.test_next_server_is_tried_after_a_503, FAILS, (at("first"), at("second")), (at("first"),)),
        (
            server.test_decline_does_not_move_the_call_to_the_next_server,
            DECLINES,
            (at("first"),),
            (at("first"), at("second")),
        ),
    ],
)
def test_a_proxy_is_judged_like_a_caller(judge: Any, plan: Any, right: tuple[Try, ...], wrong: tuple[Try, ...]) -> None:
    """Its CSeq is the caller's on every branch, and it follows nothing but by recursion."""
    pics = {"proxy_recurses_3xx": True, "dns": True}
    callee = Control("callee", Address("127.0.1.98"), 1_000.0, "f0")

    def proxied(tries: tuple[Try, ...]) -> Flow:
        flow = named(plan, *(dataclasses.replace(one, cseq=1) for one in tries))
        controls = (*flow.controls, callee)
        return dataclasses.replace(flow, role="proxy", device={"name": "p", "pics": pics}, controls=controls)

    assert outcomes(judge, proxied(right)) == ["satisfied"]
    assert outcomes(judge, proxied(wrong))[0].startswith("violated")


def test_the_cancel_goes_to_the_server_that_took_over() -> None:
    judge = server.test_cancel_goes_to_the_server_that_took_over
    flow = named(NEXT_RINGS, at("first"), at("second"))
    assert outcomes(judge, flow) == ["unseen"]
    assert outcomes(judge, _cancelled(flow, "second")) == ["satisfied"]
    assert outcomes(judge, _cancelled(flow, "first")) == ["violated"]


@pytest.mark.parametrize("plan", name.CLOSED)
def test_a_domain_without_service(plan) -> None:
    judge = name.test_domain_without_service_is_not_called
    assert outcomes(judge, named(plan)) == ["satisfied"]
    assert outcomes(judge, named(plan, at("bare"))) == ["violated"]
    assert outcomes(judge, named(plan, lookups=())) == ["unseen"]
    assert outcomes(judge, named(plan, alive=False)) == ["unseen"]


def _cancelled(flow: Flow, seat: str) -> Flow:
    last = flow.events[-1]
    raw = "CANCEL sip:9@t7001.test SIP/2.0\r\nCall-ID: c1\r\nCSeq: 2 CANCEL\r\n\r\n"
    cancel = Event(raw, last.number + 1, last.time + 0.1, seat, "received", "udp", last.source, flow.seat(seat).address)
    return dataclasses.replace(flow, events=(*flow.events, cancel))
