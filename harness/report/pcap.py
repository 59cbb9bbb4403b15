"""Packets for people who live in Wireshark: a flow as a pcapng file, composed from SIPp's traces.

Nothing was captured, and the file says so.  A trace knows the messages and the tester's addresses; where the device
sent from, or was sent to, is worked out from what it says in Via, and else from its profile.
"""

from __future__ import annotations

import re
import socket

from harness.model.flow import Event, Flow
from harness.model.printable import printable, short
from harness.net.address import DEFAULT_PORTS, HOST_PORT, Address, family_of
from harness.report.pcapng import LARGEST, Datagram, pcapng
from harness.store.provenance import version

_VIA = re.compile(rf"SIP\s*/\s*2\.0\s*/\s*\w+\s+({HOST_PORT})", re.IGNORECASE)
NOWHERE = Address("192.0.2.1")
"""Stands for the device where nothing tells its address (TEST-NET-1, RFC 5737)."""


def compose(flow: Flow) -> bytes:
    """The file of ``flow``: every message in its order, from and to the addresses where it was seen."""
    seats = {seat.name: seat.address for seat in flow.seats}
    heard: dict[tuple[str, str], Address] = {}
    """Where the device is in a call at a seat, and (call "") in the last one there, as its own requests say."""
    made = []
    for event in flow.events:
        seat = seats.get(event.seat, NOWHERE)
        own = (event.seat, event.call_id)
        if event.from_device and event.method is not None and (via := _sent_by(event)):
            heard[own] = heard[event.seat, ""] = via
        where = heard.get(own) or heard.get((event.seat, "")) or flow.places.device
        other, doubt = where or NOWHERE, "" if where else "the device's address is not known; "
        source, destination = (other, seat) if event.from_device else (seat, other)
        made.append(_datagram(event, source, destination, doubt))
    return pcapng(made, _about(flow), f"sipverdict {version()}")


def _datagram(event: Event, source: Address, destination: Address, doubt: str) -> Datagram:
    payload = event.raw.encode("latin-1", "replace")
    if len(payload) > LARGEST:
        doubt += f"only the first {LARGEST} of its {len(payload)} bytes fit into a packet; "
    if event.transport != "udp":
        doubt += f"went over {event.transport}; "
    comment = f"{doubt}{event.label}"
    return Datagram(event.time, _packed(source), _packed(destination), payload[:LARGEST], short(comment, 300))


def _sent_by(event: Event) -> Address | None:
    """Where a request of the device says that it comes from; None if it names no IPv4 address."""
    if not event.vias:
        return None
    host, port = event.vias[0].host, event.vias[0].port
    place = Address(host, DEFAULT_PORTS["udp"] if port is None else port)
    return place if _valid(place) else None


def _valid(place: Address) -> bool:
    return family_of(place.host) == "ipv4" and 0 < place.port < 65536


def _packed(place: Address) -> tuple[bytes, int]:
    host, port = (place if _valid(place) else NOWHERE).sockaddr
    return socket.inet_aton(host), port


def _about(flow: Flow) -> str:
    device = short(str(flow.device.get("name", "")), 80)
    return (
        f"Composed, not captured: sipverdict made this file from SIPp's traces of flow {flow.id} "
        f"({printable(flow.plan.title[:200])}; {device} as {flow.role}). Messages, order and times are those of the "
        "traces; the headers below SIP are made up around the addresses of the endpoints."
    )
