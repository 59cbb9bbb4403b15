"""The redress data in a run: whom a caller can ask whose call analytics blocked, as the 603+ of each device say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.errors import EvidenceError
from harness.judge.plus603.notices import notices
from harness.model.flow import Direction
from harness.sip.message import SipMessage
from harness.sip.plus603 import Redress
from harness.store.record import RECORD, messages
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
        made, found = notices(_read(run.folder / "flows" / f"{flow}{RECORD}"))
        for redress in found:
            flows.setdefault((device, made, redress), []).append(flow)
    listed = [Notice(*key, tuple(ids)) for key, ids in flows.items()]
    return sorted(listed, key=lambda notice: (notice.device, not notice.made))


def _read(path: Path) -> list[tuple[Direction, SipMessage]]:
    """The messages of a record that may hold a 603+; none of one that does not."""
    try:
        if path.is_symlink() or path.stat().st_size > _LARGEST:
            return []
        record = path.read_bytes()
        found = messages(record) if _SIGN in record else ()
        return [(one.direction, SipMessage(one.body.decode("latin-1"))) for one in found]
    except (OSError, EvidenceError):
        return []


def sentences(found: Iterable[Notice]) -> list[str]:
    """The notices in lines for a terminal: one for each that a device made, one for all that it passed on."""
    lines: list[str] = []
    passed: dict[str, list[Notice]] = {}
    for notice in found:
        if notice.made:
            lines.append(f"{notice.device} blocks with: {notice.redress}")
        else:
            passed.setdefault(notice.device, []).append(notice)
    for device, those in passed.items():
        more = f"; and {len(those) - 1} others" if len(those) > 1 else ""
        lines.append(f"{device} passed on: {those[0].redress}{more}")
    return lines
