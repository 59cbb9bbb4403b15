"""Reading Reason and 603+: what is equal, what is a flaw, and that no bytes of a device stop the reader."""

from __future__ import annotations

import random
import string

import pytest

from harness.sip.message import SipMessage
from harness.sip.plus603 import Plus603, wrong_contact
from harness.sip.reason import ReasonValue, reasons

URL = "https://redress.example/x"
USUAL = f'SIP;cause=603;text="v=analytics1;url={URL}";location=TN'


def response(*values: str, phrase: str = "Network Blocked", status: int = 603) -> SipMessage:
    lines = "".join(f"Reason: {value}\r\n" for value in values)
    raw = f"SIP/2.0 {status} {phrase}\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n{lines}\r\n"
    return SipMessage(raw.encode("utf-8").decode("latin-1"))


def codes(*values: str) -> list[str]:
    return [f"{problem.code}:{problem.weight}" for problem in Plus603(response(*values)).problems()]


@pytest.mark.parametrize(
    "other",
    [
        f'sip ; Cause = 603 ; TEXT = "v=analytics1;url={URL}" ; Location = tn',
        f'SIP;location=TN;text="v=analytics1;url={URL}";cause=603',
        f'SIP;cause=603;\r\n text="v=analytics1;url={URL}"\r\n\t;location=TN',
        f'SIP;cause=603;text="v\\=analytics1;url={URL}";location=TN',
    ],
)
def test_lawful_notations_are_one_value(other: str) -> None:
    assert reasons(response(other))[0].key == ReasonValue(USUAL).key
    assert Plus603(response(other)).is_plus


@pytest.mark.parametrize(
    "other",
    [
        USUAL.replace("/x", "/X"),
        USUAL.replace("TN", "LN"),
        USUAL.replace(";location=TN", ""),
        USUAL.replace('"v', '""v'),
        USUAL.replace(f";url={URL}", ""),
        f"{USUAL};x=1",
    ],
)
def test_other_values_are_another_value(other: str) -> None:
    assert reasons(response(other))[0].key != ReasonValue(USUAL).key


def test_values_on_one_line_or_on_two() -> None:
    two = ("Q.850;cause=21", USUAL)
    assert [v.key for v in reasons(response(", ".join(two)))] == [v.key for v in reasons(response(*two))]
    # In a Reason an angle bracket is no bracket, and a comma in quotation marks separates nothing.
    assert len(reasons(response('SIP;cause=603;text="a <b, c"', "Q.850;cause=21"))) == 2


def test_both_signs_make_a_603plus() -> None:
    assert Plus603(response(USUAL)).is_plus
    assert Plus603(response(USUAL, phrase="network  BLOCKED")).is_plus
    assert Plus603(response('Q.850;cause=21;text="v=analytics1;tel=+12155550100";location=RLN')).is_plus
    assert not Plus603(response(USUAL, phrase="Decline")).is_plus
    assert not Plus603(response()).is_plus
    assert not Plus603(response(USUAL, status=486)).is_plus
    assert not Plus603(response(USUAL.replace("603", "486"))).is_plus
    assert not Plus603(response(USUAL.replace("analytics1", "analytics2"))).is_plus
    assert not Plus603(response(USUAL.replace(f";url={URL}", ""))).is_plus
    assert not Plus603(response(USUAL.replace('"', ""))).is_plus


def test_redress_is_what_it_says() -> None:
    text = f"v=analytics1;url={URL}?a=b;tel=+12155550100;email=a@b.example;id=x"
    redress = Plus603(response(f'SIP;cause=603;text="{text}";location=TN')).redress
    assert str(redress) == f"url {URL}?a=b, tel +12155550100, email a@b.example, location TN"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (USUAL, []),
        (f'{USUAL};x-flag;x-note="a;b"', []),
        (USUAL.replace("https", "http"), ["bad-url:fail"]),
        (USUAL.replace(f"url={URL}", f"url={URL};email=nobody"), ["bad-email:warn"]),
        (USUAL.replace(f"url={URL}", "email=a@b"), ["bad-email:fail"]),
        (USUAL.replace(f"url={URL}", "tel=1-800-FLOWERS"), ["bad-tel:fail"]),
        (USUAL.replace(f"url={URL}", "id=1"), ["no-contact:fail"]),
        (USUAL.replace("analytics1", "analytics2"), ["unknown-version:fail"]),
        (USUAL.replace("analytics1", "Analytics1"), ["version-in-other-case:warn"]),
        (USUAL.replace("v=", "v=analytics1;v="), ["several-versions:warn"]),
        (USUAL.replace(f"v=analytics1;url={URL}", f"url={URL};v=analytics1"), ["version-not-first:fail"]),
        (USUAL.replace(";url", ";id=" + "a" * 65 + ";url"), ["odd-id:warn"]),
        (USUAL.replace("/x", "/" + "y" * 8000), ["long-text:note"]),
        (USUAL.replace('x"', "x"), ["parameter-unreadable:fail"]),
        (USUAL.replace("/x", "/\0"), ["control-character:fail", "parameter-unreadable:fail", "bad-url:fail"]),
        ("x" * 8000, ["no-analytics-text:fail"]),
        ("", ["no-analytics-text:fail"]),
        (f"{USUAL};cause=603", ["parameter-twice:fail"]),
    ],
)
def test_bad_input_is_a_finding(value: str, found: list[str]) -> None:
    assert codes(value) == found


def test_two_values_of_one_protocol() -> None:
    assert codes(USUAL, "SIP;cause=480") == ["one-protocol-twice:fail"]
    assert codes(USUAL, "Q.850;cause=21") == []


@pytest.mark.parametrize(
    ("location", "code"),
    [("TN", ""), ("tn", ""), ("LPN", ""), ("U", "unusual-location"), ("Acme", "unknown-location")],
)
def test_locations(location: str, code: str) -> None:
    problem = Plus603(response(USUAL.replace("=TN", f"={location}"))).location_problem()
    assert (problem.code if problem else "") == code
    missing = Plus603(response(USUAL.replace(";location=TN", ""))).location_problem()
    assert missing is not None
    assert (missing.code, missing.weight) == ("no-location", "warn")


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("url", "HTTPS://Redress.Example:8443/a?b=c", True),
        ("url", "https://", False),
        ("url", "https://[::1", False),
        ("url", "", False),
        ("tel", "tel:+1-215-555-0100", True),
        ("tel", "+12", False),
        ("email", "a.b+c@blocks.example", True),
        ("email", "a b@c.example", False),
    ],
)
def test_contacts(name: str, value: str, right: bool) -> None:
    assert (wrong_contact(name, value) == "") is right


def test_no_bytes_make_it_fall_over() -> None:
    chance = random.Random(603)
    letters = string.printable + '\0\x80\xff";=\\,<>' * 3
    for _ in range(2000):
        value = "".join(chance.choice(letters) for _ in range(chance.randrange(60)))
        for text in (value, f"SIP;cause=603;text={value}", f'Q.850;cause=21;text="v=analytics1;url={value}'):
            read = Plus603(SipMessage(f"SIP/2.0 603 Network Blocked\r\nReason: {text}\r\n\r\n"))
            assert isinstance(read.is_plus, bool)
            assert all(problem.clause for problem in read.problems())
            assert str(read.redress) is not None
            read.location_problem()
