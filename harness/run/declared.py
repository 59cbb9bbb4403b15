"""What a run's header says of a device: who it is, what it claims and what the tester gave it, without secrets."""

from __future__ import annotations

import re
from typing import Any

from harness.device.spec import DeviceSpec
from harness.model.printable import MASK, redactor

_SECRET_NAME = re.compile(r"pass|secret|token|credential|key|pin\b|auth", re.I)


def declared(spec: DeviceSpec) -> dict[str, Any]:
    """The header's entry for the device of ``spec``: identity, roles, transports, families, PICS, PIXIT and faults."""
    profile, section = spec.profile, spec.profile.device
    return {
        "name": spec.name,
        "vendor": section.vendor,
        "model": section.model,
        "firmware": section.firmware,
        "serial": section.serial,
        "roles": list(section.roles),
        "transports": list(section.transports),
        "families": list(section.families),
        "pics": profile.all_pics(),
        "pixit": {key: public(key, value) for key, value in profile.pixit.items()},
        "faults": list(spec.faults),
    }


def public(key: str, value: object) -> object:
    """``value`` as it may be told: masked if ``key`` sounds like a secret's, or where it is a URI with a password."""
    if _SECRET_NAME.search(key):
        return MASK
    return redactor()(value) if isinstance(value, str) else value
