"""The reference device compares URIs by itself: it and the judges must come to the same answer, each on its own."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.devices.reference.uri_equality import same_uri as same_for_the_device
from harness.sip.uri import same_uri as same_for_the_judges

# Small pools, so that two URIs drawn from them often have the same parts, written in different ways.
SCHEMES = ("sip", "SIP", "sips")
USERS = (
    "",
    *[
        "bob@",
        "Bob@",
        "%62ob@",
        "%62%6Fb@",
        "b%6fb@",
        "a%3Bb@",
        "a%3bb@",
        "a;b@",
        "%2541@",
        "%41@",
        "A@",
        "b%C3%BC@",
        "bü@",
    ],
)
PASSWORDS = ("", ":pw", ":PW", ":%70w")
HOSTS = ("h.example", "H.Example", "192.0.2.4", "[2001:db8::1]", "[2001:DB8:0::1]")
PORTS = ("", ":5060", ":05060", ":5061")
PARAMETERS = [
    "lr",
    "LR",
    "lr=",
    "x=1",
    "X=1",
    "x=2",
    "x=a",
    "x=A",
    "%78=1",
    "transport=udp",
    "Transport=UDP",
    "transport=tcp",
    "user=phone",
    "user=ip",
    "ttl=1",
    "method=INVITE",
    "method=invite",
    "METHOD=INVITE",
    "maddr=192.0.2.1",
]
FREE_TEXT = ["Subject=a", "subject=a", "Subject=A", "Subject=%61", "Subject=a%20b"]
TOKENS = ["Priority=urgent", "priority=URGENT", "Priority=a", "priority=A", "Priority=b", "Priority=B"]
ADDRESSES = [
    "To=sip:bob%40h",
    "to=sip:BOB%40h",
    "To=sip:bob%40H",
    "to=sip:bob%40h;x=1",
    "to=<sip:bob%40h>",
    "To=sip:h%3FTo=sip:H",
    "To=sip:h%3FTo=sip:h",
    "To=sip:h%3Fa=1%26b=2",
    "To=sip:h%3Fb=2%26a=1",
]
HEADERS = [*FREE_TEXT, *TOKENS, *ADDRESSES, "Empty="]


@st.composite
def uris(draw: st.DrawFn) -> str:
    user = draw(st.sampled_from(USERS))
    if user and "@" in user:
        user = user.replace("@", draw(st.sampled_from(PASSWORDS)) + "@")
    text = f"{draw(st.sampled_from(SCHEMES))}:{user}{draw(st.sampled_from(HOSTS))}{draw(st.sampled_from(PORTS))}"
    text += "".join(f";{each}" for each in draw(st.lists(st.sampled_from(PARAMETERS), max_size=3)))
    headers = draw(st.lists(st.sampled_from(HEADERS), max_size=3))
    return text + (f"?{'&'.join(headers)}" if headers else "")


@settings(max_examples=1000, deadline=None)
@given(uris(), uris())
def test_any_two_uris(one: str, other: str) -> None:
    assert same_for_the_device(one, other) == same_for_the_judges(one, other)


@settings(max_examples=1000, deadline=None)
@given(uris(), st.data())
def test_two_uris_that_differ_in_one_part(one: str, data: st.DataObject) -> None:
    pool = data.draw(st.sampled_from([SCHEMES, [u for u in USERS if u], HOSTS, PARAMETERS, HEADERS]))
    old = [part for part in pool if part in one]
    other = one.replace(data.draw(st.sampled_from(old)), data.draw(st.sampled_from(pool))) if old else one
    assert same_for_the_device(one, other) == same_for_the_judges(one, other)


def test_every_two_that_have_one_part_more_than_the_smallest_uri() -> None:
    """All pairs: 19.1.4 speaks of each part alone."""
    small = [f"sip:{user}h" for user in USERS]
    small += [
        f"{scheme}:bob{password}@{host}{port}"
        for scheme, password, host, port in itertools.product(SCHEMES, PASSWORDS, HOSTS, PORTS)
    ]
    small += [f"sip:bob@h;{parameter}" for parameter in PARAMETERS]
    small += [f"sip:bob@h?{header}" for header in HEADERS]
    small += [f"sip:h?{'&'.join(two)}" for pool in (FREE_TEXT, TOKENS) for two in itertools.permutations(pool, 2)]
    small += ["", "tel:+15551234", "sip:", "sip:bob@", "sip:bob@h:port", " sip:bob@h "]
    different = [
        (one, other)
        for one, other in itertools.combinations_with_replacement(small, 2)
        if same_for_the_device(one, other) != same_for_the_judges(one, other)
    ]
    assert different == []
    equal = [pair for pair in itertools.combinations(small, 2) if same_for_the_device(*pair)]
    assert len(equal) > 100, "the pools hold too little that is equal and written differently"
