"""Equality of URIs by RFC 3261 19.1.4: the RFC's own examples, and what a device may write instead."""

from __future__ import annotations

import itertools

import pytest

from harness.sip.uri import SipUri, differences, request_uri_of, same_uri

EQUIVALENT = [
    ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
    ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
    (
        "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
        "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
    ),
    (
        "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
    ),
    # Not in the RFC's list, but in its text.
    ("SIP:bob@biloxi.com", "sip:bob@biloxi.com"),
    ("sip:bob@biloxi.com:05060", "sip:bob@biloxi.com:5060"),
    ("sip:%6a@h", "sip:%6A@h"),
    ("sip:%3b@h", "sip:%3B@h"),
    ("sip:bob@h;a=1;b=2", "sip:bob@h;b=2;a=1"),
    ("sip:h?To=sip:bob%40BILOXI.com", "sip:h?to=sip:bob%40biloxi.com"),
    ("sip:h?Priority=Urgent", "sip:h?priority=urgent"),
    ("sip:h?Priority=A&Priority=b", "sip:h?Priority=B&Priority=a"),
    ("sip:[2001:DB8::1]:5060", "sip:[2001:db8:0:0::1]:5060"),
    (" sip:bob@h ", "sip:bob@h"),
    ("sip:jürgen@h", "sip:j%C3%BCrgen@h"),
]
DIFFERENT = [
    ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
    ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
    ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
    # Not in the RFC's list, but in its text.
    ("sip:bob@h", "sips:bob@h"),
    ("sip:bob@h", "sip:h"),
    ("sip:bob:secret@h", "sip:bob@h"),
    ("sip:bob:secret@h", "sip:bob:Secret@h"),
    ("sip:a%3Bb@h", "sip:a;b@h"),
    ("sip:%2541@h", "sip:%41@h"),
    ("sip:bob@h;user=ip", "sip:bob@h"),
    ("sip:bob@h;ttl=1", "sip:bob@h"),
    ("sip:bob@h;method=INVITE", "sip:bob@h"),
    ("sip:bob@h;maddr=192.0.2.1", "sip:bob@h"),
    ("sip:h?Subject=a", "sip:h?Subject=a&Subject=a"),
    ("sip:h?to=sip:bob%40h", "sip:h?to=sip:BOB%40h"),
]
UNREADABLE = ["", "tel:+15551234", "sip:", "sip:@", "sip:bob@", "sip:bob@h:port", "sip:bob@h:999999", "\0", "sip:a b"]


@pytest.mark.parametrize(("a", "b"), EQUIVALENT)
def test_equivalent(a: str, b: str) -> None:
    assert same_uri(a, b)
    assert same_uri(b, a)


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_different(a: str, b: str) -> None:
    assert not same_uri(a, b)
    assert not same_uri(b, a)
    assert differences(a, b)
    assert differences(b, a)


def test_unreadable_uris_compare_as_trimmed_text() -> None:
    for a, b in itertools.product(UNREADABLE, UNREADABLE):
        assert same_uri(a, f" {b}\t") == (a == b)
        assert bool(differences(a, b)) == (a != b)


def test_nothing_raises_on_hostile_uris() -> None:
    hostile = [
        "sip:h?" + "to=sip:h?" * 20_000,
        "sip:" + "%" * 100_000 + "@h",
        "sip:h:" + "9" * 10_000,
        "sip:h" + ";" * 100_000,
        "sip:\ud800@h",
        "sip:[@h",
        "sip:a@b@c",
        "sip:h?&&&==",
        "sip:h;self=1",
        "sip:h;" + ";".join(f"a={i}" for i in range(5_000)),
    ]
    for a, b in zip(hostile, hostile[1:] + hostile[:1], strict=True):
        assert same_uri(a, b) == same_uri(b, a)
        differences(a, b)
        request_uri_of(a)


def test_components_are_as_written() -> None:
    uri = SipUri.parse("SIPS:a%40;isub=1:p?w@Ho.st:05061;lr;x=;Y=1?Subject=a%20b&Body=")
    assert uri == SipUri(
        scheme="SIPS",
        user="a%40;isub=1",
        password="p?w",
        host="Ho.st",
        port=5061,
        parameters=(("lr", None), ("x", ""), ("Y", "1")),
        headers=(("Subject", "a%20b"), ("Body", "")),
        well_formed=False,
    )
    assert uri.parameter("LR") == ""
    assert uri.parameter("y") == "1"
    assert uri.parameter("z") is None
    assert str(uri) == "SIPS:a%40;isub=1:p?w@Ho.st:5061;lr;x=;Y=1?Subject=a%20b&Body="


def test_well_formed_is_the_grammar_s_word() -> None:
    good = SipUri.parse("SIP:7001001@127.20.0.2:5060;foo=bar?Subject=x")
    bad = SipUri.parse("sip:bob@under_score")
    assert good is not None
    assert good.well_formed
    assert bad is not None
    assert not bad.well_formed


@pytest.mark.parametrize(
    ("contact", "expected"),
    [
        ("sip:moved@127.20.0.3:5060", "sip:moved@127.20.0.3:5060"),
        ("sip:m@h;foo=bar;method=INVITE;lr?Subject=x&Route=%3Csip:r%3E", "sip:m@h;foo=bar;lr"),
        ("sip:m@h;METHOD=INVITE", "sip:m@h"),
        ("sip:m@h?Subject=x", "sip:m@h"),
        ("sip:what?x@h?Subject=x", "sip:what?x@h"),
        ("sip:m;method=x@h", "sip:m;method=x@h"),
        ("Sip:%6D@H.example;transport=TCP", "Sip:%6D@H.example;transport=TCP"),
        (" tel:+1555;method=x?y ", "tel:+1555;method=x?y"),
    ],
)
def test_request_uri_of_a_contact(contact: str, expected: str) -> None:
    assert request_uri_of(contact) == expected


@pytest.mark.parametrize(
    ("expected", "actual", "words"),
    [
        ("sip:m@127.0.0.3", "sip:m@127.0.0.9", "host is 127.0.0.9, not 127.0.0.3"),
        ("sip:m@h;foo=bar", "sip:m@h", "parameter foo=bar is missing"),
        ("sip:m@h", "sip:m@h;foo=bar", "parameter foo=bar was added"),
        ("sip:m@h;foo=bar", "sip:m@h;foo=baz", "parameter is foo=baz, not foo=bar"),
        ("sip:m@h", "sip:m@h;method=INVITE", "parameter method=INVITE was left in"),
        ("sip:m@h", "sip:m@h?Subject=x", "?Subject=x was left in"),
        ("sip:m@h", "sip:n@h", "user is n, not m"),
        ("sip:m@h", "sip:h", "user m is missing"),
        ("sip:m@h:5060", "sip:m@h", "port 5060 is missing"),
        ("sip:m@h", "sip:m@h:5060", "port 5060 was added"),
        ("sips:m@h", "sip:m@h", "scheme is sip, not sips"),
        ("sip:m:a@h", "sip:m:b@h", "password differs"),
        ("sip:m@h", "tel:123", "URI is tel:123, not sip:m@h"),
    ],
)
def test_differences_in_words(expected: str, actual: str, words: str) -> None:
    assert differences(expected, actual) == (words,)


def test_differences_are_none_between_equals_and_short_between_monsters() -> None:
    assert differences("sip:%61@H;b=1;a=2", "SIP:a@h;a=2;b=1") == ()
    (text,) = differences("sip:m@h", "sip:" + "\x07" + "x" * 100_000 + "@h")
    assert len(text) < 200
    assert "\x07" not in text


@pytest.mark.parametrize(
    ("uri", "transports"),
    [
        ("sip:a@192.0.2.1", {"udp", "tcp", "tls"}),
        ("sip:a@192.0.2.1;transport=", {"udp", "tcp", "tls"}),
        ("sip:a@192.0.2.1;Transport=TLS", {"tls"}),
        ("sip:a@192.0.2.1;transport=udp", {"udp"}),
        ("sips:a@192.0.2.1;transport=tcp", {"tls"}),
    ],
)
def test_a_uri_says_by_what_it_is_reached(uri: str, transports: set[str]) -> None:
    parsed = SipUri.parse(uri)
    assert parsed is not None
    assert {one for one in ("udp", "tcp", "tls") if parsed.reached_by(one)} == transports
