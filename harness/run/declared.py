"""The entry of a device in a run's header: identity, claims and the values set by the tester, without secrets."""

from __future__ import annotations

import re

from harness.device.spec import DeviceSpec
from harness.model.printable import MASK, redactor
from harness.store.verdict_lines import Declared

_SECRET_NAME = re.compile(r"pass|secret|token|credential|key|pin\b|auth", re.I)


def declared(spec: DeviceSpec) -> Declared:
    """The header's entry for the device of ``spec``: identity, roles, transports, families, PICS, PIXIT and faults."""
    profile, section = spec.profile, spec.profile.device
    return Declared(
        name=spec.name,
        roles=tuple(section.roles),
        # What it claims is asked of the run, too, if the run leaves it out.
        transports=tuple(dict.fromkeys((*section.transports, *(axes.transport for axes in spec.axes)))),
        families=tuple(dict.fromkeys((*section.families, *(axes.family for axes in spec.axes)))),
        pics=profile.all_pics(),
        vendor=section.vendor,
        model=section.model,
        firmware=section.firmware,
        serial=section.serial,
        pixit={key: public(key, value) for key, value in profile.pixit.items()},
        faults=tuple(spec.faults),
        source=spec.source,
    )


def public(key: str, value: object) -> object:
    """``value``, masked if ``key`` sounds like a secret's, or if it is a URI with a password."""
    if _SECRET_NAME.search(key):
        return MASK
    return redactor()(value) if isinstance(value, str) else value
