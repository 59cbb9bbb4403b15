"""A flow whose messages contradict its axes is no evidence: not for a verdict, not in replay, not for a certificate."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from handmade import CATALOGUE, CLAIMS, DECLINED, DEVICE, FINAL, PURPOSES, Maker, behaves

from harness.commands.certify import certify
from harness.commands.replay import replay
from harness.model.axes import Axes
from harness.model.connection import Connection
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.net.address import Address, Transport
from harness.purposes.evidence_check import contradiction
from harness.purposes.purpose import applicable_rows
from harness.purposes.settle import assess, wants_another
from harness.requirements.ruling import Ruling
from harness.store.folder import RunFolder
from harness.store.stored_run import StoredRun, read_run

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "judge"))
from redirect_flow import Try, drive

PURPOSE = PURPOSES[FINAL]
CLAIMED = "a bug in sipverdict: flow f1 is recorded as"


@pytest.fixture
def flow() -> Flow:
    """A decline, over UDP and IPv4."""
    made = drive(PURPOSE.plans_for("uac")[0], *DECLINED)
    return replace(made, device={"name": DEVICE, "pics": CLAIMS})


def seats_over(flow: Flow, transport: Transport) -> Flow:
    return replace(
        flow, seats=tuple(replace(seat, address=replace(seat.address, transport=transport)) for seat in flow.seats)
    )


def relabelled(flow: Flow, transport: Transport) -> Flow:
    """``flow`` with every label changed and no message."""
    events = tuple(replace(event, transport=transport) for event in flow.events)
    return replace(seats_over(flow, transport), transport=transport, events=events)


def connected(flow: Flow) -> Flow:
    """``flow`` with a connection to its first seat, over its transport."""
    first, *rest = flow.seats
    peer = replace(first.address, port=40000)
    line = Connection(first.address, peer, "device", 999.0, established_at=999.1)
    return replace(flow, seats=(replace(first, connections=(line,)), *rest))


def with_sent(flow: Flow, head: str, *lines: str) -> Flow:
    """``flow`` with one more message that the suite sent."""
    method = "INVITE" if head.startswith("SIP/2.0") else head.split()[0]
    raw = "\r\n".join((head, "Call-ID: c9", f"CSeq: 1 {method}", *lines, "", ""))
    return replace(flow, events=(*flow.events, Event(raw, 9, 1000.0, "callee", "sent")))


def wrong_every_time(flow: Flow) -> Flow:
    """``flow`` of a device that writes another transport into each Via."""
    events = (replace(event, raw=event.raw.replace("SIP/2.0/UDP", "SIP/2.0/WSS")) for event in flow.events)
    return replace(flow, events=tuple(events))


OURS = "Via: SIP/2.0/UDP 127.0.1.1:5060;branch=z9hG4bKours"


@pytest.mark.parametrize(
    "change",
    [
        lambda flow: flow,
        lambda flow: with_sent(flow, "BYE sip:x@h SIP/2.0", OURS, "Contact: <sip:callee@127.0.1.1>"),
        lambda flow: with_sent(flow, "BYE sip:x@h SIP/2.0", OURS, "Contact: <sip:callee@pbx.example>"),
        # Whom a redirection or a registration names is another matter.
        lambda flow: with_sent(flow, "SIP/2.0 302 Moved", OURS, "Contact: <sip:x@[2001:db8::1]>"),
        lambda flow: with_sent(flow, "REGISTER sip:x@h SIP/2.0", OURS, "Contact: <sip:x@[2001:db8::1]>"),
        # A device that is wrong once is judged for it.
        lambda flow: replace(
            flow,
            events=(
                *flow.events[:-1],
                replace(flow.events[-1], raw=flow.events[-1].raw.replace("SIP/2.0/UDP", "SIP/2.0/TCP")),
            ),
        ),
        # So is one that is wrong every time, where a connection shows what was used.
        lambda flow: connected(relabelled(flow, "tls")),
        # Or where the suite's own requests went over the same transport.
        lambda flow: with_sent(wrong_every_time(flow), "BYE sip:x@h SIP/2.0", OURS),
        lambda flow: replace(flow, events=()),
        # A caller whose SIPp never came up has no seat in the flow.
        lambda flow: replace(flow, events=(*flow.events, replace(flow.events[-1], seat="caller2"))),
    ],
)
def test_nothing_speaks_against_it(flow: Flow, change: Callable[[Flow], Flow]) -> None:
    assert contradiction(change(flow)) == ""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda flow: wrong_every_time(flow),
            f"{CLAIMED} UDP over IPv4, but no request of the device says so: message 1, at callee, has the Via "
            "SIP/2.0/WSS (unless the device writes a transport that it does not use)",
        ),
        (
            lambda flow: replace(flow, transport="tcp"),
            f"{CLAIMED} TCP over IPv4, but callee was at 127.0.1.1:5060 (udp, ipv4)",
        ),
        (
            lambda flow: replace(flow, family="ipv6"),
            f"{CLAIMED} UDP over IPv6, but callee was at 127.0.1.1:5060 (udp, ipv4)",
        ),
        (
            lambda flow: replace(flow, seats=(replace(flow.seats[0], behind=Address("::1")), *flow.seats[1:])),
            f"{CLAIMED} UDP over IPv4, but callee was at [::1]:5060 (udp, ipv6)",
        ),
        (
            lambda flow: replace(seats_over(flow, "tcp"), transport="tcp"),
            f"{CLAIMED} TCP over IPv4, but message 1, at callee, went over udp",
        ),
        (
            lambda flow: relabelled(flow, "tls"),
            f"{CLAIMED} TLS over IPv4, but no request of the device says so: message 1, at callee, has the Via "
            "SIP/2.0/UDP (unless the device writes a transport that it does not use)",
        ),
        (
            lambda flow: with_sent(flow, "BYE sip:x@h SIP/2.0", OURS.replace("UDP", "TCP")),
            f"{CLAIMED} UDP over IPv4, but message 9, at callee, has the Via SIP/2.0/TCP",
        ),
        (
            lambda flow: with_sent(flow, "BYE sip:x@h SIP/2.0", OURS.replace("127.0.1.1", "[::1]")),
            f"{CLAIMED} UDP over IPv4, but message 9, at callee, has the Via host [::1]",
        ),
        (
            lambda flow: with_sent(flow, "SIP/2.0 200 OK", OURS, "Contact: <sip:callee@[::1]:5060>"),
            f"{CLAIMED} UDP over IPv4, but message 9, at callee, has the Contact host [::1]",
        ),
    ],
)
def test_what_speaks_against_it_names_the_message(flow: Flow, change: Callable[[Flow], Flow], told: str) -> None:
    assert contradiction(change(flow)) == told


@pytest.mark.parametrize("tries", [DECLINED, (Try(), Try(call_id="c2"))])
def test_it_is_rejected_in_live_judging_whatever_the_device_did(tries: tuple[Try, ...]) -> None:
    made = replace(drive(PURPOSE.plans_for("uac")[0], *tries), device={"name": DEVICE, "pics": CLAIMS})
    rows, _ = applicable_rows(PURPOSE, CATALOGUE, Axes("uac", "tcp"), CLAIMS)
    assert rows
    expected = Verdict.PASS if tries is DECLINED else Verdict.FAIL
    assert assess(PURPOSE, rows, [made], CATALOGUE, Ruling()).verdict is expected
    judged = assess(PURPOSE, rows, [relabelled(made, "tcp")], CATALOGUE, Ruling())
    assert {ruled.finding.requirement for ruled in judged.ruled} == set(rows)
    assert judged.verdict is Verdict.INCONCLUSIVE
    assert judged.reason.startswith("a bug in sipverdict: flow f1 is recorded as TCP over IPv4, but ")
    assert not wants_another([judged])  # another drive would not help


def over_tcp(folder: Path, *, flows: Callable[[Flow], Flow]) -> StoredRun:
    """A UDP run that says everywhere of itself that it was over TCP, down to what ``flows`` makes of its flows."""
    made = Maker(folder, tries=behaves).make()
    path = made.folder / "verdicts.jsonl"
    lines: list[dict[str, Any]] = [json.loads(text) for text in path.read_text().splitlines()]
    for entry in (*lines[0]["cases"], *lines[1:-1]):
        entry["transport"] = "tcp"
    for device in lines[0]["devices"]:
        device["transports"] = ["tcp"]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    for identifier in made.evidence:
        RunFolder(made.folder).write_flow(flows(made.flow(identifier)))
    return read_run(made.folder)


@pytest.mark.parametrize(
    "flows", [lambda flow: replace(flow, transport="tcp"), lambda flow: relabelled(flow, "tcp")], ids=["claim", "all"]
)
def test_it_is_rejected_by_replay_and_certify(
    flows: Callable[[Flow], Flow], tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = over_tcp(tmp_path / "runs", flows=flows)
    assert replay(str(run.folder)) == 4
    said = capsys.readouterr().out
    assert f"{FINAL} (phone, uac, tcp): stored pass, now inconclusive: a bug in sipverdict: flow phone-uac-0" in said
    assert certify(str(run.folder), "tiny", keys / "lab.key", None, tmp_path / "out") == 4
    assert "now inconclusive: a bug in sipverdict: flow phone-uac-0" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
