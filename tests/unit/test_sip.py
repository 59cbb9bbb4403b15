"""The tolerant view of SIP messages: what a device may write, and what it should not but does."""

from __future__ import annotations

import time

import pytest

from harness.sip.message import SipMessage, addr_spec, split_list

HEADERS = (
    "Via: SIP/2.0/UDP 127.0.0.9:5060;branch=z9hG4bKa, SIP/2.0/TCP proxy.example;branch=z9hG4bKb",
    "From: <sip:a@h>;tag=1",
    "To: <sip:b@h>",
    "Call-ID: c1",
    "CSeq: 7 INVITE",
)


def invite(*headers: str, start: str = "INVITE sip:b@h SIP/2.0", end: str = "\r\n", body: str = "") -> SipMessage:
    return SipMessage(end.join((start, *(headers or HEADERS), "", body)))


def test_a_request() -> None:
    message = invite(body="v=0\r\n")
    assert message.unreadable is None
    assert (message.method, message.request_uri, message.status, message.reason) == ("INVITE", "sip:b@h", None, "")
    assert (message.call_id, message.cseq_number, message.cseq_method) == ("c1", 7, "INVITE")
    assert (message.from_tag, message.to_tag) == ("1", None)
    assert (message.from_uri, message.to_uri) == ("sip:a@h", "sip:b@h")
    assert message.branch == "z9hG4bKa"
    assert [via.transport for via in message.vias] == ["UDP", "TCP"]
    assert message.body == "v=0\r\n"


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        ("SIP/2.0 302 Moved Temporarily", 302, "Moved Temporarily"),
        ("SIP/2.0 603 ", 603, ""),
        ("SIP/2.0 603", 603, ""),
        ("sip/2.0 200 ok", 200, "ok"),
        ("SIP/2.0 200 speaks SIP/2.0", 200, "speaks SIP/2.0"),
    ],
)
def test_a_response(line: str, status: int, reason: str) -> None:
    message = invite(start=line)
    assert message.unreadable is None
    assert (message.status, message.reason, message.method, message.request_uri) == (status, reason, None, "")


def test_compact_and_long_forms_are_one_header() -> None:
    message = invite(
        "v: SIP/2.0/UDP h;branch=x", "f: <sip:a@h>;tag=1", "t:<sip:b@h>", "I: c", "CSEQ : 1 INVITE", "M: <sip:m@h>"
    )
    assert message.unreadable is None
    assert message.call_id == "c"
    assert message.cseq_number == 1
    assert message.contact_uris == ("sip:m@h",)
    assert message.headers("m") == message.headers("Contact") == ("<sip:m@h>",)


def test_folded_lines_are_unfolded() -> None:
    message = invite(*HEADERS[:-1], "CSeq:\r\n 7\r\n\tINVITE", 'Contact: "x"\r\n  <sip:m@h>;\r\n q=1')
    assert message.unreadable is None
    assert message.cseq_number == 7
    assert message.header("Contact") == '"x" <sip:m@h>; q=1'


def test_headers_in_a_request_uri_leave_the_rest_readable() -> None:
    message = invite(start="INVITE sip:m@h?Subject=a%20b&Route=%3Csip:r%3E SIP/2.0")
    assert message.request_uri == "sip:m@h?Subject=a%20b&Route=%3Csip:r%3E"
    assert message.unreadable is None


def test_one_bad_header_line_leaves_the_others_readable() -> None:
    message = invite("no colon here", *HEADERS)
    assert message.unreadable == "a header line could not be read"
    assert message.call_id == "c1"
    assert message.branch == "z9hG4bKa"


@pytest.mark.parametrize(
    ("value", "uri", "tag"),
    [
        ("sip:x@y;tag=1", "sip:x@y", "1"),
        ("sip:x@y ; TAG = 1 ;a=b", "sip:x@y", "1"),
        ("<sip:x@y>;a=b;tag=1", "sip:x@y", "1"),
        ("<sip:x@y;tag=inside>", "sip:x@y;tag=inside", None),
        ("<sip:x@y;tag=inside>;tag=1", "sip:x@y;tag=inside", "1"),
        ('"Bob; <b>, \\"tag=0;tag=0" <sip:x@y>;tag=1', "sip:x@y", "1"),
        ("Bob <sip:x@y>;tag=1", "sip:x@y", "1"),
        ('"<sip:evil@h>" <sip:x@y>', "sip:x@y", None),
        ('<sip:x@y>;a=";tag=0";tag=1', "sip:x@y", "1"),
        ('"unclosed <sip:x@y>;tag=1', "sip:x@y", "1"),
        ("<sip:x@y>;mytag=0", "sip:x@y", None),
        ("<sip:x@y>;tag=", "sip:x@y", ""),
        ("<sip:x@y;tag=1", "<sip:x@y", "1"),
        ("", "", None),
    ],
)
def test_addresses_and_tags(value: str, uri: str, tag: str | None) -> None:
    message = invite(f"From: {value}", f"To: {value}")
    assert (message.from_uri, message.from_tag) == (uri, tag)
    assert (message.to_uri, message.to_tag) == (uri, tag)


def test_contacts_split_at_commas_outside_quotes_and_brackets() -> None:
    message = invite('Contact: "a, <b>" <sip:a,b@h>;q=0.5, sip:c@h;q=1', "m: <sip:d@h;x=1?Subject=y>", "Contact: *")
    assert message.contact_uris == ("sip:a,b@h", "sip:c@h", "sip:d@h;x=1?Subject=y", "*")
    assert split_list(' a ,, "b,\\"c" ,<d,e>, ') == ("a", '"b,\\"c"', "<d,e>")
    assert addr_spec("*") == "*"


@pytest.mark.parametrize(
    ("routes", "uri"),
    [
        ((), "sip:b@h"),
        (("Route: <sip:p1;lr>, <sip:p2;lr>",), "sip:p1;lr"),
        (('Route: "a, b" <sip:p1;lr>;x=1', "Route: <sip:p2;lr>"), "sip:p1;lr"),
        (("Route: ",), ""),
    ],
)
def test_the_first_route_is_the_next_hop(routes: tuple[str, ...], uri: str) -> None:
    assert invite(*HEADERS, *routes).next_hop_uri == uri


def test_the_branch_is_read_even_where_a_via_is_broken() -> None:
    message = invite("Via: SIP/2.0/UDP under_score;rport;Branch=z9hG4bKa;x, rubbish")
    assert [via.readable for via in message.vias] == [True, False]
    assert message.branch == "z9hG4bKa"
    assert invite("Via: rubbish;self=1;branch=b").branch == "b"
    assert invite("Via: SIP/2.0/UDP h").branch is None


def test_bare_line_feeds_and_leading_empty_lines_are_tolerated() -> None:
    message = SipMessage("\r\n\r\n" + invite(end="\n", body="v=0\n").raw)
    assert message.start_line == "INVITE sip:b@h SIP/2.0"
    assert message.unreadable is None
    assert message.body == "v=0\n"


def test_no_empty_line_no_body() -> None:
    assert SipMessage("INVITE sip:b@h SIP/2.0").body == ""
    assert SipMessage("INVITE sip:b@h SIP/2.0").unreadable == "it has no readable Call-ID and CSeq"


def test_utf8_is_text_and_raw_keeps_the_bytes() -> None:
    raw = 'INVITE sip:b@h SIP/2.0\r\nFrom: "Jürgen ☎" <sip:a@h>;tag=ü\r\n\r\n'.encode().decode("latin-1")
    message = SipMessage(raw)
    assert message.header("From") == '"Jürgen ☎" <sip:a@h>;tag=ü'
    assert message.from_tag == "ü"
    assert message.raw == raw
    broken = SipMessage("INVITE sip:b@h SIP/2.0\r\nSubject: \xff\xfe\r\n\r\n")
    assert broken.header("Subject") == "��"


@pytest.mark.parametrize("raw", ["", "\r\n\r\n", "\0", "hello", "GET / HTTP/1.1\r\n\r\n", "SIP/2.0 2x0 OK", "\r", "☎"])
def test_what_is_no_sip_says_so(raw: str) -> None:
    message = SipMessage(raw)
    assert message.unreadable == "its first line is neither a SIP request line nor a status line"
    assert (message.method, message.status, message.call_id, message.cseq_number) == (None, None, "", None)
    assert (message.branch, message.vias, message.contact_uris, message.body) == (None, (), (), "")


def test_nul_bytes_are_characters_like_others() -> None:
    message = invite("Call-ID: a\0b", "CSeq: 1 INVITE", "From: <sip:\0@h>;tag=\0", start="INVITE sip:\0@h SIP/2.0")
    assert message.unreadable is None
    assert message.call_id == "a\0b"
    assert message.from_tag == "\0"
    assert message.request_uri == "sip:\0@h"


@pytest.mark.parametrize("value", ["9" * 5000 + " INVITE", "٣ INVITE", "-1 INVITE", "1", "1 INVITE x", ""])
def test_a_cseq_that_is_none(value: str) -> None:
    assert invite("Call-ID: c", f"CSeq: {value}".encode().decode("latin-1")).cseq_number is None


def test_monsters_are_read_in_linear_time() -> None:
    started = time.process_time()
    for filler in ("<", '"', '\\"', ";", ",", ";tag", "\r\n ", "a:\r\n", '"\\"', "x: y\r\nz", " ", "%"):
        message = invite(*HEADERS, f"Contact: {filler * (65_000 // len(filler))}", f'From: "{filler * 20_000}')
        assert message.contact_uris is not None
        assert message.from_tag is not None or message.from_uri is not None
        assert message.unreadable is None or message.call_id == "c1"
    distinct = invite(*HEADERS, *(f"X{n}: 1" for n in range(20_000)))
    assert distinct.unreadable is None
    assert time.process_time() - started < 3
