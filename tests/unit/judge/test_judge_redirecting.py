"""Redirect servers and call forwarding: what their purposes say of flows by hand."""

from __future__ import annotations

import pytest
from answered_flow import URI, Line, outcomes

from harness.model.axes import Axes
from harness.purposes.purpose import applicable_rows, purpose_of
from harness.requirements.catalogue import Catalogue
from suites.redirect import test_redirect_server as server
from suites.uas import test_forwarding as forwarding

MOVED = "<sip:97001@127.0.0.2>"


def redirected(contact: str = MOVED, status: int = 302, role: str = "redirect") -> Line:
    return Line(server.PLAIN, role).ask().reply(0.01, status, contact=contact)


def test_a_redirect_server_calls_nobody():
    judge = server.test_redirect_server_sends_no_requests
    assert outcomes(judge(redirected().flow())) == ["satisfied"]
    assert outcomes(judge(redirected().request(0.02, "INVITE", "target").flow())) == ["violated"]
    assert outcomes(judge(redirected().request(0.02, "OPTIONS", "target").flow())) == ["violated (warn)"]
    both = redirected().request(0.02, "OPTIONS", "target").request(0.03, "INVITE", "target")
    assert outcomes(judge(both.flow())) == ["violated"]
    assert outcomes(judge(redirected().flow(alive=False))) == ["unseen"]
    assert outcomes(judge(redirected().flow(closed=2.0))) == ["unseen"]
    proxied = Line(server.PLAIN, "redirect").ask().request(0.02, "INVITE", "target").reply(0.1, 480)
    assert outcomes(judge(proxied.flow())) == ["unseen"]
    assert outcomes(judge(Line(server.PLAIN, "redirect").ask().flow())) == ["unseen"]
    assert outcomes(judge(Line(server.PLAIN, "redirect").ask().reply(0.1, 404).flow())) == ["unseen"]


def test_305():
    judge = server.test_redirect_server_sends_no_305
    assert outcomes(judge(redirected().flow())) == ["satisfied"]
    assert outcomes(judge(redirected(status=305).flow())) == ["violated"]
    assert outcomes(judge(redirected(status=480).flow())) == ["unseen"]


def test_what_is_unknown():
    judge = server.test_what_it_does_not_know_does_not_stop_a_redirect_server
    plain = redirected().flow()
    odd = Line(server.STRANGE_METHOD, "redirect").ask(method="FROBNICATE")
    good = Line(server.STRANGE_METHOD, "redirect").ask(method="FROBNICATE").reply(0.01, 302, cseq="1 FROBNICATE").flow()
    assert outcomes(judge((plain, plain, good))) == ["satisfied"] * 2
    assert outcomes(judge((plain, redirected(status=420).flow(), good))) == ["violated", "satisfied"]
    assert outcomes(judge((plain, plain, odd.flow()))) == ["satisfied", "violated"]
    assert outcomes(judge((plain, plain, odd.flow(alive=False)))) == ["satisfied", "unseen"]
    assert outcomes(judge((redirected(status=404).flow(), plain, good))) == ["unseen"]


def test_contacts_of_a_forwarding_phone_are_read_as_well():
    judged = purpose_of(forwarding.test_contact_of_a_redirection_can_be_read)
    assert judged is not None
    catalogue = Catalogue.load()
    assert applicable_rows(judged, catalogue, Axes("uas"), {"call_forwarding": True})[0] == ("RFC3261-8.3-02",)
    assert applicable_rows(judged, catalogue, Axes("redirect"), {"redirect_server": True})[0] == ("RFC3261-8.3-02",)
    assert applicable_rows(judged, catalogue, Axes("uas"), {})[0] == ()


@pytest.mark.parametrize(
    ("status", "contact", "outcome"),
    [
        (404, "", "satisfied"),
        (480, "", "satisfied"),
        (603, "", "satisfied"),
        (302, "", "violated"),
        (302, MOVED, "unseen"),
        (200, MOVED, "unseen"),
    ],
)
def test_a_user_without_entry(status, contact, outcome):
    flow = redirected(contact, status).flow()
    assert outcomes(server.test_user_without_entry_is_not_redirected(flow)) == [outcome]


def test_one_transaction():
    judge = server.test_redirection_is_one_transaction

    def repeated(**more: object) -> Line:
        line = redirected().ask(0.11)
        return line.reply(0.12, 302, **{"contact": MOVED} | more).ack(0.42).ack(0.62)

    assert outcomes(judge(repeated().flow())) == ["satisfied"]
    assert outcomes(judge(repeated(to_tag="t2").flow())) == ["violated"]
    assert outcomes(judge(repeated(contact="<sip:other@127.0.0.3>").flow())) == ["violated"]
    assert outcomes(judge(repeated().reply(1.5, 302, contact=MOVED).flow())) == ["violated"]
    assert outcomes(judge(repeated().reply(0.43, 481, cseq="1 ACK").flow())) == ["violated"]
    assert outcomes(judge(repeated().flow(alive=False))) == ["unseen"]
    assert outcomes(judge(redirected().flow())) == ["unseen"]


def test_contacts_of_a_redirection():
    there, read = forwarding.test_redirection_says_where_to, forwarding.test_contact_of_a_redirection_can_be_read
    clean = forwarding.test_contact_of_a_redirection_has_no_method_and_no_lr
    found = [outcomes(judge(redirected().flow())) for judge in (there, read, clean)]
    assert found == [["satisfied"]] * 3
    found = [outcomes(judge(redirected("").flow())) for judge in (there, read, clean)]
    assert found == [["violated"], ["violated"], ["unseen"]]
    found = [outcomes(judge(redirected("<sip:9@h;lr>").flow())) for judge in (there, read, clean)]
    assert found == [["satisfied"], ["satisfied"], ["violated"]]
    two = redirected("sip:9@h;transport=udp, <sip:8@h;method=BYE>")
    assert [outcomes(judge(two.flow())) for judge in (read, clean)] == [["violated", "satisfied"], ["violated"]]
    assert outcomes(there(redirected(status=480).flow())) == ["unseen"]


@pytest.mark.parametrize(
    ("uri", "contact", "status", "outcome"),
    [
        (URI, f"<{URI}>", 302, "violated"),
        (URI, f"{MOVED}, <{URI}>", 302, "violated"),
        ("sip:7001@127.0.0.9;x-a=1;x-b=Two", "<SIP:7001@127.0.0.9;X-B=two;X-A=1>", 302, "violated"),
        (URI, f"<{URI};transport=tcp>", 302, "satisfied"),
        (URI, "<sip:7001@127.0.0.9>", 302, "satisfied"),
        (URI, MOVED, 302, "satisfied"),
        (URI, "", 302, "satisfied"),
        (URI, "", 480, "satisfied"),
        (URI, "", 482, "satisfied"),
    ],
)
def test_the_called_uri_is_no_target(uri, contact, status, outcome):
    flow = Line(uri=uri).ask().reply(0.01, status, contact=contact).flow()
    assert outcomes(forwarding.test_nobody_is_redirected_to_the_uri_that_was_called(flow)) == [outcome]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (302, "satisfied"),
        (486, "satisfied"),
        (200, "satisfied"),
        (400, "violated"),
        (481, "violated"),
        (482, "violated"),
    ],
)
def test_a_call_with_the_next_number(status, outcome):
    judge = forwarding.test_call_with_the_next_number_is_a_new_one
    second = {"branch": "z9hG4bKtwo", "cseq": "2 INVITE"}
    line = redirected(role="redirect").ack(0.02).ask(0.32, **second).reply(0.33, status, **second)
    assert outcomes(judge(line.flow())) == [outcome]


def test_a_call_with_the_next_number_that_nobody_answers():
    judge = forwarding.test_call_with_the_next_number_is_a_new_one
    line = redirected(role="redirect").ack(0.02).ask(0.32, branch="z9hG4bKtwo", cseq="2 INVITE")
    assert outcomes(judge(line.flow())) == ["violated"]
    assert outcomes(judge(line.flow(closed=1.0))) == ["unseen"]
    assert outcomes(judge(line.flow(lost=True))) == ["unseen"]
    assert outcomes(judge(redirected().ack(0.02).flow())) == ["unseen"]


def test_a_call_that_is_over():
    judge = forwarding.test_call_that_is_over_is_not_merged

    def again(status: int) -> Line:
        line = redirected(role="uas").ack(0.02).ask(6.1, branch="z9hG4bKtwo")
        return line.reply(6.11, status, branch="z9hG4bKtwo")

    assert outcomes(judge(again(302).flow())) == ["satisfied"]
    assert outcomes(judge(again(482).flow())) == ["violated"]
    assert outcomes(judge(again(482).reply(1.5, 302, contact=MOVED).flow())) == ["unseen"], "the first one is not over"
    assert outcomes(judge(redirected().ack(0.02).flow())) == ["unseen"]
    assert outcomes(judge(Line().flow())) == ["unseen"]
