"""Reads a pcapng file as strictly as the format is written."""

from __future__ import annotations

import socket
import struct


class Packet:
    """An IPv4 or IPv6 packet with UDP or TCP in it, its checksums verified."""

    def __init__(self, time: float, data: bytes, comment: str) -> None:
        self.time, self.comment = time, comment
        if data[0] >> 4 == 6:
            protocol, ends, inner = data[6], data[8:40], data[40:]
            assert data[:4] == b"\x60\0\0\0"
            assert struct.unpack("!H", data[4:6])[0] == len(inner)
            hosts = [socket.inet_ntop(socket.AF_INET6, ends[place : place + 16]) for place in (0, 16)]
            pseudo = ends + struct.pack("!IHBB", len(inner), 0, 0, protocol)
        else:
            protocol, ends, inner = data[9], data[12:20], data[20:]
            assert data[0] == 0x45
            assert struct.unpack("!H", data[2:4])[0] == len(data)
            assert summed(data[:20]) == 0xFFFF
            hosts = [socket.inet_ntoa(ends[place : place + 4]) for place in (0, 4)]
            pseudo = ends + struct.pack("!BBH", 0, protocol, len(inner))
        self.source, self.destination = hosts
        self.ports = struct.unpack("!HH", inner[:4])
        assert summed(pseudo + inner) == 0xFFFF
        self.sequence = None
        if protocol == 6:
            self.sequence, self.acknowledged, offset = struct.unpack("!IIB", inner[4:13])
            assert offset == 5 << 4
            self.payload = inner[20:]
            return
        assert protocol == 17
        length, checksum = struct.unpack("!HH", inner[4:8])
        assert length == len(inner)
        assert checksum
        self.payload = inner[8:]


def summed(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def options(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while data:
        code, length = struct.unpack("<HH", data[:4])
        if code == 0:
            break
        found[code] = data[4 : 4 + length]
        data = data[4 + length + -length % 4 :]
    return found


def read(file: bytes) -> tuple[str, list[Packet]]:
    """The comment of the section and the packets; fails on anything that pcapng does not allow."""
    about, packets, place, kinds = "", [], 0, []
    while place < len(file):
        kind, length = struct.unpack("<II", file[place : place + 8])
        assert length % 4 == 0
        assert struct.unpack("<I", file[place + length - 4 : place + length])[0] == length
        body = file[place + 8 : place + length - 4]
        kinds.append(kind)
        if kind == 0x0A0D0D0A:
            assert body[:4] == b"\x4d\x3c\x2b\x1a"
            about = options(body[16:])[1].decode()
        elif kind == 1:
            assert struct.unpack("<H", body[:2])[0] == 101
        else:
            _, high, low, captured, original = struct.unpack("<IIIII", body[:20])
            assert captured == original
            end = 20 + captured + -captured % 4
            comment = options(body[end:]).get(1, b"").decode()
            packets.append(Packet((high << 32 | low) / 1e6, body[20 : 20 + captured], comment))
        place += length
    assert kinds[:2] == [0x0A0D0D0A, 1]
    assert set(kinds[2:]) <= {6}
    return about, packets
