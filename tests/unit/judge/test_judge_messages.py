"""The form of messages: what must be caught, and the legal oddities that must pass."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from answered_flow import Line
from refused_flow import URI, Wire

from harness.judge import form, form_details
from harness.judge.form_of_responses import complete_responses
from harness.judge.once import once_per_flow
from harness.judge.replies import one_final, seen_from, tags_are_new, went_where_they_belong
from harness.judge.resends import repeated, rests
from harness.model.flow import Event, Flow, Unreadable
from harness.model.verdict import Verdict
from harness.net.address import Address
from suites.invariants import test_acks, test_answers, test_messages
from suites.plans import REDIRECT

JUDGES = {name: value for name, value in vars(test_messages).items() if name.startswith("test_")}

GOOD = (
    f"INVITE {URI} SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.9:5060;rport;branch=z9hG4bKone\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:device@127.0.0.9>;tag=f1\r\n"
    f"To: <{URI}>\r\n"
    "Call-ID: c1\r\n"
    "CSeq: 1 INVITE\r\n"
    "Contact: <sip:device@127.0.0.9>\r\n"
    "Content-Length: 0\r\n"
    "\r\n"
)


def _flow(raw: str, *others: Event) -> Flow:
    event = Event(raw=raw, time=1_000.0, seat="callee", direction="received", number=1)
    return replace(Wire().flow(), events=(event, *others))


def _codes(flow: Flow) -> list[str]:
    return [found.code for judge in JUDGES.values() for found in judge(flow) if found.outcome == "violated"]


def test_a_good_message_passes_and_is_an_occasion():
    said = [found for judge in JUDGES.values() for found in judge(_flow(GOOD))]
    assert {found.outcome for found in said} == {"satisfied"}
    assert {found.requirement for found in said} >= {"RFC3261-7-01", "RFC3261-8.1.1-01", "RFC3261-20.14-01"}


LEGAL = {
    "compact": GOOD.replace("Via:", "v:").replace("From:", "f:").replace("To:", "t:").replace("Call-ID:", "i:"),
    "folded": GOOD.replace(";rport;", "\r\n ;rport;"),
    "blank before the colon": GOOD.replace("From:", "From \t:"),
    "no length over UDP": GOOD.replace("Content-Length: 0\r\n", ""),
    "empty lines before it": "\r\n\r\n" + GOOD,
    "line end behind the body": GOOD + "\r\n",
    "an odd header of its own": GOOD.replace("Call-ID", "x.odd~'`name: 1\r\nCall-ID"),
    "a header without a value": GOOD.replace("Call-ID", "Subject:\r\nCall-ID"),
    "two lines of a list": GOOD.replace("Call-ID", "Allow: ACK,CANCEL\r\nAllow: BYE, OPTIONS , INVITE\r\nCall-ID"),
    "a parameter without value": GOOD.replace(";tag=f1", ";tag=f1;x-odd;y=1"),
    "a URI of another scheme": GOOD.replace("<sip:device@127.0.0.9>;tag", "<tel:+1;phone-context=x>;tag"),
    "display name like a header": GOOD.replace("<sip:device", '"a;tag=\\"<x>" <sip:device'),
    "a display name of another alphabet": GOOD.replace("<sip:device", "M\u00fcller <sip:device"),
    "bare URI": GOOD.replace("<sip:device@127.0.0.9>;tag", "sip:device@127.0.0.9;tag"),
}


@pytest.mark.parametrize("how", LEGAL)
def test_legal_oddities_pass(how):
    assert _codes(_flow(LEGAL[how])) == []


WRONG = {
    "no-empty-line": GOOD[:-2],
    "header-without-name": GOOD.replace("Call-ID", ": lost\r\nCall-ID"),
    "bad-start-line": GOOD.replace("INVITE sip", "INVITE  sip", 1),
    "bare-lf": GOOD.replace("\r\nFrom", "\nFrom"),
    "header-twice": GOOD.replace("Max-Forwards", "Max-Forwards: 69\r\nMax-Forwards"),
    "wrong-content-length": GOOD.replace("Length: 0", "Length: 4"),
    "no-content-type": GOOD.replace("Length: 0", "Length: 5") + "v=0\r\n",
    "no-max-forwards": GOOD.replace("Max-Forwards: 70\r\n", ""),
    "bad-max-forwards": GOOD.replace("Max-Forwards: 70", "Max-Forwards: 256"),
    "bad-via": GOOD.replace("SIP/2.0/UDP", "UDP"),
    "no-magic-cookie": GOOD.replace("z9hG4bK", ""),
    "other-transport": GOOD.replace("SIP/2.0/UDP", "SIP/2.0/TCP"),
    "method-not-allowed": GOOD.replace("Call-ID", "Allow: INVITE, BYE, OPTIONS\r\nCall-ID"),
    "bad-from": GOOD.replace("<sip:device@127.0.0.9>;tag", ";tag"),
    "from-without-tag": GOOD.replace(";tag=f1", ";tag="),
    "to-without-tag": GOOD.replace(f"<{URI}>", f"<{URI}>;tag="),
    "wrong-cseq": GOOD.replace("1 INVITE", "1 ACK"),
    "no-contact": GOOD.replace("Contact: <sip:device@127.0.0.9>\r\n", ""),
    "several-contacts": GOOD.replace("Contact: ", "Contact: <sip:b@127.0.0.9>, "),
    "parameter-twice": GOOD.replace(";tag=f1", ";tag=f1;tag=f2"),
    "bad-address": GOOD.replace("From: <sip", 'From: half" <sip'),
    "bad-to": GOOD.replace(f"To: <{URI}>", "To: <sip:7001@:5060>"),
    "bad-contact": GOOD.replace("<sip:device@127.0.0.9>\r\nContent", "<mailto:a@b.test>\r\nContent"),
}


@pytest.mark.parametrize("code", WRONG)
def test_defects_are_caught(code):
    assert _codes(_flow(WRONG[code])) == [code]


@pytest.mark.parametrize(
    "value", ["<sip:a@127.0.0.9>x=1;tag=f1", '"a" <sip:a@127.0.0.9> b;tag=f1', 'a"b <sip:a@b.test>;tag=f1']
)
def test_text_beside_the_brackets_is_a_defect(value):
    assert _codes(_flow(GOOD.replace("From: <sip:device@127.0.0.9>;tag=f1", f"From: {value}"))) == ["bad-address"]


@pytest.mark.parametrize(
    "value", ["<sip:a@b.test>;;tag=f1", "<sip:a@b.test>;user agent=1;tag=f1", "<sip:a@b.test>;x=/;tag=f1"]
)
def test_a_parameter_against_the_grammar_is_a_warning(value):
    flow = _flow(GOOD.replace("From: <sip:device@127.0.0.9>;tag=f1", f"From: {value}"))
    (found,) = [f for f in form_details.addresses_can_be_read(flow, "r") if f.outcome == "violated"]
    assert (found.code, found.at_most) == ("bad-parameter", Verdict.WARN)


@pytest.mark.parametrize("header", ["From: sip:a@b.test?x=y;tag=f1", "Contact: sip:device@127.0.0.9?Subject=x"])
def test_a_uri_with_headers_is_in_brackets(header):
    name = header.partition(":")[0]
    assert _codes(_flow(re.sub(rf"(?m)^{name}: [^\r]*", header, GOOD))) == ["bad-address"]


def test_a_to_is_the_devices_own_where_our_response_only_repeats_it():
    """A tag that it writes twice: our 200 has it too, because a response has the To of its request."""
    twice = {"to_tag": "t1;tag=t1", "branch": "z9hG4bKbye", "cseq": "2 BYE"}
    wire = Wire().invite().answer(0.01, 200).say(0.1, f"BYE {URI} SIP/2.0", **twice)
    wire.say(0.11, "SIP/2.0 200 OK", sent=True, **twice)
    found = [f.code for f in form_details.addresses_can_be_read(wire.flow(), "r") if f.outcome == "violated"]
    assert found == ["parameter-twice"]


def test_a_to_that_our_response_has_begun_is_ours():
    """What stands behind a tag that an endpoint of ours has given is repeated by the device, as it must be."""
    wire = Wire().invite().answer(0.01, 200, to_tag="t1;x=1;x=2")
    wire.say(0.1, f"BYE {URI} SIP/2.0", to_tag="t1;x=1;x=2", branch="z9hG4bKbye", cseq="2 BYE")
    assert not [f for f in form_details.addresses_can_be_read(wire.flow(), "r") if f.outcome == "violated"]


def test_numbers_may_begin_with_zeros():
    """RFC 3261 25.1: 1*DIGIT."""
    assert _codes(_flow(GOOD.replace("Max-Forwards: 70", "Max-Forwards: 0070").replace("CSeq: 1", "CSeq: 0001"))) == []


def test_the_second_compact_form_is_the_same_header():
    assert _codes(_flow(GOOD.replace("Call-ID: c1", "Call-ID: c1\r\ni: c1"))) == ["header-twice"]


def test_a_bare_lf_is_a_warning():
    (found,) = [f for f in form.well_shaped(_flow(WRONG["bare-lf"]), "r") if f.outcome == "violated"]
    assert found.at_most is Verdict.WARN


def test_what_is_passed_on_as_it_came_is_not_the_devices():
    odd = GOOD.replace("Call-ID", "no colon\r\nSubject: a\r\nSubject: b\r\nCall-ID")
    ours = Event(raw=odd, time=999.0, seat="callee", direction="sent")
    assert _codes(_flow(odd, ours)) == []
    assert _codes(_flow(odd)) == ["header-without-name", "header-twice"]


def test_a_via_of_another_leg_is_a_defect_and_one_of_the_device_itself_is_none():
    two = GOOD.replace("Max-Forwards", "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\nMax-Forwards")
    other = re.sub("branch=[^;\r]+", "branch=z9hG4bKx", GOOD, count=1)
    ours = Event(raw=other.replace("7001", "7002"), time=999.0, seat="callee", direction="sent")
    assert _codes(_flow(two)) == []
    assert _codes(_flow(two, ours)) == ["several-vias"]


def test_what_our_response_repeats_stays_the_devices():
    flow = Wire().invite(from_=";tag=f1", extra=("Max-Forwards: 70",)).answer(0.1, 603, from_=";tag=f1").flow()
    assert "bad-from" in _codes(flow)


def test_what_is_no_sip_message_at_all_is_a_defect_of_the_device_that_sent_it():
    source = Address("127.0.0.9")
    event = Event(raw=GOOD, time=1_000.0, seat="callee", direction="received", number=1, source=source)
    flow = replace(Wire().flow(), events=(event,), unreadable=(Unreadable("callee", "BYE", source=source, size=3),))
    assert [f.code for f in form.well_shaped(flow, "r") if f.outcome == "violated"] == ["no-sip-message"]
    hello = replace(flow, unreadable=(replace(flow.unreadable[0], text="\x16\x03\x01\x02"),))
    assert [f.code for f in form.well_shaped(hello, "r") if f.outcome == "violated"] == ["tls-where-none"]
    alone = replace(flow, events=(), places=replace(flow.places, device=source))
    assert [f.code for f in form.well_shaped(alone, "r")] == ["no-sip-message"], "all that it sent is unreadable"
    flow = replace(flow, unreadable=(Unreadable("callee", "BYE", source=Address("127.0.0.77"), size=3),))
    assert all(f.outcome == "satisfied" for f in form.well_shaped(flow, "r"))


def _replies(line: Line) -> list[str]:
    return [f.code for f in complete_responses(line.flow(), "r") if f.outcome == "violated"]


def test_a_response_is_made_of_its_request():
    assert _replies(Line().ask().reply(0.01, 100).reply(0.1, 603)) == []
    assert _replies(Line().ask().reply(0.1, 603, to_tag="")) == ["no-to-tag"]
    assert _replies(Line().ask().reply(0.1, 603, from_="<sip:x@127.0.0.8>;tag=f1")) == ["other-from"]
    assert _replies(Line().ask().reply(0.1, 603, cseq="2 INVITE")) == ["other-cseq"]
    assert _replies(Line().ask().reply(0.1, 603, call_id="c9")) == ["other-call-id"]
    assert _replies(Line().ask(to_tag="t9").reply(0.1, 481, to_tag="t1")) == ["other-to-tag"]


def test_a_response_that_matches_nothing_is_compared_with_what_it_was_meant_for():
    assert _replies(Line().ask().reply(0.1, 603, branch="z9hG4bKother")) == ["other-via"]
    assert _replies(Line().ask().reply(0.1, 603, via=())) == ["other-via"]
    line = Line(role="proxy").ask().reply(0.1, 302, branch="z9hG4bKother", to_tag="stray")
    assert _replies(line) == ["other-via"]
    line.say(0.05, "SIP/2.0 302 Text", sent=True, seat="callee", branch="z9hG4bKnobody", to_tag="stray")
    assert _replies(line) == [], "a stray of ours that a proxy passes on"


def test_a_body_that_is_passed_on_keeps_its_type():
    def codes(*extra: str) -> list[str]:
        wire = Wire(role="b2bua").answer(0.1, 183, extra=("Content-Type: application/sdp",), body="v=0")
        wire.say(0.2, "SIP/2.0 183 Text", seat="caller", to_tag="t3", extra=extra, body="v=0")
        return [f.code for f in form.sized(wire.flow(), "a", "b") if f.outcome == "violated"]

    assert codes("Content-Type: Application/SDP") == []
    assert codes("Content-Type: application/sd") == ["other-content-type"]
    assert codes() == ["no-content-type"]


def test_one_tag_and_a_contact_in_every_response_that_makes_a_dialog():
    def codes(line: Line, judge=form_details.one_tag) -> list[str]:
        return [f"{f.code} {f.at_most}" for f in judge(line.flow(), "r") if f.outcome == "violated"]

    ringing = Line().ask().reply(0.01, 100).reply(0.1, 180, contact="<sip:a@127.0.0.9>")
    assert codes(ringing.reply(0.2, 603)) == []
    assert codes(ringing, form_details.contact_of_early_dialogs) == []
    other = Line().ask().reply(0.1, 180).reply(0.2, 603, to_tag="t2")
    assert codes(other) == ["other-to-tag fail"]
    assert codes(other, form_details.contact_of_early_dialogs) == ["early-without-contact warn"]
    assert codes(Line(role="proxy").ask().reply(0.1, 180).reply(0.2, 603, to_tag="t2")) == []


def test_the_answer_to_a_cancel_has_the_tag_of_its_invite():
    def codes(tag: str) -> list[str]:
        line = Line().ask().reply(0.1, 180).cancel(0.2).reply(0.3, 200, cseq="1 CANCEL", to_tag=tag).reply(0.3, 487)
        found = form_details.tag_of_the_answer_to_cancel(line.flow(), "r")
        return [f.code if f.outcome == "violated" else f.outcome for f in found]

    assert codes("t1") == ["satisfied"]
    assert codes("t2") == ["cancel-has-other-tag"]


def test_one_final_response():
    def codes(line, role="uas"):
        return [f.code for f in one_final(replace(line.flow(), role=role), "r") if f.outcome == "violated"]

    assert codes(Line().ask().reply(0.1, 603).reply(0.6, 603)) == []
    assert codes(Line().ask().reply(0.1, 603).reply(0.6, 487)) == ["second-final"]
    assert codes(Line().ask().reply(0.1, 603).reply(0.6, 603, to_tag="t2")) == ["other-to-tag"]
    fork = Line().ask().reply(0.1, 200).reply(0.2, 200, to_tag="t2")
    assert (codes(fork, "proxy"), codes(fork)) == ([], ["other-to-tag"])


def _at(flow: Flow, source: Address, destination: Address) -> Flow:
    """``flow`` between the caller at ``source`` and responses that arrive at ``destination``."""
    events = (
        replace(event, destination=destination) if event.from_device else replace(event, source=source)
        for event in flow.events
    )
    return replace(flow, events=tuple(events))


@pytest.mark.parametrize(
    ("via", "destination", "right"),
    [
        ("Via: SIP/2.0/UDP 127.0.0.8:5060;rport;branch={branch}", "127.0.0.8:5099", True),
        ("Via: SIP/2.0/UDP 127.0.0.8;branch={branch}", "127.0.0.8:5060", True),
        ("Via: SIP/2.0/UDP 127.0.0.8:5070;branch={branch}", "127.0.0.8:5070", True),
        ("Via: SIP/2.0/UDP 127.0.0.8:5070;branch={branch}", "127.0.0.8:5080", False),
        ("Via: SIP/2.0/UDP 127.0.0.8:5060;rport;branch={branch}", "127.0.0.3:5060", False),
    ],
)
def test_where_a_response_goes(via, destination, right):
    host, _, port = destination.partition(":")
    flow = Line().ask(via=(via,)).reply(0.1, 603, via=(via,)).flow()
    flow = _at(flow, Address("127.0.0.8", 5099), Address(host, int(port)))
    assert [f.outcome == "satisfied" for f in went_where_they_belong(flow, "r")] == [right]


@pytest.mark.parametrize(
    ("noted", "codes"),
    [
        (";rport=5060;received=127.0.0.8", []),
        (";rport", []),  # whoever does not know RFC 3581
        (";rport=5060", ["no-received"]),
        (";rport=5061;received=127.0.0.8", ["wrong-rport"]),
        (";rport=5060;received=127.0.0.1", ["wrong-received"]),
    ],
)
def test_what_the_topmost_via_notes(noted, codes):
    via = f"Via: SIP/2.0/UDP 127.0.0.8:5060{noted};branch={{branch}}"
    flow = Line().ask().reply(0.1, 603, via=(via,)).flow()
    flow = _at(flow, Address("127.0.0.8"), Address("127.0.0.8"))
    assert [f.code for f in seen_from(flow, "a", "b") if f.outcome == "violated"] == codes


def test_tags_belong_to_one_call():
    def codes(second, **more):
        line = Line().ask().reply(0.1, 603)
        line.ask(1.0, call_id="c9", branch="z9hG4bKtwo", **more).reply(
            1.1, 603, call_id="c9", branch="z9hG4bKtwo", to_tag=second, **more
        )
        return [f.code for f in tags_are_new(line.flow(), "r") if f.outcome == "violated"]

    assert codes("t2") == []
    assert codes("t1") == ["tag-reused"]
    assert codes("f2", from_="<sip:caller@127.0.0.8>;tag=f2") == ["tag-reused"]


def test_repeated_until_answered_and_no_longer():
    def codes(wire):
        flow = wire.flow(closed=9.0)
        return [f.code for f in (*repeated(flow, "r", invites=True), *rests(flow, "s")) if f.outcome == "violated"]

    assert codes(Wire().invite().answer(0.1, 603)) == []
    assert codes(Wire().invite().invite(0.5).answer(0.8, 603)) == []
    assert codes(Wire().invite().answer(1.8, 603)) == ["not-repeated"]
    assert codes(Wire().invite().invite(0.5, uri="sip:x@127.0.0.2").answer(0.8, 603)) == ["copy-differs"]
    assert codes(Wire().invite().answer(0.1, 180).invite(0.5)) == ["repeated-after-1xx"]
    assert codes(Wire().invite().answer(0.1, 603).invite(0.5)) == ["repeated-after-final"]
    assert codes(Wire().invite().answer(0.3, 603).invite(0.5)) == [], "it may have crossed the response"


@pytest.mark.parametrize(
    ("copies", "answered", "codes"),
    [
        ((0.5, 1.5), 1.8, []),
        ((0.5, 1.5, 3.5, 7.5, 15.5, 31.5), 0, []),
        ((0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5), 0, []),
        ((0.9, 1.9, 3.6, 7.5, 15.5, 31.5), 0, []),  # a busy machine
        ((0.5, 1.5, 3.5), 4.0, []),
        ((0.2, 1.2), 1.8, []),  # a busy machine has sent the INVITE itself late
        ((0.2,), 0.8, []),
        ((0.01,), 0.8, ["copy-too-early"]),
        ((0.25, 0.75, 1.75), 2.0, ["copy-too-early"]),
        ((0.5, 1.0, 1.5), 1.8, ["interval-not-doubled"]),
        ((0.5, 1.5, 2.5), 3.0, ["interval-not-doubled"]),
        ((1.0, 3.0), 3.5, ["copies-too-late"]),
        ((0.7, 2.6), 3.0, []),  # one interval is the machine's
        ((0.5,), 3.8, ["copies-stop"]),
        ((0.5,), 3.0, []),
        ((0.5, 1.5), 0, ["copies-stop"]),
        ((0.5, 1.5, 3.5, 7.5), 0, ["copies-stop"]),  # 32 s of silence
        ((0.5, 1.5, 3.5, 7.5, 15.5), 0, []),
    ],
)
def test_the_intervals_between_the_copies_of_an_invite(copies, answered, codes):
    wire = Wire().invite()
    for at in copies:
        wire.invite(at)
    if answered:
        wire.answer(answered, 603)
    found = repeated(wire.flow(closed=40.0), "r", invites=True)
    assert [f.code for f in found if f.outcome == "violated"] == codes


def test_a_device_that_goes_elsewhere_need_not_go_on_with_its_copies():
    wire = Wire(REDIRECT).invite().invite(0.5).invite(1.5).invite(4.0, seat="target", branch="z9hG4bKtwo")
    wire.answer(4.1, 603, seat="target", branch="z9hG4bKtwo")
    assert all(f.outcome == "satisfied" for f in repeated(wire.flow(closed=40.0), "r", invites=True))


def test_the_copies_of_another_request_grow_to_t2():
    def codes(*copies):
        wire = Wire().invite().answer(0.1, 200).request(1.0, "BYE")
        for at in copies:
            wire.request(1.0 + at, "BYE")
        return [f.code for f in repeated(wire.flow(closed=9.0), "r", invites=False) if f.outcome == "violated"]

    assert codes(0.5, 1.5, 3.5, 7.5) == []
    assert codes(0.5, 1.0, 1.5) == ["interval-not-doubled"]


def test_another_final_response_need_not_be_acknowledged():
    flow = Wire().invite().answer(0.01, 603).ack(0.02).answer(0.5, 500).flow()
    assert test_acks.test_every_copy_of_a_refusal_is_acknowledged(flow) == ()
    flow = Wire().invite().answer(0.01, 603).ack(0.02).answer(0.5, 603).flow()
    (found,) = test_acks.test_every_copy_of_a_refusal_is_acknowledged(flow)
    assert found.code == "copies-unacknowledged"


def test_a_stray_that_a_proxy_passes_on_is_no_second_final_response():
    line = Line(role="proxy").ask().reply(0.1, 302, to_tag="stray").reply(0.2, 603)
    assert [f.code for f in one_final(line.flow(), "r") if f.outcome == "violated"] == ["second-final"]
    line.say(0.05, "SIP/2.0 302 Text", sent=True, seat="callee", branch="z9hG4bKnobody", to_tag="stray")
    assert test_answers.test_every_request_gets_one_final_response(line.flow()) == ()


def test_a_flow_is_read_once():
    asked = []

    @once_per_flow
    def read(flow: Flow) -> int:
        asked.append(flow.id)
        return len(flow.events)

    flow = _flow(GOOD)
    assert (read(flow), read(flow), asked) == (1, 1, [flow.id])
    assert read(replace(flow, events=())) == 0
    assert flow == replace(flow), "what was read is none of its fields"
