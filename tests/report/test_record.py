"""The record of a drive: framed by length, whole or refused, and beyond the reach of what messages contain."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flows import flow
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import EvidenceError
from harness.model.flow import Flow, Unreadable
from harness.net.address import Address
from harness.store.codec import dump, load
from harness.store.record import record_of, with_messages, without_messages

STEPS = ((0.0, "callee", "INVITE sip:7001@127.0.0.1 SIP/2.0", ""), (0.1, "callee", "<SIP/2.0 603 Decline", ""))
FORGERY = b"message 2 2\n{}\n{}\nend 1 " + b"0" * 64 + b"\n"


def stored(one: Flow, record: bytes | None = None) -> Flow:
    """``one``, written and read back, with another ``record`` if there is one."""
    kept = load(Flow, dump(without_messages(one)), "a flow")
    return with_messages(kept, record_of(one) if record is None else record, "a record")


def everything() -> Flow:
    one = flow(*STEPS)
    sent = replace(one.events[1], raw="\0\xff\r\n" + FORGERY.decode("latin-1"), fate="lost", number=0)
    return replace(
        one,
        lost=(sent,),
        unreadable=(Unreadable("callee", "\0\1 end 7", 1.5, Address("127.0.0.9"), 70_000),),
        unreadable_left_out=3,
    )


def test_what_is_written_is_read() -> None:
    assert stored(everything()) == everything()
    assert stored(flow()) == flow()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_no_message_can_pass_for_a_frame(data: bytes) -> None:
    one = flow(*STEPS)
    for content in (data, FORGERY + data, data + FORGERY):
        told = replace(one, events=(replace(one.events[0], raw=content.decode("latin-1")), one.events[1]))
        assert stored(told).events == told.events


def test_every_way_of_cutting_it_off_is_noticed() -> None:
    one = everything()
    record = record_of(one)
    for end in range(len(record)):
        with pytest.raises(EvidenceError, match="a record: expected"):
            stored(one, record[:end])


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_every_changed_byte_is_noticed(data: st.DataObject) -> None:
    one = everything()
    record = bytearray(record_of(one))
    place = data.draw(st.integers(0, len(record) - 1))
    record[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(EvidenceError):
        stored(one, bytes(record))


def test_frames_of_another_drive_are_noticed() -> None:
    one = everything()
    first, rest = record_of(one).split(b"\n", 1)
    with pytest.raises(EvidenceError, match="the record was changed"):
        stored(one, first + b"\n" + rest.replace(b"7001", b"7002", 1))
