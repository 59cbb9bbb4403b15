"""What the judges say of a device that was redirected to the other IP family, by flows made by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from redirect_flow import Try, drive, outcomes

from harness.model.flow import Control, Flow
from harness.model.plan import Plan
from harness.model.verdict import Verdict
from harness.model.windows import QUICK
from harness.net.address import Address
from harness.purposes.evidence_check import contradiction
from suites.invariants import test_crossings as crossings
from suites.plans import REDIRECT
from suites.uac import test_redirect_to_another_family as family

CONTACT = ("Max-Forwards: 70", "Contact: <sip:device@[2001:db8::9]>", "Supported: timer")
FOLLOWED = Try("sip:9{token}@{target}", "target")
CROSSED = Try("sip:9{token}@{target}", "target", via="[2001:db8::9]:5060", headers=CONTACT)
SECOND = Try("sip:8{token}@{second}", "second")
SECOND_ACROSS = dataclasses.replace(CROSSED, uri=SECOND.uri, seat="second")


def across(plan: Plan, *tries: Try, reached: bool = True, **how: Any) -> Flow:
    """A flow whose first INVITE was redirected; ``reached``: the device was seen to reach the other family."""
    flow = drive(plan, Try(), *tries, **how)
    there = Control("target", Address("2001:db8::99"), 1_000.0, "f0")
    return dataclasses.replace(flow, controls=(*flow.controls, there)) if reached else flow


PLAIN = drive(REDIRECT, Try(), FOLLOWED)


def test_the_contact_is_called_where_it_is() -> None:
    judge = family.test_contact_of_the_other_family_is_called
    assert outcomes(judge, PLAIN, across(family.ACROSS, CROSSED)) == ["satisfied", "satisfied"]


@pytest.mark.parametrize(
    ("tries", "code"),
    [
        ((dataclasses.replace(CROSSED, seat="old"),), "old-host"),
        ((dataclasses.replace(CROSSED, uri="sip:9{token}@2001:db8::2:5060"),), "host-rewritten"),
        ((dataclasses.replace(CROSSED, uri="sip:9{token}@{callee}"),), "host-rewritten"),
        ((), "not-followed"),
    ],
)
def test_each_way_to_miss_it_has_a_code(tries: tuple[Try, ...], code: str) -> None:
    found = list(family.test_contact_of_the_other_family_is_called((PLAIN, across(family.ACROSS, *tries))))
    assert [one.code for one in found if one.outcome == "violated"] == [code]
    assert all(one.at_most is Verdict.FAIL for one in found)


@pytest.mark.parametrize(
    ("plain", "odd"),
    [
        (drive(REDIRECT, Try()), across(family.ACROSS)),  # it follows nothing
        (PLAIN, across(family.ACROSS, window=QUICK)),  # it may yet come
        (PLAIN, across(family.ACROSS, alive=False)),
        (PLAIN, across(family.ACROSS, dataclasses.replace(FOLLOWED, seat="callee"))),  # another rule
    ],
)
def test_what_shows_nothing_is_no_violation(plain: Flow, odd: Flow) -> None:
    assert outcomes(family.test_contact_of_the_other_family_is_called, plain, odd) == ["unseen"]


@pytest.mark.parametrize(
    ("invite", "codes"),
    [
        (CROSSED, []),
        (dataclasses.replace(CROSSED, via="pbx.example:5060", headers=("Contact: <sip:d@pbx.example>",)), []),
        (dataclasses.replace(CROSSED, via="127.0.0.9:5060"), ["old-via"]),
        (dataclasses.replace(CROSSED, headers=FOLLOWED.headers), ["old-contact"]),
        (FOLLOWED, ["old-via", "old-contact"]),
    ],
)
def test_an_address_of_the_old_family_is_seen(invite: Try, codes: list[str]) -> None:
    flow = across(family.ACROSS, invite)
    found = list(crossings.test_each_side_is_told_addresses_of_its_family(flow))
    assert [one.code for one in found if one.outcome == "violated"] == codes
    of_a_proxy = dataclasses.replace(flow, role="proxy")
    found = list(crossings.test_each_side_is_told_addresses_of_its_family(of_a_proxy))
    assert [one.code for one in found if one.outcome == "violated"] == [one for one in codes if one == "old-via"]


def test_a_caller_without_a_seat_is_left_out() -> None:
    """Its SIPp never came up, and it may have been answered all the same."""
    flow = across(family.ACROSS, CROSSED)
    lost = dataclasses.replace(flow.events[0], seat="caller2")
    more = dataclasses.replace(flow, events=(*flow.events, lost))
    assert set(outcomes(crossings.test_each_side_is_told_addresses_of_its_family, more)) == {"satisfied"}


@pytest.mark.parametrize(
    ("plan", "first", "then"),
    [(family.BUSY_HERE, FOLLOWED, SECOND_ACROSS), (family.BUSY_ACROSS, CROSSED, SECOND)],
)
def test_a_busy_contact_leads_to_the_next(plan: Plan, first: Try, then: Try) -> None:
    judge = family.test_next_contact_may_be_of_the_other_family
    assert outcomes(judge, across(plan, first, then)) == ["satisfied"]
    assert outcomes(judge, across(plan, first)) == ["violated"]
    assert outcomes(judge, across(plan)) == ["unseen"]
    if then is SECOND_ACROSS:  # what the device has never been seen to reach, it may be unable to
        assert outcomes(judge, across(plan, first, reached=False)) == ["unseen"]


def test_a_silent_contact_leads_to_the_next() -> None:
    judge, plan = family.test_silence_across_leads_to_the_next_contact, family.SILENT_ACROSS
    assert outcomes(judge, across(plan, CROSSED, SECOND)) == ["satisfied"]
    assert outcomes(judge, across(plan, CROSSED)) == ["violated"]
    assert outcomes(judge, across(plan)) == ["unseen"]


def test_a_603_across_is_the_end() -> None:
    judge, plan = family.test_decline_across_ends_the_call, family.DECLINED_ACROSS
    assert outcomes(judge, across(plan, CROSSED)) == ["satisfied"]
    [warned] = judge(across(plan, CROSSED, SECOND))
    assert (warned.outcome, warned.code, warned.at_least) == ("violated", "next-contact-called", Verdict.NONE)
    [failed] = judge(dataclasses.replace(across(plan, CROSSED, SECOND), role="proxy"))
    assert failed.at_least is Verdict.FAIL
    assert outcomes(judge, across(plan, SECOND)) == ["unseen"]


def test_the_next_call_begins_where_the_first_one_did() -> None:
    judge, plan = family.test_next_call_returns_to_the_first_family, family.NEXT_CALL_ACROSS
    again = Try(call_id="c2", call=1)
    assert outcomes(judge, across(plan, CROSSED, again)) == ["satisfied"]
    assert outcomes(judge, across(plan, CROSSED, dataclasses.replace(CROSSED, call_id="c2", call=1))) == ["violated"]


def test_a_flow_is_evidence_of_the_family_that_its_plan_gives_each_seat() -> None:
    flow = across(family.ACROSS, CROSSED)
    assert contradiction(flow) == ""
    assert "is recorded as UDP over IPv4, but target was at [2001:db8::2]:5060" in contradiction(
        dataclasses.replace(flow, plan=REDIRECT)
    )
    stayed = drive(REDIRECT, Try(), FOLLOWED)
    assert "target was at 127.0.1.2:5060" in contradiction(dataclasses.replace(stayed, plan=family.ACROSS))
