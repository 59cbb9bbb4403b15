"""Flows by hand: one device, a callee and whatever other seats a test names.  Times are seconds after the INVITE."""

from __future__ import annotations

from dataclasses import replace

from harness.model.flow import Control, Event, Flow, LifeSign, PlacedCall, Seat, Trouble, Watch
from harness.model.places import Places
from harness.model.plan import Plan
from harness.model.windows import STANDARD, Window
from harness.net.address import Address
from suites.plans import DECLINE

URI = "sip:7001@127.0.0.2:5060"
START = 1_000.0


class Wire:
    """Collects messages; :meth:`flow` puts them together."""

    def __init__(self, plan: Plan = DECLINE, role: str = "uac") -> None:
        self._plan = plan
        self._role = role
        self._events: list[Event] = []

    def say(
        self,
        at: float,
        start: str,
        *,
        seat: str = "callee",
        sent: bool = False,
        branch: str = "z9hG4bKone",
        cseq: str = "1 INVITE",
        to_tag: str = "",
        call_id: str = "c1",
        from_: str = "<sip:device@127.0.0.9>;tag=f1",
        via: str = "",
        extra: tuple[str, ...] = (),
        body: str = "",
    ) -> Wire:
        """One message; ``sent``: by the suite."""
        lines = [
            start,
            via or f"Via: SIP/2.0/UDP 127.0.0.9:5060;rport;branch={branch}",
            f"From: {from_}",
            f"To: <{URI}>" + (f";tag={to_tag}" if to_tag else ""),
            f"Call-ID: {call_id}",
            f"CSeq: {cseq}",
            *extra,
            f"Content-Length: {len(body)}",
        ]
        raw = "\r\n".join(lines) + "\r\n\r\n" + body
        self._events.append(Event(raw=raw, time=START + at, seat=seat, direction="sent" if sent else "received"))
        return self

    def invite(self, at: float = 0.0, *, uri: str = URI, **more: object) -> Wire:
        return self.say(at, f"INVITE {uri} SIP/2.0", **more)  # type: ignore[arg-type]

    def answer(self, at: float, status: int, *, to_tag: str = "t1", **more: object) -> Wire:
        return self.say(at, f"SIP/2.0 {status} Text", sent=True, to_tag=to_tag, **more)  # type: ignore[arg-type]

    def ack(self, at: float, *, uri: str = URI, to_tag: str = "t1", cseq: str = "1 ACK", **more: object) -> Wire:
        return self.say(at, f"ACK {uri} SIP/2.0", to_tag=to_tag, cseq=cseq, **more)  # type: ignore[arg-type]

    def request(self, at: float, method: str, **more: object) -> Wire:
        return self.say(at, f"{method} {URI} SIP/2.0", cseq=f"2 {method}", **more)  # type: ignore[arg-type]

    def flow(
        self,
        *,
        window: Window = STANDARD,
        opened: float | None = None,
        closed: float | None = None,
        alive: bool = True,
        calls: tuple[float, ...] = (-0.1,),
        troubles: tuple[Trouble, ...] = (),
        follows: bool = True,
    ) -> Flow:
        """The flow, watched to the end of the window after its last final response."""
        events = tuple(
            replace(event, number=number)
            for number, event in enumerate(sorted(self._events, key=lambda event: event.time), 1)
        )
        finals = [e.time for e in events if not e.from_device and (e.status or 0) >= 200 and e.cseq_method == "INVITE"]
        opened_at = START + opened if opened is not None else max(finals, default=None)
        closed_at = START + closed if closed is not None else (opened_at or START) + window.seconds + 0.02
        seats = tuple(
            Seat(endpoint.name, endpoint.kind, Address(f"127.0.0.{place}"), START - 1)
            for place, endpoint in enumerate(self._plan.endpoints, 2)
        )
        if self._role in ("b2bua", "proxy"):
            seats += (Seat("caller", "caller", Address("127.0.0.8"), START - 0.2),)
        if self._plan.uses_backup:
            seats += (Seat("backup", "backup", Address("127.0.0.7"), START - 2),)
        return Flow(
            id="by-hand",
            plan=self._plan,
            role=self._role,
            transport="udp",
            device={"name": "device", "pics": {"follows_redirects": follows, "multi_contact": True}},
            places=Places("7001", {seat.name: seat.address for seat in seats}),
            seats=seats,
            calls=tuple(PlacedCall(URI, START + at, "stdin") for at in calls),
            events=events,
            watch=Watch(window, opened_at, closed_at),
            controls=(Control("target", Address("127.0.0.3"), START, "another"),),
            life=LifeSign(closed_at + 0.1, "it answered an OPTIONS") if alive else None,
            troubles=troubles,
        )


def declined(**more: object) -> Wire:
    """An INVITE, its 603, and the right ACK."""
    return Wire(**more).invite().answer(0.01, 603).ack(0.02)  # type: ignore[arg-type]


def outcomes(findings: object) -> list[str]:
    return [finding.outcome for finding in findings]  # type: ignore[attr-defined]
