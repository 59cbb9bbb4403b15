"""SIPp's scenarios in a stored flow, compressed: as text they were most of a run, and each is of one flow only."""

from __future__ import annotations

import base64
import zlib
from dataclasses import replace
from typing import Final

from harness.errors import EvidenceError
from harness.model.flow import Flow

_PREFIX: Final = "zlib+base64:"
_LARGEST: Final = 16 * 1024 * 1024
"""Bytes of one scenario: a run may come from a stranger."""


def packed(flow: Flow) -> Flow:
    """``flow`` as it is stored."""
    return replace(flow, seats=tuple(replace(seat, scenario=_pack(seat.scenario)) for seat in flow.seats))


def unpacked(flow: Flow, where: str) -> Flow:
    """``flow`` with its scenarios as text; EvidenceError naming ``where`` if one is damaged or too large."""
    try:
        return replace(flow, seats=tuple(replace(seat, scenario=_unpack(seat.scenario)) for seat in flow.seats))
    except ValueError as error:
        raise EvidenceError(f"{where}: seats: scenario: expected {_PREFIX} and a packed text: {error}") from error


def _pack(text: str) -> str:
    if not text:
        return ""
    return _PREFIX + base64.b64encode(zlib.compress(text.encode("utf-8", "surrogatepass"), 9)).decode("ascii")


def _unpack(text: str) -> str:
    if not text:
        return ""
    if not text.startswith(_PREFIX):
        raise ValueError(f"found {text[:40]!r}")
    try:
        inflate = zlib.decompressobj()
        data = inflate.decompress(base64.b64decode(text.removeprefix(_PREFIX), validate=True), _LARGEST)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not inflate.eof:
        raise ValueError(f"more than {_LARGEST} bytes, or cut off")
    return data.decode("utf-8", "surrogatepass")
