"""Reading Via values, whatever a device writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.sip.via import Via


@pytest.mark.parametrize(
    ("text", "sent_by"),
    [
        ("SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKa", ("UDP", "192.0.2.1", 5070)),
        ("SIP/2.0/UDP 192.0.2.1", ("UDP", "192.0.2.1", 5060)),
        ("SIP/2.0/TLS PC33.Atlanta.com;branch=b", ("TLS", "pc33.atlanta.com", 5061)),
        (
            " sip / 2.0 / udp first.example.com: 4000;ttl=16 ;branch=b",
            ("UDP", "first.example.com", 4000),
        ),
        ("SIP/2.0/UDP under_score:05060", ("UDP", "under_score", 5060)),
        ("SIP/2.0/TCP [2001:db8::9:1];branch=b", ("TCP", "[2001:db8::9:1]", 5060)),
        ("SIP/2.0/WSS [2001:db8::9:1]:7443;branch=b", ("WSS", "[2001:db8::9:1]", 7443)),
        ("SIP/2.0/UDP h:99999999;branch=b", ("", "SIP/2.0/UDP h:99999999;branch=b", None)),
        ("SIP/3.0/UDP h", ("", "SIP/3.0/UDP h", None)),
        ("rubbish", ("", "rubbish", None)),
    ],
)
def test_what_a_transaction_is_matched_by(text: str, sent_by: tuple[str, str, int | None]) -> None:
    via = Via(text)
    assert via.sent_by == sent_by
    assert via.readable == bool(via.transport) == bool(via.host)


@pytest.mark.parametrize(
    ("parameters", "branch"),
    [
        (";branch=z9hG4bKa", "z9hG4bKa"),
        (" ; rport ; Branch = z9hG4bKa ;x", "z9hG4bKa"),
        (';x=";branch=no";branch=z9hG4bK=a', "z9hG4bK=a"),
        (';x="open;branch=b', "b"),
        (";branch=first;branch=second", "first"),
        (";branch=", ""),
        (";branch", None),
        (";mybranch=x", None),
        ("", None),
    ],
)
def test_the_branch(parameters: str, branch: str | None) -> None:
    assert Via(f"SIP/2.0/UDP h{parameters}").branch == branch


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (";rport;branch=b", ";rport=40000;received=192.0.2.9;branch=b"),
        (";branch=b; RPORT", ";branch=b;rport=40000;received=192.0.2.9"),
        (";branch=b", ";branch=b"),
        (";rport=7;branch=b", ";rport=7;branch=b"),
        (";rportal;branch=b", ";rportal;branch=b"),
    ],
)
def test_where_a_request_was_seen(asked: str, answered: str) -> None:
    via = Via(f"SIP/2.0/UDP 10.0.0.3{asked}")
    assert via.with_source("192.0.2.9", 40000) == f"SIP/2.0/UDP 10.0.0.3{answered}"
    assert Via(via.with_source("192.0.2.9", 40000)).has_source == ("=" in answered.replace("branch=", ""))


def test_a_value_as_its_sender_wrote_it() -> None:
    via = Via("SIP/2.0/UDP h;rport=40000;received=192.0.2.9;branch=b")
    assert via.has_source
    assert via.without_source() == "SIP/2.0/UDP h;rport;branch=b"
    assert not Via(via.without_source()).has_source
    assert Via("SIP/2.0/UDP h ; received = [2001:db8::1];branch=b").without_source() == "SIP/2.0/UDP h;branch=b"


@given(st.text(alphabet='SIP/2.0UDP h:5;=",brancheivdot[]\\ \r\n\0ü', max_size=60))
def test_nothing_raises(text: str) -> None:
    via = Via(text)
    assert via.sent_by
    assert via.port is None or via.port < 100_000
    assert via.branch is None or ";" not in via.branch
    via.with_source("192.0.2.9", 5060)
    via.without_source()


def test_hostile_values_take_no_time() -> None:
    for text in ("SIP/2.0/UDP h" + ";" * 60_000, "SIP/2.0/UDP h" + ';x="' * 20_000, "SIP/2.0/UDP " + " " * 60_000):
        via = Via(text)
        assert via.branch is None
        via.with_source("192.0.2.9", 5060)
