"""The part of the pcapng file format that composed packets need: one section, one interface, IPv4 with comments."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_LINKTYPE_IPV4 = 228
_COMMENT, _HARDWARE, _APPLICATION, _NAME, _RESOLUTION = 1, 2, 4, 2, 9
_MICROSECONDS = b"\x06"
_UDP = 17
LARGEST = 65535 - 20 - 8
"""Bytes that fit into one datagram."""
_LONGEST_COMMENT = 2000


@dataclass(frozen=True)
class Datagram:
    """One UDP datagram.  Hosts are IPv4 addresses as four bytes, the time is seconds since the epoch."""

    time: float
    source: tuple[bytes, int]
    destination: tuple[bytes, int]
    payload: bytes
    comment: str = ""


def pcapng(datagrams: Iterable[Datagram], comment: str, application: str) -> bytes:
    """The file, with ``comment`` for the whole section.  Equal datagrams give equal bytes."""
    section = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
    about = [(_COMMENT, comment), (_APPLICATION, application)]
    interface = struct.pack("<HHI", _LINKTYPE_IPV4, 0, 0)
    named: list[tuple[int, str | bytes]] = [(_NAME, "composed"), (_RESOLUTION, _MICROSECONDS)]
    return b"".join(
        (
            _block(_SECTION, section + _options(about)),
            _block(_INTERFACE, interface + _options(named)),
            *(_packet(datagram, number) for number, datagram in enumerate(datagrams, start=1)),
        )
    )


def _packet(datagram: Datagram, number: int) -> bytes:
    data = _ipv4(datagram, number)
    micros = max(round(datagram.time * 1_000_000), 0) & 0xFFFF_FFFF_FFFF_FFFF
    body = struct.pack("<IIIII", 0, micros >> 32, micros & 0xFFFFFFFF, len(data), len(data)) + _padded(data)
    return _block(_PACKET, body + (_options([(_COMMENT, datagram.comment)]) if datagram.comment else b""))


def _ipv4(datagram: Datagram, number: int) -> bytes:
    (source, source_port), (destination, port) = datagram.source, datagram.destination
    length = 8 + len(datagram.payload)
    header = struct.pack("!HHHH", source_port, port, length, 0)
    pseudo = source + destination + struct.pack("!BBH", 0, _UDP, length)
    # A sum of zero means "no checksum" (RFC 768).
    summed = _checksum(pseudo + header + datagram.payload) or 0xFFFF
    udp = header[:6] + struct.pack("!H", summed) + datagram.payload
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, number & 0xFFFF, 0, 64, _UDP, 0) + source + destination
    return ip[:10] + struct.pack("!H", _checksum(ip)) + ip[12:] + udp


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _block(kind: int, body: bytes) -> bytes:
    length = 12 + len(body)
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _options(options: Iterable[tuple[int, str | bytes]]) -> bytes:
    made = b""
    for code, value in options:
        data = value if isinstance(value, bytes) else value[:_LONGEST_COMMENT].encode("utf-8", "replace")
        made += struct.pack("<HH", code, len(data)) + _padded(data)
    return made + struct.pack("<HH", 0, 0)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
