"""A flow as a pcapng file for Wireshark, made from the messages that crossed the suite's own sockets.

Order, times, addresses and payloads are those of the record.  The headers around them are synthetic, because a socket
does not show them: datagrams for UDP, segments for TCP, and datagrams for what TLS carried, so that Wireshark shows its
text.  The file says so.
"""

from __future__ import annotations

import ipaddress

from harness.model.flow import Event, Flow
from harness.model.printable import printable, short
from harness.net.address import Address
from harness.report.packets import LARGEST, Carried, End
from harness.report.pcapng import pcapng
from harness.store.provenance import version

NOWHERE = Address("192.0.2.1")
"""Replaces an address that is not recorded (TEST-NET-1, RFC 5737)."""


def compose(flow: Flow) -> bytes:
    """The file of ``flow``: every message in its order, from and to the addresses where it was seen.

    A message that the tap dropped on its way to the device was never sent, so it is left out.
    """
    in_order = sorted((*flow.events, *flow.between), key=lambda event: event.time)
    return pcapng(map(_carried, (*in_order, *flow.late)), _about(flow), f"sipverdict {version()}")


def _carried(event: Event) -> Carried:
    payload = event.raw.encode("latin-1", "replace")
    stream = event.transport == "tcp"
    remarks = []
    if not (event.source and event.destination):
        remarks.append("its addresses are not recorded")
    if not stream and len(payload) > LARGEST:
        remarks.append(f"only the first {LARGEST} of its {len(payload)} bytes fit into a packet")
    if event.transport not in ("udp", "tcp"):
        remarks.append(f"went over {event.transport}, as text it is put into a datagram")
    if event.fate:
        remarks.append(f"{event.fate} on purpose by the tap")
    comment = "; ".join([*remarks, event.label])
    source, destination = _packed(event.source), _packed(event.destination)
    if len(source[0]) != len(destination[0]):
        source, destination = _packed(None), _packed(None)
    return Carried(
        event.time, source, destination, payload if stream else payload[:LARGEST], short(comment, 300), stream
    )


def _packed(address: Address | None) -> End:
    try:
        return ipaddress.ip_address((address or NOWHERE).host).packed, (address or NOWHERE).port
    except ValueError:
        return ipaddress.IPv4Address(NOWHERE.host).packed, NOWHERE.port


def _about(flow: Flow) -> str:
    device = short(str(flow.device.get("name", "")), 80)
    return (
        f"sipverdict made this file from the record of flow {flow.id} ({printable(flow.plan.title[:200])}; {device} as "
        f"{flow.role}). Messages, order, times and addresses are those of the record: what crossed the suite's own "
        "sockets. The headers around them (IP, UDP, TCP) are made up."
    )
