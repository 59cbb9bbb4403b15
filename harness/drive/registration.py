"""Registers the endpoints of a drive with a device that is a registrar: each for itself, from its own socket.

A registrar may call back where the REGISTER came from (RFC 5626, or behind a NAT) and not where the Contact leads.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Final

from harness.drive.recorder import Recorder
from harness.endpoints.host import LiveSeat
from harness.errors import PlanError
from harness.model.flow import Event
from harness.model.places import Places

_PLACE: Final = re.compile(r"\{(\w+)[.}]")
_AOR: Final = "sip:{token}@{device.host}:{device.port}"
"""From and To of a REGISTER name a user, not a way to it (19.1.1, table 1): no transport."""
_T1: Final = 0.5
_T2: Final = 4.0
"""Seconds between two copies of a REGISTER: at first, and at most (RFC 3261 17.1.2.2)."""


async def register(
    bindings: Sequence[str], seats: Sequence[LiveSeat], places: Places, recorder: Recorder, within: float
) -> tuple[str, int]:
    """Register ``bindings``; return the last seat that was asked for it, and the status it got (0: none in time).

    It ends at the first one that is not accepted.  ``within``: seconds for each.  PlanError if no seat is there.
    """
    outcome = ("", 200)
    for seat, contacts in shared_out(bindings, {seat.name: seat for seat in seats}):
        outcome = (seat.name, await _register(seat, tuple(map(places.fill, contacts)), places, recorder, within))
        if not 200 <= outcome[1] < 300:
            break
    return outcome


def shared_out(bindings: Sequence[str], seats: Mapping[str, LiveSeat]) -> list[tuple[LiveSeat, list[str]]]:
    """Who registers which of ``bindings``: the endpoint that a Contact names, or the first one if it names none."""
    if bindings and not seats:
        raise PlanError("a plan with bindings has no endpoint that could register them")
    first = next(iter(seats), "")
    shares: dict[str, list[str]] = {}
    for binding in bindings:
        named = (name for name in _PLACE.findall(binding) if name in seats)
        shares.setdefault(next(named, first), []).append(binding)
    return [(seats[name], contacts) for name, contacts in shares.items()]


async def _register(seat: LiveSeat, contacts: Sequence[str], places: Places, recorder: Recorder, within: float) -> int:
    """One REGISTER of ``seat``, repeated until its final response; return the status, 0 without one.

    Over a stream nothing is lost, and a copy would be another request (RFC 3261 17.1.2.2).
    """
    call_id = f"register-{secrets.token_hex(8)}@{seat.own.uri_host}"
    request = _request(seat, contacts, places, call_id)

    def answered(event: Event) -> bool:
        return event.from_device and event.call_id == call_id and (event.status or 0) >= 200 and event.fate != "lost"

    pause, left = within if seat.own.reliable else _T1, within
    while left > 0:
        await seat.say(request)
        if await recorder.until(lambda: recorder.saw(answered), min(pause, left)):
            return next(event.status or 0 for event in recorder.heard if answered(event))
        left -= pause
        pause = min(2 * pause, _T2)
    return 0


def _request(seat: LiveSeat, contacts: Sequence[str], places: Places, call_id: str) -> bytes:
    aor, own = places.fill(_AOR), seat.own
    lines = [
        f"REGISTER sip:{places.device} SIP/2.0",
        f"Via: SIP/2.0/{own.transport.upper()} {own};rport;branch=z9hG4bK-register-{secrets.token_hex(8)}",
        "Max-Forwards: 70",
        f'From: "sipverdict" <{aor}>;tag={secrets.token_hex(4)}',
        f"To: <{aor}>",
        f"Call-ID: {call_id}",
        "CSeq: 1 REGISTER",
        *(f"Contact: {contact}" for contact in contacts),
        "Expires: 3600",
        "User-Agent: sipverdict",
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
