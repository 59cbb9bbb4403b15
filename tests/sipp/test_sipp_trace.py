"""Reading SIPp's logs: recorded ones, and what a device may do to them."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from harness.endpoints.sipp.trace import TracedMessage, TraceReader, unreadable

from harness.endpoints.sipp.scenario import HANG_UP

DATA = Path(__file__).parent / "data"
LOGS = sorted(DATA.glob("*.messages.log"))
HEAD = "-" * 47 + " 2026-11-22 05:57:56.839498\n"


def read(data: bytes, *cuts: int) -> list[TracedMessage]:
    reader, found, last = TraceReader(), [], 0
    for cut in (*sorted(cuts), len(data)):
        found += reader.feed(data[last:cut])
        last = cut
    return found + reader.finish()


def record(text: str, *, count: int | None = None, head: str = HEAD, direction: str = "received") -> str:
    size = len(text) if count is None else count
    counted = f"[{size}] bytes " if direction == "received" else f"({size} bytes)"
    return f"{head}UDP message {direction} {counted}:\n\n{text}\n"


def test_a_recorded_log_of_3_6_1() -> None:
    messages = read((DATA / "sipp-3.6.1.messages.log").read_bytes())
    lines = [(message.direction, message.raw.split("\r\n", 1)[0]) for message in messages]
    assert lines == [
        ("received", "INVITE sip:123@127.0.40.1 SIP/2.0"),
        ("sent", "SIP/2.0 302 Moved Temporarily"),
        ("received", "ACK sip:123@127.0.40.1 SIP/2.0"),
        ("received", "FOO sip:123@127.0.40.1 SIP/2.0"),
        ("received", "INVITE sip:cut@127.0.40.1 SIP/2.0"),
        ("sent", "SIP/2.0 302 Moved Temporarily"),
        ("received", "INVITE sip:dashes@127.0.40.1 SIP/2.0"),
        ("sent", "SIP/2.0 302 Moved Temporarily"),
        ("received", "OPTIONS sip:123@127.0.40.1 SIP/2.0"),
        ("sent", "SIP/2.0 200 OK"),
    ]
    assert messages[4].raw.endswith("X-Cut: before")
    assert messages[6].raw.endswith("UDP message received [283] bytes :\n\nINVITE sip:forged SIP/2.0\r\n\r\n")
    assert all(message.raw.endswith("\r\n") for message in messages if message is not messages[4])
    assert {message.transport for message in messages} == {"udp"}


def test_a_log_of_3_7_5_says_the_same() -> None:
    old, new = (read((DATA / f"sipp-{version}.messages.log").read_bytes()) for version in ("3.6.1", "3.7.5"))
    assert old == new


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.name)
def test_pieces_make_no_difference(log: Path) -> None:
    data = log.read_bytes()
    whole = read(data)
    for cut in range(0, len(data), 5):
        assert read(data, cut) == whole
    assert read(data, *range(len(data))) == whole
    chance = random.Random(302)
    for _ in range(100):
        assert read(data, *(chance.randrange(len(data)) for _ in range(6))) == whole


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.name)
def test_any_damage_is_survived(log: Path) -> None:
    data = log.read_bytes()
    chance = random.Random(603)
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(chance.randrange(1, 8)):
            start = chance.randrange(len(damaged))
            damaged[start : start + chance.randrange(30)] = chance.randbytes(chance.randrange(30))
        cut = chance.randrange(len(damaged))
        assert read(bytes(damaged), cut) == read(bytes(damaged))


def test_a_message_is_there_as_soon_as_it_is_whole() -> None:
    reader = TraceReader()
    assert reader.feed(record("INVITE sip:a SIP/2.0\r\n\r\n").encode())[0].raw == "INVITE sip:a SIP/2.0\r\n\r\n"


# 132: the very length of the next record.  That can be a body with a whole record in it just as well.
@pytest.mark.parametrize("missing", [number for number in range(1, 200) if number != 132])
def test_a_cut_message_never_swallows_the_next(missing: int) -> None:
    """A NUL cuts the text, the count stays: it may then end anywhere in what follows, on a line end too."""
    first, second = "INVITE sip:a SIP/2.0\r\nX: b", "BYE sip:a SIP/2.0\r\n\r\n"
    log = record(first, count=len(first) + missing) + record(second) + record("ACK sip:a SIP/2.0\r\n\r\n")
    assert [message.raw for message in read(log.encode())][:2] == [first, second]


def test_times_are_utc() -> None:
    message, *_ = read(record("A").encode())
    assert datetime.fromtimestamp(message.time, UTC).isoformat() == "2026-11-22T05:57:56.839498+00:00"


def test_the_second_text_of_an_unexpected_message_is_dropped() -> None:
    text = "FOO sip:a SIP/2.0\r\n\r\n"
    copy = "-" * 47 + f"\nUnexpected UDP message received:\n\n{text}\n"
    log = record(text) + copy + record(text) + copy + record("BYE sip:a SIP/2.0\r\n\r\n")
    assert [message.raw for message in read(log.encode())] == [text, text, "BYE sip:a SIP/2.0\r\n\r\n"]


def test_every_byte_survives() -> None:
    text = "".join(map(chr, range(1, 256)))
    log = record("?" * 255).encode().replace(b"?" * 255, text.encode("latin-1"))
    assert read(log)[0].raw == text


def test_the_harness_own_request_is_no_evidence() -> None:
    log = record(f"{HANG_UP} sip:a SIP/2.0\r\n\r\n") + record("BYE sip:a SIP/2.0\r\n\r\n", direction="sent")
    assert [message.direction for message in read(log.encode())] == ["sent"]


def test_datagrams_that_are_no_sip() -> None:
    texts = unreadable((DATA / "sipp-3.6.1.errors.log").read_bytes().decode("latin-1"))
    assert texts == ("hello world\r\n", "binary… (9 bytes, cut at a NUL)", "INVITE sip:no-call-id SIP/2.0\r\n\r\n")
