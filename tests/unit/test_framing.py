"""A stream is cut into messages, however its bytes are dealt out to segments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.endpoints.tap.framing import LARGEST, PING, Broken, Framer


def message(body: bytes = b"", *more: bytes, length: bytes | None = None) -> bytes:
    counted = b"Content-Length: %d" % len(body) if length is None else length
    return b"\r\n".join((b"MESSAGE sip:a@b SIP/2.0", b"Call-ID: c", *more, *filter(None, [counted]), b"", body))


def cut(*segments: bytes) -> list[bytes]:
    framer = Framer()
    return [one for segment in segments for one in framer.feed(segment)]


@given(
    st.lists(st.binary(max_size=40).map(message) | st.just(PING), max_size=6),
    st.lists(st.integers(0, 400), max_size=12),
)
def test_any_segments_make_the_same_messages(messages: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(messages)
    places = sorted({place for place in cuts if place < len(stream)})
    segments = [stream[start:end] for start, end in zip([0, *places], [*places, len(stream)], strict=True)]
    assert cut(*segments) == messages


def test_a_message_in_single_bytes() -> None:
    one = message(b"v=0\r\n\r\no=x")
    assert cut(*(bytes([byte]) for byte in one)) == [one]


@pytest.mark.parametrize("length", [b"l:3", b"CONTENT-LENGTH :  3 ", b"l \t: 3\t"])
def test_content_length_however_it_is_written(length: bytes) -> None:
    first, second = message(b"abc", length=length), message()
    assert cut(first + second) == [first, second]


def test_the_length_in_a_body_counts_for_nothing() -> None:
    first, second = message(b"\r\nContent-Length: 9\r\n"), message()
    assert cut(first + second) == [first, second]


def test_without_a_length_there_is_no_body() -> None:
    first = message(length=b"")
    assert cut(first + b"v=0\r\n\r\n" + message()) == [first, b"v=0\r\n\r\n", message()]


def test_line_ends_between_messages_are_skipped_and_pings_are_told() -> None:
    assert cut(b"\r\n", message(), b"\r\n\r\n", message(), b"\r", b"\n\r\n") == [message(), PING, message(), PING]


def test_what_is_not_complete_is_kept() -> None:
    framer = Framer()
    assert list(framer.feed(message() + b"INVITE sip")) == [message()]
    assert framer.rest == b"INVITE sip"


@pytest.mark.parametrize(
    "endless", [b"X: " + b"a" * LARGEST, message(b"", length=b"Content-Length: 999999999")], ids=["head", "body"]
)
def test_no_message_fills_the_memory(endless: bytes) -> None:
    with pytest.raises(Broken):
        cut(*(endless[start : start + (1 << 16)] for start in range(0, len(endless) + 1, 1 << 16)))
