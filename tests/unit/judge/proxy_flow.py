"""Flows by hand: a caller, a proxy and whoever it calls.  Times are seconds after the caller's INVITE."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from harness.model.flow import Control, Event, Flow, LifeSign, PlacedCall, Seat, Watch
from harness.model.places import Places
from harness.model.plan import Plan
from harness.model.windows import STANDARD, Window
from harness.net.address import Address
from suites.proxy import _plans as plans

START = 1_000.0
TOKEN = "7001"
DEVICE = Address("127.0.0.9")
CALLER = Address("127.0.0.8")
HEADERS = ("Max-Forwards: 70", "Contact: <sip:caller@127.0.0.8>", "Subject: sipverdict", "Supported: replaces")
BODY = "v=0\r\n"
FAR = ("Contact: <sip:97001@127.0.0.3>",)


class ProxyWire:
    """Collects the messages of one drive of ``plan``; :meth:`flow` puts them together.

    ``caller`` sends, the device ``calls`` an endpoint, the endpoint ``says`` something on the branch, the device
    ``tells`` the caller.
    """

    def __init__(self, plan: Plan, **pics: bool) -> None:
        self.plan = plan
        self.pics = {"forking_proxy": True, "stateful_proxy": True} | pics
        seats = {e.name: Address(f"127.0.0.{place}") for place, e in enumerate(plan.endpoints, 2)}
        self.places = Places(TOKEN, seats, DEVICE, {"unknown": "sip:nobody@127.0.0.9"})
        self._events: list[Event] = []
        self._placed: list[float] = []
        self._call = 0
        self._branches: dict[str, str] = {}

    def _say(
        self, at: float, seat: str, start: str, lines: tuple[str, ...], body: str = "", *, sent: bool = False
    ) -> Self:
        raw = "\r\n".join([start, *lines, f"Content-Length: {len(body)}"]) + "\r\n\r\n" + body
        self._events.append(Event(raw=raw, time=START + at, seat=seat, direction="sent" if sent else "received"))
        return self

    @property
    def _caller(self) -> str:
        return "caller" if self._call == 1 else f"caller{self._call}"

    def _own(self, to: str, cseq: str = "1 INVITE", tag: str = "", branch: str = "up") -> tuple[str, ...]:
        return (
            f"Via: SIP/2.0/UDP 127.0.0.8:5060;branch=z9hG4bK-{branch}{self._call}",
            f"From: <sip:caller@127.0.0.8>;tag=f{self._call}",
            f"To: <{to}>" + (f";tag={tag}" if tag else ""),
            f"Call-ID: c{self._call}",
            f"CSeq: {cseq}",
        )

    def _to(self) -> str:
        return self.places.fill(self.plan.calls[min(self._call, len(self.plan.calls)) - 1].to)

    # --- the caller's side

    def asks(
        self, at: float = 0.0, headers: tuple[str, ...] = HEADERS, body: str = BODY, *, method: str = "INVITE"
    ) -> Self:
        """The next caller sends its request."""
        self._call += 1
        self._placed.append(at - 0.01)
        self._branches = {}
        call = self.plan.calls[min(self._call, len(self.plan.calls)) - 1]
        hops = (f"Max-Forwards: {call.max_forwards}", *headers[1:], *call.headers)
        own = self._own(self._to(), f"1 {method}")
        return self._say(at, self._caller, f"{method} {self._to()} SIP/2.0", own + hops, body, sent=True)

    def tells(
        self,
        at: float,
        status: int,
        *headers: str,
        tag: str = "t",
        reason: str = "Text",
        body: str = "",
        method: str = "INVITE",
    ) -> Self:
        """The device answers the caller."""
        own = self._own(self._to(), f"1 {method}", tag=tag if status > 100 else "")
        return self._say(at, self._caller, f"SIP/2.0 {status} {reason}", own + headers, body)

    def hangs_up(self, at: float, *headers: str, answered: int = 200) -> Self:
        """The caller cancels; ``answered`` with so much, 0: not at all."""
        own = self._own(self._to(), "1 CANCEL")
        self._say(at, self._caller, f"CANCEL {self._to()} SIP/2.0", own + headers, sent=True)
        return self._say(at + 0.005, self._caller, f"SIP/2.0 {answered} OK", own) if answered else self

    # --- the other side

    def calls(
        self,
        at: float,
        seat: str = "callee",
        *,
        uri: str = "",
        branch: str = "",
        call_id: str = "",
        headers: tuple[str, ...] = HEADERS,
        hops: int = 69,
        cseq: str = "1 INVITE",
        tag: str = "",
        body: str = BODY,
        method: str = "INVITE",
    ) -> Self:
        """The device sends an INVITE."""
        digit = {"callee": "", "second": "8", "third": "6"}.get(seat, "9")
        uri = self.places.fill(uri or f"sip:{digit}{{token}}@{{{seat}}}")
        self._branches[seat] = branch or f"{seat}{self._call}.{at:g}"
        return self._say(
            at,
            seat,
            f"{method} {uri} SIP/2.0",
            (*self._down(seat, cseq, call_id=call_id, from_tag=tag), f"Max-Forwards: {hops}", *headers[1:]),
            body,
        )

    def _down(self, seat: str, cseq: str, tag: str = "", call_id: str = "", from_tag: str = "") -> tuple[str, ...]:
        own = self._own(self._to(), cseq, tag)
        return (
            f"Via: SIP/2.0/UDP 127.0.0.9:5060;branch=z9hG4bK{self._branches[seat]}",
            own[0],
            f"From: <sip:caller@127.0.0.8>;tag={from_tag}" if from_tag else own[1],
            own[2],
            f"Call-ID: {call_id}" if call_id else own[3],
            own[4],
        )

    def says(
        self, at: float, seat: str, status: int, *headers: str, tag: str = "", reason: str = "Text", body: str = ""
    ) -> Self:
        """An endpoint answers its last INVITE; a refusal is acknowledged at once."""
        lines = self._down(seat, "1 INVITE", "" if status == 100 else tag or seat)
        return self._say(at, seat, f"SIP/2.0 {status} {reason}", lines + headers, body, sent=True)

    def cancels(self, at: float, seat: str, *headers: str, branch: str = "") -> Self:
        """The device cancels the last INVITE of a seat (or something with that ``branch``)."""
        lines = self._down(seat, "1 CANCEL")[:1] + self._own(self._to(), "1 CANCEL")[1:]
        if branch:
            lines = (f"Via: SIP/2.0/UDP 127.0.0.9:5060;branch={branch}", *lines[1:])
        return self._say(at, seat, f"CANCEL sip:x@{seat} SIP/2.0", lines + headers)

    def acks(self, at: float, seat: str, tag: str = "") -> Self:
        """The device acknowledges what the endpoint said."""
        lines = self._down(seat, "1 ACK", tag or seat)
        return self._say(at, seat, f"ACK sip:x@{seat} SIP/2.0", lines[:1] + lines[2:])

    def acknowledges(self, at: float, tag: str) -> Self:
        """The caller acknowledges the final response that the device told it."""
        own = self._own(self._to(), "1 ACK", tag=tag)
        return self._say(at, self._caller, f"ACK {self._to()} SIP/2.0", own, sent=True)

    def passes_ack(self, at: float, seat: str, tag: str, branch: str = "passed") -> Self:
        """The device passes the caller's ACK on to ``seat``."""
        own = self._own(self._to(), "1 ACK", tag=tag)
        via = f"Via: SIP/2.0/UDP 127.0.0.9:5060;branch=z9hG4bK{branch}"
        return self._say(at, seat, f"ACK {self._to()} SIP/2.0", (via, *own))

    def flow(self, *, window: Window = STANDARD, closed: float | None = None, alive: bool = True) -> Flow:
        """The flow, watched to the end of the window after the last message."""
        events = tuple(
            replace(event, number=number)
            for number, event in enumerate(sorted(self._events, key=lambda event: event.time), 1)
        )
        finals = [e.time for e in events if not e.from_device and (e.status or 0) >= 200]
        opened_at = max(finals, default=events[-1].time)
        closed_at = START + closed if closed is not None else opened_at + window.seconds + 0.02
        seats = tuple(Seat(e.name, e.kind, self.places.seats[e.name], START - 1) for e in self.plan.endpoints)
        callers = ("caller", *(f"caller{number}" for number in range(2, self._call + 1)))
        return Flow(
            id="by-hand",
            plan=self.plan,
            role="proxy",
            transport="udp",
            device={"name": "device", "pics": self.pics},
            places=self.places,
            seats=seats + tuple(Seat(name, "caller", CALLER, START - 1) for name in callers),
            calls=tuple(PlacedCall(self._to(), START + at, "a SIPp caller through it") for at in self._placed),
            events=events,
            watch=Watch(window, opened_at, closed_at),
            controls=(Control("callee", Address("127.0.0.3"), START, "another"),),
            life=LifeSign(closed_at + 0.1, "it answered an OPTIONS") if alive else None,
        )


def stored() -> ProxyWire:
    """One phone has moved and one has failed when the third one rings; the caller was told nothing yet."""
    wire = ProxyWire(plans.FORK_STORED).asks()
    for phone in ("callee", "second", "third"):
        wire.calls(0.01, phone)
    wire.says(0.02, "second", 302, *FAR).says(0.02, "third", 503)
    return wire.says(0.5, "callee", 180).says(0.7, "callee", 183).says(0.9, "callee", 486)


def said(findings: object) -> list[str]:
    """A word for each finding, that of a softened or hardened violation with its limit."""
    words = []
    for finding in findings:  # type: ignore[attr-defined]
        word = finding.outcome
        if word == "violated" and str(finding.at_most) != "fail":
            word += f" ({finding.at_most})"
        if word == "violated" and str(finding.at_least) != "none":
            word += f" (at least {finding.at_least})"
        words.append(word)
    return words
