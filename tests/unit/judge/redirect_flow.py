"""Flows by hand: a test says which INVITEs the device sent and where they arrived, the plan answers them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from harness.model.finding import Finding
from harness.model.flow import Control, Event, Flow, LifeSign, PlacedCall, Seat, Watch
from harness.model.places import Places
from harness.model.plan import Plan
from harness.model.windows import STANDARD, Window
from harness.net.address import Address

START = 1_000.0
TOKEN = "7001"


@dataclass(frozen=True)
class Try:
    """One INVITE of the device; ``uri`` and ``headers`` may hold placeholders."""

    uri: str = "sip:{token}@{callee}"
    seat: str = "callee"
    cseq: int = 0
    """0: one more than the number of the INVITE before."""
    branch: str = ""
    to_tag: str = ""
    call_id: str = "c1"
    from_: str = "<sip:device@127.0.0.9>;tag=f1"
    headers: tuple[str, ...] = ("Max-Forwards: 70", "Contact: <sip:device@127.0.0.9>", "Supported: timer")
    body: str = "v=0\r\n"
    acked: bool = True
    acked_after: float = 0.02
    """Seconds from its final response to its ACK."""
    acked_at: str = ""
    """Where its ACK arrives; empty: where the INVITE did."""
    via: str = "127.0.0.9:5060"
    call: int = 0
    """Which of the plan's calls it belongs to."""


def drive(plan: Plan, *tries: Try, control: bool = True, alive: bool = True, window: Window = STANDARD) -> Flow:
    """The flow of ``plan`` with a device that sent ``tries``, one after the other."""
    hosts = {
        endpoint.name: f"2001:db8::{number}" if endpoint.crosses else f"127.0.1.{number}"
        for number, endpoint in enumerate(plan.endpoints, 1)
    }
    seats = {
        endpoint.name: Address(hosts[endpoint.beside or endpoint.name], 5070 if endpoint.beside else 5060)
        for endpoint in plan.endpoints
    }
    places = Places(TOKEN, seats)
    events: list[Event] = []
    asked: dict[str, int] = {}

    def say(at: float, seat: str, lines: Iterable[str], body: str = "", *, sent: bool = False) -> None:
        raw = "\r\n".join([*lines, f"Content-Length: {len(body)}"]) + "\r\n\r\n" + body
        direction = "sent" if sent else "received"
        seated, device = places.seats[seat], Address("127.0.0.9")
        ends = (device, seated) if direction == "received" else (seated, device)
        number = len(events) + 1
        events.append(Event(raw, number, START + at, seat, direction, "udp", *ends))

    for index, one in enumerate(tries):
        at, uri = one.call * 2.0 + index * 0.1, places.fill(one.uri)
        cseq, branch = one.cseq or index + 1, one.branch or f"z9hG4bK{index}"
        head = [f"Via: SIP/2.0/UDP {one.via};branch={branch}", f"From: {one.from_}", f"Call-ID: {one.call_id}"]
        to = f"To: <{places.fill('sip:{token}@{callee}')}>"
        tagged = to + (f";tag={one.to_tag}" if one.to_tag else "")
        say(at, one.seat, [f"INVITE {uri} SIP/2.0", *head, tagged, f"CSeq: {cseq} INVITE", *one.headers], one.body)
        number = asked[one.seat] = asked.get(one.seat, 0) + 1
        answers = plan.endpoint(one.seat).answers
        for response in answers[min(number, len(answers)) - 1].responses:
            tag = one.to_tag or f"{one.seat}.{response.tag}.{number}"
            contacts = [f"Contact: {Places(TOKEN, {**seats}).fill(_own(c, uri))}" for c in response.contacts]
            line = f"SIP/2.0 {response.status} {response.reason or 'Text'}"
            say(at + 0.02, one.seat, [line, *head, f"{to};tag={tag}", f"CSeq: {cseq} INVITE", *contacts], sent=True)
            if response.status >= 200 and one.acked:
                acked = [f"ACK {uri} SIP/2.0", head[0] + ("x" if response.status < 300 else ""), *head[1:]]
                say(
                    at + 0.02 + one.acked_after,
                    one.acked_at or one.seat,
                    [*acked, f"{to};tag={tag}", f"CSeq: {cseq} ACK"],
                )
    opened = max((event.time for event in events if event.direction == "sent"), default=None)
    closed = (opened or START) + window.seconds + 0.02
    return Flow(
        id="f1",
        plan=plan,
        role="uac",
        transport="udp",
        device={"name": "device", "pics": {"follows_redirects": True, "multi_contact": True}},
        places=places,
        seats=tuple(Seat(e.name, e.kind, seats[e.name], START - 1) for e in plan.endpoints),
        calls=tuple(
            PlacedCall(places.fill(call.to), START + 2.0 * n - 0.01, "test") for n, call in enumerate(plan.calls)
        ),
        events=tuple(events),
        watch=Watch(window, opened, closed),
        controls=(Control("target", Address("127.0.1.99"), START, "f0"),) if control else (),
        life=LifeSign(closed + 0.1, "OPTIONS") if alive else None,
    )


def _own(contact: str, uri: str) -> str:
    return contact.replace("{request_uri}", uri)


def outcomes(judge: Callable[..., Iterable[Finding]], *flows: Flow) -> list[str]:
    """What ``judge`` says, a word for each finding, that of a softened violation with its cost."""
    told = judge(flows[0]) if len(flows) == 1 else judge(flows)
    return [
        f"{finding.outcome} ({finding.at_most})"
        if finding.outcome == "violated" and str(finding.at_most) != "fail"
        else finding.outcome
        for finding in told
    ]
