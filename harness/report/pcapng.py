"""The part of the pcapng file format that composed packets need: one section, one interface, packets with comments."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from harness.report.packets import Carried, Wrapper

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_LINKTYPE_RAW = 101
"""IPv4 or IPv6, without anything around it."""
_COMMENT, _HARDWARE, _APPLICATION, _NAME, _RESOLUTION = 1, 2, 4, 2, 9
_MICROSECONDS = b"\x06"
_LONGEST_COMMENT = 2000


def pcapng(messages: Iterable[Carried], comment: str, application: str) -> bytes:
    """The file, with ``comment`` for the whole section.  Equal messages give equal bytes."""
    wrapper = Wrapper()
    section = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
    about = [(_COMMENT, comment), (_APPLICATION, application)]
    interface = struct.pack("<HHI", _LINKTYPE_RAW, 0, 0)
    named: list[tuple[int, str | bytes]] = [(_NAME, "composed"), (_RESOLUTION, _MICROSECONDS)]
    return b"".join(
        (
            _block(_SECTION, section + _options(about)),
            _block(_INTERFACE, interface + _options(named)),
            *(_packet(one, data) for one in messages for data in wrapper.packets(one)),
        )
    )


def _packet(one: Carried, data: bytes) -> bytes:
    micros = max(round(one.time * 1_000_000), 0) & 0xFFFF_FFFF_FFFF_FFFF
    body = struct.pack("<IIIII", 0, micros >> 32, micros & 0xFFFFFFFF, len(data), len(data)) + _padded(data)
    return _block(_PACKET, body + (_options([(_COMMENT, one.comment)]) if one.comment else b""))


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
