"""The devices of a stored run."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.errors import EvidenceError
from harness.model.axes import Role
from harness.store.stored_run import StoredRun
from harness.store.verdict_lines import Declared


@dataclass(frozen=True)
class Identity:
    """A device as the run recorded it.  The file may come from a stranger: strings of any length and content."""

    name: str
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    """The version that the device reported, or else the declared one."""
    serial: str = ""
    roles: tuple[str, ...] = ()
    pics: Mapping[str, bool] = field(default_factory=dict)

    @property
    def product(self) -> str:
        """Vendor and model, as far as they are known."""
        return f"{self.vendor} {self.model}".strip()


def devices_of(run: StoredRun) -> tuple[Identity, ...]:
    """The devices with verdicts in ``run``, in the order of the command line; if there are none, the first device."""
    roles: dict[str, dict[Role, None]] = {}
    flows: dict[str, str] = {}
    for line in run.records:
        roles.setdefault(line.device, {})[line.role] = None
        for flow in line.flows[:1]:
            flows.setdefault(line.device, flow)
    if not roles:
        return (_identity(run.header.device, ""),)
    known = run.devices
    order = dict.fromkeys((*(name for name in known if name in roles), *roles))
    return tuple(
        _identity(known.get(name) or Declared(name, tuple(roles[name]), (), (), {}), _version(run, flows.get(name)))
        for name in order
    )


def _version(run: StoredRun, flow: str | None) -> str:
    """The version that the device itself reported.  Every flow has it."""
    with contextlib.suppress(EvidenceError):
        return str(run.flow(flow).device.get("version") or "") if flow else ""
    return ""


def _identity(device: Declared, version: str) -> Identity:
    firmware = version or device.firmware
    return Identity(device.name, device.vendor, device.model, firmware, device.serial, device.roles, device.pics)
