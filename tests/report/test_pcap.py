"""Composed packets: read back by a reader of our own, and by tshark where it is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from flows import DECLINE, HOSTILE, REDIRECTED, START, flow
from pcapng_reader import read
from stored_runs import hostile, usual

from harness.cli import main
from harness.model.flow import Event, Flow
from harness.net.address import Address
from harness.report.packets import LARGEST
from harness.report.pcap import compose

VIA = "Via: SIP/2.0/UDP 127.20.0.9:5080;branch=z9hG4bK1"
STEPS = (
    (0.1, "callee", "INVITE sip:7001001@127.20.0.2:5060 SIP/2.0", VIA),
    (0.2, "callee", "<SIP/2.0 603 Décline", VIA),
    (0.3, "callee", "ACK sip:7001001@127.20.0.2:5060 SIP/2.0", VIA),
    (0.4, "guard", "<OPTIONS sip:127.20.0.9 SIP/2.0", "Via: SIP/2.0/UDP 127.20.0.4:5060;branch=z9hG4bK2"),
)


def test_every_message_in_its_order_with_its_bytes_and_time() -> None:
    one = flow(*STEPS, seats=("callee", "guard"), plan=DECLINE)
    about, packets = read(compose(one))
    assert about.startswith("sipverdict made this file from the record of flow f1")
    assert [packet.payload for packet in packets] == [event.raw.encode("latin-1") for event in one.events]
    assert [round(packet.time - START, 6) for packet in packets] == [0.1, 0.2, 0.3, 0.4]
    assert "Décline".encode() in packets[1].payload
    assert [packet.comment for packet in packets][:2] == ["message 1, at callee", "message 2, at callee"]
    assert compose(one) == compose(one)


def test_addresses_are_those_at_which_a_message_crossed_whatever_its_headers_say() -> None:
    one = flow(*STEPS, seats=("callee", "guard"), plan=DECLINE)
    other = replace(one.events[3], destination=Address("127.20.0.10", 5070))
    one = replace(one, events=(*one.events[:3], other))
    ways = [(p.source, p.ports[0], p.destination, p.ports[1]) for p in read(compose(one))[1]]
    assert ways == [
        ("127.20.0.9", 5080, "127.20.0.2", 5060),
        ("127.20.0.2", 5060, "127.20.0.9", 5080),
        ("127.20.0.9", 5080, "127.20.0.2", 5060),
        ("127.20.0.4", 5060, "127.20.0.10", 5070),
    ]


def test_ipv6_and_tcp_have_their_own_headers_and_a_stream_goes_on() -> None:
    one = flow(*STEPS, seats=("callee", "guard"), plan=DECLINE)
    ours, theirs = Address("::1", 10_001, "tcp"), Address("::1", 40_000, "tcp")

    def moved(event: Event) -> Event:
        ends = (theirs, ours) if event.from_device else (ours, theirs)
        return replace(event, transport="tcp", source=ends[0], destination=ends[1])

    packets = read(compose(replace(one, events=tuple(map(moved, one.events)))))[1]
    assert [(p.source, p.ports) for p in packets][:2] == [("::1", (40_000, 10_001)), ("::1", (10_001, 40_000))]
    invite, decline, ack = (len(event.raw.encode("latin-1")) for event in one.events[:3])
    assert [p.sequence for p in packets[:3]] == [1, 1, 1 + invite]
    assert [p.acknowledged for p in packets[:3]] == [1, 1 + invite, 1 + decline]
    assert len(packets[2].payload) == ack


def test_a_message_without_addresses_is_nowhere() -> None:
    one = flow((0.1, "callee", "INVITE sip:a@h SIP/2.0", VIA))
    (packet,) = read(compose(replace(one, events=(replace(one.events[0], source=None, destination=None),))))[1]
    assert (packet.source, packet.destination) == ("192.0.2.1", "192.0.2.1")
    assert packet.comment.startswith("its addresses are not recorded")


def test_what_the_tap_did_on_purpose_is_said_and_what_it_never_sent_is_not_there() -> None:
    one = flow(*STEPS, seats=("callee", "guard"), plan=DECLINE)
    events = (replace(one.events[0], fate="lost"), replace(one.events[1], fate="copied"))
    packets = read(compose(replace(one, events=events, lost=(replace(one.events[3], fate="lost"),))))[1]
    assert [packet.comment for packet in packets] == [
        "lost on purpose by the tap; message 1, at callee",
        "copied on purpose by the tap; message 2, at callee",
    ]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_messages_are_packets_like_others(text: str) -> None:
    steps = [(0.1, "callee", f"INVITE {text} SIP/2.0", f"Via: {text}"), (0.2, "no such seat", text, f"Via: {text}")]
    one = flow(*steps, device=text)
    about, packets = read(compose(one))
    assert about.isprintable()
    assert [packet.payload for packet in packets] == [event.raw.encode("latin-1")[:LARGEST] for event in one.events]
    if len(text) > LARGEST:
        assert f"only the first {LARGEST} of its" in packets[0].comment


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = usual(tmp_path)
    assert main(["pcap", str(run)]) == 0
    assert sorted(path.name for path in (run / "pcap").iterdir()) == [
        "f1-again.pcapng",
        "f1.pcapng",
        "f2.pcapng",
        "f3.pcapng",
    ]
    assert main(["pcap", str(run), "--flow", "flows/f3.json", "--out", str(tmp_path / "x")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "x" / "f3.pcapng")
    assert main(["pcap", str(run), "--flow", "../verdicts"]) == 4
    assert main(["pcap", str(run), "--flow", "f9"]) == 4
    assert main(["pcap", str(tmp_path)]) == 4
    (tmp_path / "file").write_text("")
    assert main(["pcap", str(run), "--out", str(tmp_path / "file")]) == 3
    assert "Traceback" not in capsys.readouterr().err


def test_a_flow_of_a_stranger_is_refused_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = usual(tmp_path)
    path = run / "flows" / "f3.json"
    stored = json.loads(path.read_text())
    stored["watch"]["closed_at"] = "now"
    path.write_text(json.dumps(stored))
    assert main(["pcap", str(run), "--flow", "f3"]) == 4
    assert (
        "flows/f3.json: expected a stored flow: watch.closed_at: expected a valid number, found 'now'"
        in capsys.readouterr().err
    )


@pytest.mark.skipif(shutil.which("tshark") is None, reason="no tshark on this machine (apt install tshark)")
def test_tshark_reads_each_as_sip(tmp_path: Path) -> None:
    via = "Via: SIP/2.0/UDP 127.20.0.9:5080;branch=z9hG4bK1"
    steps = tuple((at, seat, line, "\r\n".join(filter(None, (via, more)))) for at, seat, line, more in REDIRECTED)
    one = flow(*steps)
    path = tmp_path / "f.pcapng"
    path.write_bytes(compose(one))
    assert fields(path) == [start_of(one, number) for number in range(len(one.events))]
    main(["pcap", str(hostile(tmp_path / "hostile")), "--out", str(tmp_path / "h")])
    (composed,) = (tmp_path / "h").iterdir()
    assert len(fields(composed)) == 13


def start_of(one: Flow, place: int) -> str:
    event = one.events[place]
    return f"{event.method or ''}|{event.status or ''}|1|1"


def fields(path: Path) -> list[str]:
    """Method, status, and whether the checksums are good (1), of every packet that tshark takes for SIP."""
    done = subprocess.run(
        [
            *("tshark", "-r", str(path), "-T", "fields", "-E", "separator=|"),
            *("-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"),
            *("-e", "sip.Method", "-e", "sip.Status-Code", "-e", "ip.checksum.status", "-e", "udp.checksum.status"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()
