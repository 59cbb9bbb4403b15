"""What SIPp gets to read: the same bytes, unless SIPp could not read them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sipp_peer import answering, run

from harness.endpoints.sipp.legible import legible
from harness.endpoints.sipp.scenario import HANG_UP
from harness.model.plan import Answer, Response

PLAIN = b"INVITE sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z\r\nTo: <sip:a@h>\r\nContent-Length: 3\r\n\r\n"
BODY = b"v=0\r\n o=folded?\n\n" + b"-" * 47 + b" 2026-99-01\0\xff\xfe\n X : y\r\n\r\n"


@pytest.mark.parametrize(
    ("odd", "plain"),
    [
        (b"To: <sip:a@h>\r\n ;tag=1\r\n", b"To: <sip:a@h> ;tag=1\r\n"),
        (b"To: <sip:a@h> \t\r\n\t \t;tag=1\r\n", b"To: <sip:a@h> ;tag=1\r\n"),
        (b"To:\r\n <sip:a@h>\r\n  ;x\r\n ;y\r\n", b"To: <sip:a@h> ;x ;y\r\n"),
        (b"To : <sip:a@h>\r\n", b"To: <sip:a@h>\r\n"),
        (b"To \t : <sip:a@h>\r\n", b"To: <sip:a@h>\r\n"),
        (b"t : <sip:a : b@h>\r\n", b"t: <sip:a : b@h>\r\n"),
        (b"X-Odd!%*_+`'~.1 : y\r\n", b"X-Odd!%*_+`'~.1: y\r\n"),
        (b"To : <sip:a@h>\r\n ;tag : 1\r\n", b"To: <sip:a@h> ;tag : 1\r\n"),
    ],
)
def test_headers_are_unfolded_and_blanks_before_colons_closed(odd: bytes, plain: bytes) -> None:
    message = PLAIN.replace(b"To: <sip:a@h>\r\n", odd) + BODY
    assert legible(message) == PLAIN.replace(b"To: <sip:a@h>\r\n", plain) + BODY


@pytest.mark.parametrize("before", [b"\r\n", b"\r\n\r\n", b"\n", b"\n\r\n\n"])
def test_empty_lines_before_a_message_go(before: bytes) -> None:
    assert legible(before + PLAIN + BODY) == PLAIN + BODY


def test_line_feeds_alone_become_line_ends_in_the_head_only() -> None:
    assert legible(PLAIN.replace(b"\r\n", b"\n") + BODY) == PLAIN + BODY


def test_a_head_without_an_end_stays_one() -> None:
    assert legible(b"INVITE sip:a@h SIP/2.0\nTo : x") == b"INVITE sip:a@h SIP/2.0\r\nTo: x"


def test_the_start_line_is_no_header() -> None:
    assert legible(b"INVITE :a SIP/2.0\r\n\r\n") == b"INVITE :a SIP/2.0\r\n\r\n"


@pytest.mark.parametrize("before", [b"", b"\r\n", b"\n\n\r\n"])
def test_what_only_the_suite_may_ask_of_a_sipp_does_not_get_in(before: bytes) -> None:
    assert legible(before + HANG_UP.encode() + b" sip:a@h SIP/2.0\r\n\r\n") is None


NAMES = st.from_regex(r"[A-Za-z0-9\-.!%*_+`'~]{1,12}", fullmatch=True)
VALUES = st.binary(max_size=40).map(lambda value: re.sub(rb"[\r\n]", b"", value))
START = st.sampled_from([b"INVITE sip:a@h SIP/2.0", b"SIP/2.0 486 Busy : Here", b"ACK sip:[::1]:5060 SIP/2.0"])


@given(START, st.lists(st.tuples(NAMES, VALUES), max_size=8), st.binary(max_size=200))
def test_a_message_without_oddities_is_the_same_bytes(
    start: bytes, headers: list[tuple[str, bytes]], body: bytes
) -> None:
    head = b"\r\n".join([start, *(name.encode() + b": " + value for name, value in headers)])
    message = head + b"\r\n\r\n" + body
    assert legible(message) == message


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_no_byte_of_a_body_is_touched(head: bytes, body: bytes) -> None:
    head = re.sub(rb"\r?\n(?:\r?\n)+", b"", head).rstrip(b"\r\n")
    read = legible(b"INVITE sip:a@h SIP/2.0\r\nX: " + head + b"\r\n\r\n" + body)
    assert read is not None
    assert read.endswith(b"\r\n\r\n" + body)


@given(st.binary(max_size=300))
def test_what_is_legible_stays_as_it_is(data: bytes) -> None:
    once = legible(b"INVITE sip:a@h SIP/2.0\r\nX: " + data)
    assert once is not None
    assert legible(once) == once


ODD = {
    "folded": lambda text: text.replace(";branch", "\r\n ;branch").replace("Call-ID: ", "Call-ID:\r\n\t"),
    "blanks": lambda text: re.sub(r"(?m)^(Via|From|To|Call-ID|CSeq):", r"\1 \t:", text),
    "line feeds": lambda text: text.replace("\r\n", "\n"),
    "empty lines": lambda text: "\r\n\r\n" + text,
}


@pytest.mark.parametrize("odd", ODD)
def test_sipp_answers_what_it_could_not_read(tmp_path: Path, odd: str) -> None:
    @run
    async def body() -> None:
        async with answering(tmp_path, Answer((Response(486),), ())) as (device, callee):
            text = ODD[odd](
                f"INVITE sip:1@{callee.own} SIP/2.0\r\nVia: SIP/2.0/UDP {device.own};branch=z9hG4bKodd\r\n"
                f"From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: odd one\r\nCSeq: 1 INVITE\r\n"
                f"Contact: <sip:a@{device.own}>\r\nContent-Length: 0\r\n\r\n"
            )
            device.send(text)
            busy = await device.get()
            assert (busy.status, busy.branch, busy.call_id) == (486, "z9hG4bKodd", "odd one")
            assert (busy.from_tag, busy.header("CSeq")) == ("1", "1 INVITE")
        assert callee.events[0].raw == text, "the record keeps what came"

    body()


@run
async def test_a_device_cannot_make_the_tester_hang_up(tmp_path: Path) -> None:
    async with answering(tmp_path, Answer((Response(200),), then="wait")) as (device, callee):
        device.request("INVITE", call="a")
        ok = await device.get()
        device.ack("z9hG4bKack", ok)
        device.request(HANG_UP, call="a", cseq=2, to=ok.header("To") or "")
        assert await device.hears_nothing(0.7)
        callee.seat.hang_up("a")
        assert (await device.get()).method == "BYE"
    assert [event.method for event in callee.record.received()] == ["INVITE", "ACK", HANG_UP]
