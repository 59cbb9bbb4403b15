"""The scenario of a caller: its request, and what it does with the responses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from harness.endpoints.host import Identity
from harness.endpoints.sipp import prerendered as stand_ins
from harness.endpoints.sipp.scenario import measured, render
from harness.endpoints.sipp.values import check_call, check_line, fill, header_name
from harness.errors import PlanError
from harness.model.places import REQUEST_URI, Places
from harness.model.plan import Call
from harness.net.address import Address, Family, Transport
from harness.sip.reasons import REASONS

_USER_SAFE: Final = "-_.!~*'()&=+$,;?/"
"""What the user of a SIP URI may hold beside letters and digits (RFC 3261 25.1)."""
COPY_MS, LATE_MS, ACKS_MS = 100, 300, 200
"""From a refusal to the copy of its INVITE, and to the ACK where something is done before it; between two ACKs."""
AGAIN_MS = 6000
"""From an ACK to another INVITE with the same identifiers: more than T4 (5 s), so nothing is left of the first."""

RENUMBERED_MS = 300
"""From an ACK to another INVITE with the next CSeq: a caller that follows a redirection does not wait for anything."""

_OF_ANY = ("User-Agent: sipverdict",)
_OF_AN_INVITE = (
    "Subject: sipverdict",
    *_OF_ANY,
    "Supported: replaces",
    "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, NOTIFY, UPDATE",
    "Accept: application/sdp",
)
"""The default header lines of a caller's request."""


def render_call(
    call: Call,
    places: Places,
    own: Address,
    *,
    hangs_up: bool = False,
    authorises: bool = False,
    statuses: Iterable[int] = (),
    identity: Identity | None = None,
) -> str:
    """The scenario of a caller at ``own`` that makes ``call`` through the device.

    ``hangs_up``: it ends a call that is answered, for there is nobody else who would.  ``authorises``: it answers a
    challenge with the credentials of SIPp's command line.  ``statuses``: what it may be answered with; it knows those
    that are registered anyhow, and what it does not know it neither heeds nor acknowledges.  PlanError if it cannot be.
    ``identity``: who calls.
    """
    if places.device is None:
        raise PlanError("a call can only be rendered when the device's address is known")
    way = _Way(hangs_up, authorises, tuple(sorted({*REASONS, *statuses})), identity or Identity())
    try:
        drawn = _call_for_all(call, stand_ins.reached(places), own.transport, own.family, way)
        return measured(stand_ins.put_in(drawn, places, own), "caller")
    except (PlanError, KeyError):
        return measured(_call(call, places, own, way), "caller")


@dataclass(frozen=True)
class _Way:
    """The way in which a caller makes its call."""

    hangs_up: bool
    authorises: bool
    statuses: tuple[int, ...]
    identity: Identity


@lru_cache(maxsize=4096)
def _call_for_all(call: Call, seats: stand_ins.Reached, transport: Transport, family: Family, way: _Way) -> str:
    places, own = stand_ins.places(seats, family), stand_ins.address("own", transport, family)
    return _call(call, places, own, way)


def _call(call: Call, places: Places, own: Address, way: _Way) -> str:
    check_call(call)
    there = replace(places, seats={**places.seats, "caller": own})

    def filled_in(text: str) -> str:
        filled = fill(text, there, "a call")
        if REQUEST_URI in filled:
            raise PlanError(f"a call: {text!r} holds {{request_uri}}, which only an answer knows")
        check_line(filled, "a call")
        return filled

    lines = tuple(map(filled_in, call.headers))
    contact = f"Contact: <sip:caller@{own.in_uri}>"
    defaults = (contact, *_OF_AN_INVITE)
    # Who is behind a proxy gets its own Record-Route back, and what it sends comes by no Route of its own.
    is_behind_proxy = any(header_name(line) == "record-route" for line in lines)
    routes = tuple(line for line in lines if header_name(line) == "route")
    names = {header_name(line) for line in lines}
    asserted = (f"P-Asserted-Identity: <{way.identity.asserted}>",) if way.identity.asserted else ()
    given = (*defaults, *asserted) if call.method == "INVITE" else _OF_ANY
    return render(
        "call.xml.j2",
        "caller",
        own,
        call=call,
        request_uri=filled_in(call.to),
        # A To names no transport (19.1.1, table 1).
        to_uri=filled_in(call.to).replace(own.parameters, "", 1),
        lines=(*(line for line in given if header_name(line) not in names), *lines),
        defaults=defaults,
        routes=routes,
        is_behind_proxy=is_behind_proxy,
        cancel_lines=(*routes, *map(filled_in, call.cancel_headers)),
        vias=tuple(map(filled_in, call.vias)),
        from_params=filled_in(call.from_params),
        hangs_up=way.hangs_up,
        authorises=way.authorises,
        user=quote(way.identity.user, safe=_USER_SAFE),
        display=f'"{way.identity.display}" ' if way.identity.display else "",
        statuses=way.statuses,
        copy_ms=COPY_MS,
        late_ms=LATE_MS,
        acks_ms=ACKS_MS,
        again_ms=AGAIN_MS,
        renumbered_ms=RENUMBERED_MS,
    )
