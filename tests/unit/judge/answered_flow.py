"""Flows by hand: a SIPp caller and what the device answered it.  Times are seconds after the first request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from harness.model.finding import Finding
from harness.model.flow import Event, Flow, LifeSign, PlacedCall, Seat, Trouble, Watch
from harness.model.places import Places
from harness.model.plan import Plan
from harness.model.windows import STANDARD, Window
from harness.net.address import Address

URI = "sip:7001@127.0.0.9:5060"
START = 1_000.0
VIA = "Via: SIP/2.0/UDP 127.0.0.8:5060;rport;branch={branch}"
CAME_BACK = "Via: SIP/2.0/UDP 127.0.0.8:5060;received=127.0.0.8;rport=5060;branch={branch}"
EMPTY = Plan(())


class Line:
    """Collects messages between the caller and the device; :meth:`flow` puts them together."""

    def __init__(self, plan: Plan = EMPTY, role: str = "uas", uri: str = URI) -> None:
        self._plan = plan
        self._role = role
        self._uri = uri
        self._events: list[Event] = []

    def say(
        self,
        at: float,
        start: str,
        *,
        sent: bool,
        seat: str = "caller",
        branch: str = "z9hG4bKone",
        cseq: str = "1 INVITE",
        to_tag: str = "",
        call_id: str = "c1",
        from_: str = "<sip:caller@127.0.0.8>;tag=f1",
        via: tuple[str, ...] = (VIA,),
        extra: tuple[str, ...] = (),
        body: str = "",
    ) -> Line:
        lines = [
            start,
            *(line.format(branch=branch) for line in via),
            f"From: {from_}",
            f"To: <{self._uri}>" + (f";tag={to_tag}" if to_tag else ""),
            f"Call-ID: {call_id}",
            f"CSeq: {cseq}",
            *extra,
            f"Content-Length: {len(body)}",
        ]
        raw = "\r\n".join(lines) + "\r\n\r\n" + body
        self._events.append(Event(raw=raw, time=START + at, seat=seat, direction="sent" if sent else "received"))
        return self

    def ask(self, at: float = 0.0, method: str = "INVITE", **more: object) -> Line:
        """The caller's request; said twice it is a copy."""
        return self.say(at, f"{method} {self._uri} SIP/2.0", sent=True, **{"cseq": f"1 {method}"} | more)  # type: ignore[arg-type]

    def ack(self, at: float, **more: object) -> Line:
        return self.ask(at, "ACK", **{"to_tag": "t1"} | more)

    def cancel(self, at: float, **more: object) -> Line:
        return self.ask(at, "CANCEL", **more)

    def reply(self, at: float, status: int, *, contact: str = "", **more: object) -> Line:
        """The device's response."""
        extra = (f"Contact: {contact}",) if contact else ()
        given = {"to_tag": "" if status == 100 else "t1", "via": (CAME_BACK,), "extra": extra} | more
        return self.say(at, f"SIP/2.0 {status} Text", sent=False, **given)  # type: ignore[arg-type]

    def request(self, at: float, method: str, seat: str) -> Line:
        """A request of the device, at an endpoint."""
        start = f"{method} sip:97001@127.0.0.2 SIP/2.0"
        return self.say(at, start, sent=False, seat=seat, cseq=f"1 {method}", call_id="c2", branch="z9hG4bKout")

    def flow(
        self,
        *,
        window: Window = STANDARD,
        closed: float | None = None,
        alive: bool = True,
        lost: bool = False,
        troubles: tuple[Trouble, ...] = (),
    ) -> Flow:
        """The flow, watched to the end of the window after the first final response."""
        events = tuple(
            replace(event, number=number)
            for number, event in enumerate(sorted(self._events, key=lambda event: event.time), 1)
        )
        finals = [e.time for e in events if e.from_device and (e.status or 0) >= 200 and e.cseq_method != "CANCEL"]
        opened_at = min(finals, default=None)
        closed_at = START + closed if closed is not None else (opened_at or START) + window.seconds + 0.02
        seats = (
            *(
                Seat(endpoint.name, endpoint.kind, Address(f"127.0.0.{place}"), START - 1)
                for place, endpoint in enumerate(self._plan.endpoints, 2)
            ),
            Seat("caller", "caller", Address("127.0.0.8"), START - 0.2, START + 1 if lost else None),
        )
        return Flow(
            id="by-hand",
            plan=self._plan,
            role=self._role,
            transport="udp",
            device={"name": "device", "pics": {}},
            places=Places("7001", {seat.name: seat.address for seat in seats}),
            seats=seats,
            calls=(PlacedCall(self._uri, START - 0.1, "a SIPp caller through it"),),
            events=events,
            watch=Watch(window, opened_at, closed_at),
            life=LifeSign(closed_at + 0.1, "it answered an OPTIONS") if alive else None,
            troubles=troubles,
        )


def outcomes(findings: Iterable[Finding]) -> list[str]:
    """What was found, a word for each, that of a softened violation with its cost."""
    return [
        f"{finding.outcome} ({finding.at_most})"
        if finding.outcome == "violated" and str(finding.at_most) != "fail"
        else finding.outcome
        for finding in findings
    ]
