"""The reference device's reading of addresses and URIs."""

from __future__ import annotations

import pytest

from harness.devices.reference.headers import parse_name_addr, split_values, tag_of, without_tag
from harness.devices.reference.sip_uri import Address, SipUri, destination_of


def test_commas_split_only_between_values() -> None:
    assert split_values(['"a, \\"b" <sip:a,b@h>;q=1, sip:c@h', "<sip:d@h>"]) == [
        '"a, \\"b" <sip:a,b@h>;q=1',
        "sip:c@h",
        "<sip:d@h>",
    ]


def test_parameters_of_a_bare_address_belong_to_the_header() -> None:
    assert parse_name_addr("sip:a@h;q=0.5").uri == "sip:a@h"
    assert parse_name_addr("<sip:a@h;q=0.5>").uri == "sip:a@h;q=0.5"


@pytest.mark.parametrize("text", ["*", "", "<sip:a@h", "<sip:a@h> x", "<a b:c>"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_name_addr(text)


def test_tags() -> None:
    assert tag_of('"x;tag=no" <sip:a@h;tag=no>;y; tag=yes') == "yes"
    assert without_tag("<sip:a@h;tag=no>;y;tag=yes") == "<sip:a@h;tag=no>;y"
    assert tag_of("<sip:a@h>;y ; tag = yes ;z") == "yes", "25.1: white space around the equals sign"
    assert without_tag("<sip:a@h>; tag = yes;z") == "<sip:a@h>;z"


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("sip:a@127.0.0.1", ("127.0.0.1", 5060, "udp")),
        ("SIP:127.0.0.1:5080;transport=UDP", ("127.0.0.1", 5080, "udp")),
        ("sip:a@h.example;maddr=127.0.0.2", ("127.0.0.2", 5060, "udp")),
        ("sip:a?b;c@127.0.0.1?Subject=x", ("127.0.0.1", 5060, "udp")),
        ("sip:a@127.0.0.1;transport=tcp", ("127.0.0.1", 5060, "tcp")),
        ("sip:a@[2001:DB8::0:7];transport=tcp", ("2001:db8::7", 5060, "tcp")),
        ("sip:a@[::1]:5080", ("::1", 5080, "udp")),
        ("sip:a@127.0.0.1;transport=tls", ("127.0.0.1", 5061, "tls")),
        ("sips:a@127.0.0.1", ("127.0.0.1", 5061, "tls")),
        ("sips:a@127.0.0.1:5071;transport=tcp", ("127.0.0.1", 5071, "tls")),
        ("sips:a@127.0.0.1;transport=udp", None),
        ("sip:a@127.0.0.1;transport=sctp", None),
        ("sip:a@[::1", None),
        ("sip:a@h.example", None),
        ("sip:a@127.0.0.256", None),
        ("sip:a@127.0.0.1:0", None),
        ("sip:a@127.0.0.1:99999", None),
        ("tel:+1", None),
    ],
)
def test_destination(uri: str, address: tuple[str, int, str] | None) -> None:
    assert destination_of(uri) == (address and Address(*address))
    others = {"udp", "tcp", "tls"} - {address[2] if address else ""}
    assert destination_of(uri, others) is None


def test_a_request_uri_has_no_headers_and_no_method() -> None:
    uri = SipUri.parse("sip:a;b:p%20@h:1;x;METHOD=BYE;y=%3d?Subject=x")
    assert str(uri.as_request_uri()) == "sip:a;b:p%20@h:1;x;y=%3d"
