"""Who was tested: the devices of a stored run."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.errors import EvidenceError
from harness.store.stored_run import StoredRun


@dataclass(frozen=True)
class Identity:
    """A device as a run knew it.  All of it may come from a stranger's file: strings of any length and content."""

    name: str
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    """The version that it was asked for, or else the declared one."""
    serial: str = ""
    roles: tuple[str, ...] = ()
    pics: Mapping[str, bool] = field(default_factory=dict)

    @property
    def product(self) -> str:
        """Vendor and model, as far as they are known."""
        return f"{self.vendor} {self.model}".strip()


def devices_of(run: StoredRun) -> tuple[Identity, ...]:
    """The devices of ``run`` in the order in which it was asked for them.

    The header names the first one only; every flow knows its own.
    """
    header = run.header["device"]
    first = str(header.get("name", ""))
    roles: dict[str, dict[str, None]] = {}
    evidence: dict[str, str] = {}
    for record in run.records:
        name = str(record.get("device", first))
        roles.setdefault(name, {})[record["role"]] = None
        for path in record["evidence"][:1]:
            evidence.setdefault(name, path[6:-5])
    if not roles:
        return (_identity(first, header, ()),)
    # Runs of older suites do not say whom they were asked for: those stand in the order of their records.
    order = [name for name in run.devices if name in roles]
    return tuple(
        _identity(name, {**(header if name == first else {}), **_told(run, evidence.get(name))}, tuple(roles[name]))
        for name in dict.fromkeys((*order, *roles))
    )


def _told(run: StoredRun, flow: str | None) -> Mapping[str, Any]:
    with contextlib.suppress(EvidenceError):
        device = run.flow(flow).device if flow else None
        return device if isinstance(device, dict) else {}
    return {}


def _identity(name: str, entry: Mapping[str, Any], roles: tuple[str, ...]) -> Identity:
    listed, claims = entry.get("roles"), entry.get("pics")
    return Identity(
        name=name,
        vendor=str(entry.get("vendor") or ""),
        model=str(entry.get("model") or ""),
        firmware=str(entry.get("version") or entry.get("firmware") or ""),
        serial=str(entry.get("serial") or ""),
        roles=tuple(map(str, listed)) if isinstance(listed, list) else roles,
        pics={str(key): value is True for key, value in claims.items()} if isinstance(claims, dict) else {},
    )
