"""The redress data in a run: whom a caller can ask whose call analytics blocked, as the 603+ of each device say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.errors import EvidenceError
from harness.sip.message import SipMessage
from harness.sip.plus603 import Plus603, Redress
from harness.store.record import RECORD, Recorded, messages
from harness.store.stored_run import StoredRun

_LARGEST = 64 * 1024 * 1024
_SIGN = b"nalytics"
"""What every Reason of a 603+ holds: most flows have none, and are not read."""


@dataclass(frozen=True)
class Notice:
    """Redress data that a device sent in 603+."""

    device: str
    made: bool
    """Whether the device wrote it; else it passed on what it was sent."""
    redress: Redress
    flows: tuple[str, ...]
    """Ids of the flows with it."""


def redress_in(run: StoredRun) -> list[Notice]:
    """The notices of ``run``, by device, what devices made themselves first; an unreadable record has none."""
    flows: dict[tuple[str, bool, Redress], list[str]] = {}
    owners = {flow: line.device for line in run.records for flow in line.flows}
    for flow, device in owners.items():
        read = _read(run.folder / "flows" / f"{flow}{RECORD}")
        given = any(one.direction == "sent" and _plus(one) for one in read)
        for one in read:
            if one.direction == "received" and (plus := _plus(one)):
                found = flows.setdefault((device, not given, plus.redress), [])
                found += [flow] if flow not in found else []
    made = [Notice(*key, tuple(ids)) for key, ids in flows.items()]
    return sorted(made, key=lambda notice: (notice.device, not notice.made))


def _plus(one: Recorded) -> Plus603 | None:
    """The message as a 603+, if it is one."""
    if not one.body[:16].lstrip().startswith(b"SIP/2.0 603"):
        return None
    read = Plus603(SipMessage(one.body.decode("latin-1")))
    return read if read.is_plus else None


def _read(path: Path) -> list[Recorded]:
    try:
        if path.is_symlink() or path.stat().st_size > _LARGEST:
            return []
        record = path.read_bytes()
        return list(messages(record)) if _SIGN in record else []
    except (OSError, EvidenceError):
        return []


def sentences(notices: Iterable[Notice]) -> list[str]:
    """The notices in lines for a terminal: one for each that a device made, one for all that it passed on."""
    lines: list[str] = []
    passed: dict[str, list[Notice]] = {}
    for notice in notices:
        if notice.made:
            lines.append(f"{notice.device} blocks with: {notice.redress}")
        else:
            passed.setdefault(notice.device, []).append(notice)
    for device, those in passed.items():
        more = f"; and {len(those) - 1} others" if len(those) > 1 else ""
        lines.append(f"{device} passed on: {those[0].redress}{more}")
    return lines
