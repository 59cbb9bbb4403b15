"""Hand-made flows and records for the tests of the reports."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

from harness.model.finding import Finding, Outcome, Record, Ruled
from harness.model.flow import Control, Event, Flow, LifeSign, PlacedCall, Seat, Trouble, Unreadable, Watch
from harness.model.places import Places
from harness.model.plan import Answer, Call, Endpoint, Plan, Response
from harness.model.verdict import Verdict
from harness.model.windows import STANDARD
from harness.net.address import Address
from harness.store.verdict_lines import RequirementLine, VerdictLine

START = 1_760_000_000.0
DEVICE = Address("127.20.0.9", 5080)
HOSTS = {
    "caller": "127.20.0.1",
    "callee": "127.20.0.2",
    "target": "127.20.0.3",
    "guard": "127.20.0.4",
    "backup": "127.20.0.5",
}
HOSTILE = (
    "<script>alert(1)</script>",
    "]]><svg onload='x'>",
    "\0\x1b[31m\x07\x7f",
    "\u202egnp.exe\u2066\u200f",
    "&amp;\"'<!--",
    "\ud800\ufffe",
    "x" * 100_000,
    "漢字" * 500,
    "Z" + "\u0301" * 200,
)

Step = tuple[float, str, str, str]
"""Seconds, seat, start line, further header lines: ``<`` before the start line: sent by the endpoint."""


def flow(
    *steps: Step,
    seats: Sequence[str] = ("callee", "target"),
    plan: Plan | None = None,
    window: bool = True,
    identifier: str = "f1",
    troubles: tuple[Trouble, ...] = (),
    unreadable: Sequence[str] = (),
    device: str = "reference",
) -> Flow:
    kinds: dict[str, Literal["caller", "callee", "target", "guard", "backup"]] = {
        "caller": "caller",
        "target": "target",
        "guard": "guard",
        "backup": "backup",
    }
    opened = next(
        (START + at for at, _, line, _ in reversed(steps) if line.startswith("<SIP/2.0 ") and line[9] in "3456"), None
    )
    last = START + max((at for at, *_ in steps), default=0.0)
    return Flow(
        id=identifier,
        plan=plan or REDIRECT,
        role="uac",
        transport="udp",
        device={"name": device, "version": "1.0", "pics": {"follows_redirects": True}},
        places=Places("7001001", {name: address(name) for name in seats}),
        seats=tuple(
            Seat(
                name,
                kinds.get(name.rstrip("0123456789"), "callee"),
                address(name),
                START - 1,
                scenario=f"<scenario name='{name}'/>",
            )
            for name in seats
        ),
        calls=(PlacedCall("sip:7001001@127.20.0.2:5060", START, "stdin"),),
        events=tuple(event(number, *step) for number, step in enumerate(steps, start=1)),
        watch=Watch(STANDARD, opened, (opened or last) + 40.02 if window else last),
        controls=(Control("target", address("target"), START, "f0"),),
        life=LifeSign(last + 41, "answered an OPTIONS"),
        troubles=troubles,
        unreadable=tuple(Unreadable("callee", octets(text), START, DEVICE, len(octets(text))) for text in unreadable),
    )


def address(name: str) -> Address:
    digits = name[len(name.rstrip("0123456789")) :]
    return Address(HOSTS.get(name, f"127.20.1.{digits or '9'}"))


def event(number: int, at: float, seat: str, line: str, headers: str = "") -> Event:
    sent = line.startswith("<")
    raw = "\r\n".join(
        (line.removeprefix("<"), f"Call-ID: c{number}", "CSeq: 1 INVITE", *filter(None, [headers]), "", "")
    )
    source, destination = (address(seat), DEVICE) if sent else (DEVICE, address(seat))
    return Event(
        octets(raw),
        number,
        START + at,
        seat,
        "sent" if sent else "received",
        source=source,
        destination=destination,
    )


def octets(text: str) -> str:
    """``text`` as it is recorded: one character for each byte of its UTF-8."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


REDIRECT = Plan(
    (
        Endpoint("callee", "callee", (Answer((Response(302, contacts=("<sip:moved@{target}>",)),)),)),
        Endpoint("target", "target", (Answer((Response(200, sdp=True),)),)),
    ),
    watched=False,
)
DECLINE = Plan(
    (
        Endpoint("callee", "callee", (Answer((Response(180), Response(603))),)),
        Endpoint("guard", "guard", (Answer((Response(480),)),)),
    ),
    calls=(Call(),),
)

REDIRECTED: tuple[Step, ...] = (
    (0.012, "callee", "INVITE sip:7001001@127.20.0.2:5060 SIP/2.0", ""),
    (
        0.014,
        "callee",
        "<SIP/2.0 302 Moved Temporarily",
        "Contact: <sip:moved;foo=bar@127.20.0.3:5060;transport=udp?Subject=hi>;q=0.7",
    ),
    (0.016, "callee", "ACK sip:moved@127.20.0.3:5060 SIP/2.0", ""),
    (0.020, "target", "INVITE sip:moved@127.20.0.3:5060 SIP/2.0", ""),
    (0.022, "target", "<SIP/2.0 100 Trying", ""),
    (0.102, "target", "<SIP/2.0 200 OK", ""),
    (0.104, "target", "ACK sip:127.20.0.3:5060;transport=udp SIP/2.0", ""),
    (0.110, "target", "<BYE sip:7001001@127.20.0.9:5080 SIP/2.0", ""),
    (0.112, "target", "SIP/2.0 200 OK", ""),
)
DECLINED: tuple[Step, ...] = (
    (0.012, "callee", "INVITE sip:7001001@127.20.0.2:5060 SIP/2.0", ""),
    (0.014, "callee", "<SIP/2.0 180 Ringing", ""),
    (1.014, "callee", "<SIP/2.0 603 Decline", ""),
    (1.016, "callee", "ACK sip:7001001@127.20.0.2:5060 SIP/2.0", ""),
)


def ruled(
    verdict: Verdict = Verdict.PASS,
    requirement: str = "RFC3261-21.6-01",
    level: str = "MUST NOT",
    outcome: Outcome | None = None,
    **finding: object,
) -> RequirementLine:
    seen: Outcome = outcome or (
        "satisfied" if verdict is Verdict.PASS else "unseen" if verdict is Verdict.INCONCLUSIVE else "violated"
    )
    made = Finding(requirement, seen, **{"code": "redialled", **finding})  # type: ignore[arg-type]
    return RequirementLine.of(Ruled(made, level, verdict, made.actual))


def record(
    verdict: Verdict = Verdict.PASS,
    purpose: str = "uac/decline/decline_is_final",
    *requirements: RequirementLine,
    device: str = "reference",
    skipped: Any = None,
    reason: str = "",
    evidence: tuple[str, ...] = ("f1",),
) -> VerdictLine:
    of_udp = (purpose, device, "uac", "udp", "ipv4")
    bare = VerdictLine.of(Record(*of_udp, verdict, skipped, reason, (), 40.0, 1, evidence))
    return dataclasses.replace(bare, requirements=requirements or ((ruled(verdict),) if skipped is None else ()))
