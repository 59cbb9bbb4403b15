"""IP packets around messages: IPv4 or IPv6, UDP datagrams or TCP segments, with right checksums."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_UDP, _TCP = 17, 6
LARGEST: Final = 65535 - 20 - 8
"""Bytes that fit into one datagram over IPv4."""
_SEGMENT: Final = 65_000
"""Bytes that are put into one segment, as an interface with offloading would show them."""
_PUSH_AND_ACK: Final = 0x18

End = tuple[bytes, int]
"""Host, as 4 or 16 bytes, and port."""


@dataclass(frozen=True)
class Carried:
    """One message between two ends.  The time is seconds since the epoch."""

    time: float
    source: End
    destination: End
    payload: bytes
    comment: str = ""
    stream: bool = False
    """Whether TCP carried it."""


@dataclass
class Wrapper:
    """Makes packets of messages, in order: identifications and sequence numbers go on from one to the next."""

    _number: int = 0
    _sent: dict[tuple[End, End], int] = field(default_factory=dict)
    """How many bytes of a stream have gone in each direction."""

    def packets(self, one: Carried) -> Iterator[bytes]:
        """The packets of one message."""
        if not one.stream:
            yield self._ip(one, _UDP, _datagram(one))
            return
        way, back = (one.source, one.destination), (one.destination, one.source)
        for start in range(0, max(len(one.payload), 1), _SEGMENT):
            part = one.payload[start : start + _SEGMENT]
            sent = self._sent.get(way, 0)
            self._sent[way] = sent + len(part)
            yield self._ip(one, _TCP, _segment(one, part, 1 + sent, 1 + self._sent.get(back, 0)))

    def _ip(self, one: Carried, protocol: int, data: bytes) -> bytes:
        self._number += 1
        source, destination = one.source[0], one.destination[0]
        if len(source) == 16:
            head = struct.pack("!IHBB", 6 << 28, len(data), protocol, 64)
            return head + source + destination + data
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), self._number & 0xFFFF, 0, 64, protocol, 0)
        head += source + destination
        return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + data


def _datagram(one: Carried) -> bytes:
    length = 8 + len(one.payload)
    head = struct.pack("!HHHH", one.source[1], one.destination[1], length, 0)
    # A sum of zero means "no checksum" (RFC 768).
    summed = checksum(_pseudo(one, _UDP, length) + head + one.payload) or 0xFFFF
    return head[:6] + struct.pack("!H", summed) + one.payload


def _segment(one: Carried, part: bytes, number: int, acknowledged: int) -> bytes:
    ports = one.source[1], one.destination[1]
    numbers = number & 0xFFFF_FFFF, acknowledged & 0xFFFF_FFFF
    head = struct.pack("!HHIIBBHHH", *ports, *numbers, 5 << 4, _PUSH_AND_ACK, 0xFFFF, 0, 0)
    summed = checksum(_pseudo(one, _TCP, len(head) + len(part)) + head + part)
    return head[:16] + struct.pack("!H", summed) + head[18:] + part


def _pseudo(one: Carried, protocol: int, length: int) -> bytes:
    source, destination = one.source[0], one.destination[0]
    if len(source) == 16:
        return source + destination + struct.pack("!IHBB", length, 0, 0, protocol)
    return source + destination + struct.pack("!BBH", 0, protocol, length)


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
