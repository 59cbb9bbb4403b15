"""A purpose whose plan differs by role: who is asked, what is driven for whom, and what is driven once more."""

from __future__ import annotations

import pytest
from answered_flow import Line, outcomes

from harness.judge.say import Findings, unseen
from harness.model.plan import Call, Plan
from harness.purposes.purpose import purpose, purpose_of
from harness.purposes.settle import assess, wants_another
from harness.requirements.catalogue import Catalogue
from harness.requirements.ruling import Ruling
from suites.plans import DECLINE, REDIRECT
from suites.uas import test_forwarding as forwarding

NUMBER = Plan((), (Call(to="{declines}"),))


@purpose("RFC3261-17.2.1-01", plan={"uas": NUMBER, "proxy": (DECLINE, REDIRECT)})
def test_of_two_roles(flow: object) -> Findings:
    """A rule."""
    yield unseen("nothing is seen")


@purpose("RFC3261-21.6-01", plan=DECLINE)
def test_of_any_role(flow: object) -> Findings:
    """A rule."""
    yield unseen("nothing is seen")


OF_TWO, OF_ANY = purpose_of(test_of_two_roles), purpose_of(test_of_any_role)
# They are samples, and no tests of their own.
del test_of_two_roles, test_of_any_role


def test_each_role_has_its_plans():
    assert OF_TWO is not None
    assert OF_TWO.roles == ("uas", "proxy")
    assert OF_TWO.plans_for("uas") == (NUMBER,)
    assert OF_TWO.plans_for("proxy") == (DECLINE, REDIRECT)
    assert OF_TWO.plans == (NUMBER, DECLINE, REDIRECT)


def test_one_plan_is_for_every_role():
    assert OF_ANY is not None
    assert OF_ANY.roles == ()
    assert OF_ANY.plans_for("b2bua") == OF_ANY.plans_for("uac") == OF_ANY.plans == (DECLINE,)


def test_a_request_that_had_to_be_repeated_is_a_reason_to_drive_again():
    assert OF_TWO is not None
    rows, catalogue = OF_TWO.requirements, Catalogue.load()
    slow = Line().ask().ask(0.5).reply(0.7, 603).ack(0.71).flow()
    asked_on_purpose = Line().ask().reply(0.01, 603).ask(0.11).ack(0.3).flow()
    assert wants_another([assess(OF_TWO, rows, [slow], catalogue, Ruling())])
    assert not wants_another([assess(OF_TWO, rows, [asked_on_purpose], catalogue, Ruling())])


@pytest.mark.parametrize(
    ("function", "contact", "outcome"),
    [
        (forwarding.test_redirection_says_where_to, "<sip:9@127.0.0.3>", "satisfied"),
        (forwarding.test_redirection_says_where_to, "", "violated"),
        (forwarding.test_contact_of_a_redirection_has_no_method_and_no_lr, "<sip:9@127.0.0.3>", "satisfied"),
        (forwarding.test_contact_of_a_redirection_has_no_method_and_no_lr, "<sip:9@127.0.0.3;lr>", "violated"),
        (forwarding.test_nobody_is_redirected_to_the_uri_that_was_called, "<sip:9@127.0.0.3>", "satisfied"),
        (forwarding.test_nobody_is_redirected_to_the_uri_that_was_called, "<sip:7001@127.0.0.9:5060>", "violated"),
    ],
)
def test_b2bua_that_redirects_by_a_number_of_its_own_calls_nobody(function, contact, outcome):
    judged = purpose_of(function)
    assert judged is not None
    plan = judged.plans_for("b2bua")[0]
    flow = Line(plan, "b2bua").ask().reply(0.01, 302, contact=contact).ack(0.02).flow()
    assert outcomes(judged.findings([flow], judged.requirements)) == [outcome]


def test_b2bua_that_was_to_call_somebody_and_did_not_shows_nothing():
    assert OF_ANY is not None
    flow = Line(DECLINE, "b2bua").ask().reply(0.01, 503).ack(0.02).flow()
    (finding,) = OF_ANY.findings([flow], OF_ANY.requirements)
    assert finding.actual == "no INVITE of the device arrived"
