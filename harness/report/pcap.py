"""A flow as a pcapng file for Wireshark, made from the messages that crossed the suite's own sockets.

Order, times, addresses and payloads are those of the record.  The IP and UDP headers are synthetic, because a socket
does not show them.  The file says so.
"""

from __future__ import annotations

import ipaddress

from harness.model.flow import Event, Flow
from harness.model.printable import printable, short
from harness.net.address import Address
from harness.report.pcapng import LARGEST, Datagram, pcapng
from harness.store.provenance import version

NOWHERE = Address("192.0.2.1")
"""Replaces an address that is not recorded (TEST-NET-1, RFC 5737)."""


def compose(flow: Flow) -> bytes:
    """The file of ``flow``: every message in its order, from and to the addresses where it was seen.

    A message that the tap dropped on its way to the device was never sent, so it is left out.
    """
    in_order = sorted((*flow.events, *flow.between), key=lambda event: event.time)
    return pcapng(map(_datagram, (*in_order, *flow.late)), _about(flow), f"sipverdict {version()}")


def _datagram(event: Event) -> Datagram:
    payload = event.raw.encode("latin-1", "replace")
    remarks = []
    if not (event.source and event.destination):
        remarks.append("its addresses are not recorded")
    if len(payload) > LARGEST:
        remarks.append(f"only the first {LARGEST} of its {len(payload)} bytes fit into a packet")
    if event.transport != "udp":
        remarks.append(f"went over {event.transport}")
    if event.fate:
        remarks.append(f"{event.fate} on purpose by the tap")
    comment = "; ".join([*remarks, event.label])
    source, destination = _packed(event.source), _packed(event.destination)
    return Datagram(event.time, source, destination, payload[:LARGEST], short(comment, 300))


def _packed(address: Address | None) -> tuple[bytes, int]:
    try:
        return ipaddress.IPv4Address((address or NOWHERE).host).packed, (address or NOWHERE).port
    except ValueError:
        return ipaddress.IPv4Address(NOWHERE.host).packed, NOWHERE.port


def _about(flow: Flow) -> str:
    device = short(str(flow.device.get("name", "")), 80)
    return (
        f"sipverdict made this file from the record of flow {flow.id} ({printable(flow.plan.title[:200])}; {device} as "
        f"{flow.role}). Messages, order, times and addresses are those of the record: what crossed the suite's own "
        "sockets. The IP and UDP headers around them are made up."
    )
