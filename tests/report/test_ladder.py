"""Ladders: complete, deterministic, and unimpressed by what a device sends."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from flows import DECLINE, DECLINED, HOSTILE, REDIRECTED, flow

from harness.model.flow import Trouble
from harness.report.ladder import svg_ladder, text_ladder

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]


def test_every_message_is_there_with_its_number_time_and_line() -> None:
    shown = texts(svg_ladder(flow(*REDIRECTED), mark=3))
    assert {"callee 302, target 200", "reference", "callee", "127.20.0.2:5060", "target"} <= set(shown)
    assert {str(number) for number in range(1, 10)} <= set(shown)
    assert {"+0.012 s", "302 Moved Temporarily", "ACK sip:moved@127.20.0.3:5060", "decisive"} <= set(shown)
    assert "Contact: sip:moved;foo=bar@127.20.0.3:5060;transport=udp?Subject=hi" in shown


def test_each_lane_has_its_transport_where_a_call_goes_from_one_to_another() -> None:
    alone = flow(*REDIRECTED, seats=("caller", "callee", "target"))
    seats = [replace(one, address=replace(one.address, transport="wss")) for one in alone.seats[:1]]
    crossing = replace(alone, transport="wss-to-udp", role="b2bua", seats=(*seats, *alone.seats[1:]))
    assert {"WSS 127.20.0.1:5060", "UDP 127.20.0.2:5060", "UDP 127.20.0.3:5060"} <= set(texts(svg_ladder(crossing)))
    assert "over WSS: caller; over UDP: callee, target" in text_ladder(crossing)
    assert {"127.20.0.1:5060", "127.20.0.2:5060"} <= set(texts(svg_ladder(alone)))
    assert "over UDP" not in text_ladder(alone)
    several = replace(crossing, seats=(*seats, replace(seats[0], name="caller2"), *alone.seats[1:]))
    assert "WSS, 2, one for each call" in texts(svg_ladder(several))


def test_requests_and_responses_differ_without_colour() -> None:
    svg = svg_ladder(flow(*REDIRECTED))
    assert len(re.findall(r'class="req"[^>]*H', svg)) == 5
    assert len(re.findall(r'class="res [a-z]* dash"[^>]*H', svg)) == 4


def test_a_silent_guard_has_a_bar_and_its_window() -> None:
    svg = svg_ladder(flow(*DECLINED, seats=("callee", "guard"), plan=DECLINE))
    assert 'class="bar"' in svg
    assert "silent for 40 s" in texts(svg)
    assert "40 s watched since the last final response (standard window)" in texts(svg)
    assert "guard (127.20.0.4:5060) silent for 40 s (standard window)" in text_ladder(
        flow(*DECLINED, seats=("callee", "guard"), plan=DECLINE)
    )


def test_a_guard_that_was_cut_short_is_not_called_silent() -> None:
    svg = svg_ladder(flow(*DECLINED, seats=("callee", "guard"), plan=DECLINE, window=False))
    assert "silent for 0 s of 40 s (standard window)" in texts(svg)


def test_long_flows_are_cut_around_the_decisive_message() -> None:
    long = flow(*((n * 0.01, "callee", "INVITE sip:a@h SIP/2.0", f"X: {n}") for n in range(600)))
    svg = svg_ladder(long, mark=300)
    shown = texts(svg)
    assert {"1", "297", "300", "303", "600", "… 197 more", "… 277 more"} <= set(shown)
    assert "304" not in shown
    assert len(svg) < 100_000
    assert "… 197 more" in text_ladder(long, mark=300)
    assert re.search(r"^> 300 ", text_ladder(long, mark=300), re.M)


def test_a_silence_in_which_something_was_dropped_is_none() -> None:
    one = flow(*DECLINED, seats=("callee", "guard"), plan=DECLINE)
    assert "silent for" in text_ladder(one)
    deaf = replace(one, seats=tuple(replace(seat, drops=3) for seat in one.seats))
    assert "silent for" not in text_ladder(deaf)
    assert "nothing was heard, and this machine dropped 3 datagrams" in text_ladder(deaf)


def test_equal_flows_are_equal_bytes_and_self_contained() -> None:
    svg = svg_ladder(flow(*REDIRECTED), mark=3)
    assert svg == svg_ladder(flow(*REDIRECTED), mark=3)
    assert not re.search(r"\bid=|href|url\(|<script|http(?!://www\.w3\.org/2000/svg)", svg)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_content_stays_text(text: str) -> None:
    hostile = flow(
        (0.1, "callee", f"INVITE {text} SIP/2.0", f"X: {text}"),
        (0.2, "callee", f"SIP/2.0 302 {text}", f"Contact: <sip:{text}>"),
        (0.3, "callee", text, ""),
        (0.4, "no such seat", f"{text} sip:a@h SIP/2.0", ""),
        troubles=(Trouble("device", text),) * 9,
        unreadable=(text,) * 9,
        device=text,
    )
    svg = svg_ladder(hostile, mark=1)
    allowed = {"svg", "style", "rect", "text", "path", "g", "title"}
    assert {node.tag.removeprefix(SVG) for node in ET.fromstring(svg).iter()} == allowed
    assert all(not name.startswith("on") for node in ET.fromstring(svg).iter() for name in node.attrib)
    assert len(svg) < 60_000
    plain = text_ladder(hostile, mark=1)
    for line in (*plain.split("\n"), *texts(svg)):
        assert line.replace("\N{NO-BREAK SPACE}", " ").isprintable()
        assert len(line) < 250


def test_an_empty_flow_is_a_ladder_too() -> None:
    assert texts(svg_ladder(flow(window=False)))
    assert "is asked to call" in text_ladder(flow(window=False))


def test_copies_reinvites_and_callers() -> None:
    again = flow(
        (0.1, "caller", "<INVITE sip:a@h SIP/2.0", ""),
        (0.2, "callee", "INVITE sip:a@h SIP/2.0", "To: <sip:a@h>;tag=1"),
        (0.3, "callee", "<SIP/2.0 200 OK", "CSeq: 2 BYE"),
        seats=("callee", "caller"),
    )
    shown = texts(svg_ladder(again))
    assert shown.index("caller") < shown.index("reference")
    assert "INVITE sip:a@h (re-INVITE)" in shown
    copied = flow((0.1, "callee", "INVITE sip:a@h SIP/2.0", "")).events[0]
    twice = flow((0.1, "callee", "INVITE sip:a@h SIP/2.0", ""))
    object.__setattr__(twice, "events", (copied, copied))
    assert "INVITE sip:a@h (copy)" in texts(svg_ladder(twice))
