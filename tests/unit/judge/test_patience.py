"""The quick window is no deadline: what a slow device has not done yet at its end fails in the standard one only."""

from __future__ import annotations

import pytest
from answered_flow import Line
from proxy_flow import ProxyWire, said
from redirect_flow import Try, drive, outcomes
from refused_flow import Wire

from harness.judge.branches import context_of
from harness.judge.upstream import no_final
from harness.model.windows import QUICK, STANDARD, Window
from suites.b2bua import test_what_the_caller_learns as learns
from suites.plans import DECLINE, REDIRECT
from suites.redirect import test_redirect_server as server
from suites.uac import _plans as plans
from suites.uac import test_redirect_contact_forms as forms
from suites.uac import test_redirect_hunts as hunts
from suites.uac import test_redirect_is_followed as followed

GOOD = Try("sip:9{token}@{target}", "target")
EITHER = pytest.mark.parametrize(("window", "outcome"), [(QUICK, "unseen"), (STANDARD, "violated")])


@EITHER
def test_an_announcement_before_the_caller_is_told(window: Window, outcome: str) -> None:
    wire = Wire(DECLINE, role="b2bua")
    wire.say(-0.05, "INVITE sip:7001@127.0.0.2:5060 SIP/2.0", seat="caller", sent=True, call_id="up")
    flow = wire.invite().answer(0.01, 603).ack(0.02).flow(window=window)
    assert said(learns.test_refusal_ends_the_callers_call(flow)) == [outcome]


@EITHER
def test_a_device_that_waits_before_it_follows(window: Window, outcome: str) -> None:
    told = outcomes(followed.test_contact_is_called, drive(REDIRECT, Try(), window=window))
    assert told[-1] == outcome


@EITHER
def test_a_device_that_waits_before_each_target(window: Window, outcome: str) -> None:
    flow = drive(plans.HUNT, Try(), Try("sip:1{token}@{second}", "second"), window=window)
    assert outcomes(hunts.test_next_contact_is_tried_when_one_fails, flow) == [outcome]
    usual = drive(REDIRECT, Try(), GOOD)
    slow = drive(plans.COMPACT, Try(), window=window)
    assert outcomes(forms.test_compact_contact_is_a_contact, usual, slow) == [outcome]


@EITHER
def test_a_backup_that_still_rings(window: Window, outcome: str) -> None:
    flow = ProxyWire(DECLINE).asks().calls(0.01).says(0.02, "callee", 603).acks(0.03, "callee").flow(window=window)
    context = context_of(flow)
    assert said([no_final(flow, context.asked, context.branches[0].final)]) == [outcome]


@EITHER
def test_a_request_that_is_answered_late(window: Window, outcome: str) -> None:
    plain = Line(server.PLAIN, "redirect").ask().reply(0.01, 302, contact="<sip:9@127.0.0.2>").flow()
    odd = Line(server.STRANGE_METHOD, "redirect").ask(method="FROBNICATE").flow(window=window)
    judge = server.test_what_it_does_not_know_does_not_stop_a_redirect_server
    assert said(judge((plain, plain, odd)))[-1] == outcome
