"""The devices that a command line selects: profiles, their variants and the faults that they are given."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from harness.device import Profile, builtin_profiles, load_profiles
from harness.device.profile.certificates import own_files
from harness.device.spec import DeviceSpec
from harness.device.tables.values import REGISTERED
from harness.devices.reference.faults import FAULTS, Fault
from harness.errors import SetupError
from harness.model.device_name import BASE, named, split
from harness.model.printable import short
from harness.net.address import Carrier
from harness.paths import DEVICES
from harness.requirements.conditions import holds
from harness.run.rerun import Again


def again_specs(again: Again) -> dict[str, DeviceSpec]:
    """The devices of the cases to run again; SetupError for a device whose profile must be named.

    Only built-in devices are looked up by name: a profile runs commands, and the run may come from a stranger.
    """
    specs: dict[str, DeviceSpec] = {}
    for name in again.devices:
        device, *faults = name.split("+")
        base, variant = split(device)
        if base not in builtin_profiles():
            raise SetupError(
                f"{again.folder}: the run is of {short(name, 80)}, which is no built-in device",
                "name its profile as well: --again RUN --device PROFILE",
            )
        specs |= device_specs([named(base, variant or BASE)], ["+".join(faults)] if faults else [])
    return specs


def device_specs(devices: Sequence[str], faults: Sequence[str]) -> dict[str, DeviceSpec]:
    """The devices of a run, variants included, by their name in verdicts; each fault makes a device of its own.

    A fault is given to the devices that can show it; SetupError if there is none.
    """
    specs: dict[str, DeviceSpec] = {}
    for device in devices:
        profiles = load_profiles(device)
        built_in = profiles[0].source.is_relative_to(DEVICES)
        for fault in faults or [""]:
            given = tuple(name for name in fault.split("+") if name)
            for profile in _which_show(device, profiles, given):
                name = "+".join((profile.name, *given))
                if name in specs:
                    raise SetupError(f"the device {name} is listed twice", "name each device once")
                own_files(profile)  # what is wrong with them is to be said before anything is started
                over = dict.fromkeys(fault.over for fault in map(_fault, given) if fault.over)
                carriers = tuple(map(Carrier.named, over))
                specs[name] = DeviceSpec(name, profile, given, "" if built_in else split(device)[0], carriers)
    _check_addresses(specs)
    return specs


def _which_show(device: str, profiles: tuple[Profile, ...], given: tuple[str, ...]) -> list[Profile]:
    """The ``profiles`` that can show all the faults of ``given``; SetupError if there are none."""
    if not given:
        return list(profiles)
    faults = [_fault(name) for name in given]
    able = [profile for profile in profiles if profile.process and profile.process.fault_argv]
    if not able:
        raise SetupError(f"{device} cannot be given faults", "only the reference device has faults: --device reference")
    chosen = [profile for profile in able if all(_shows(fault, profile) for fault in faults)]
    if not chosen:
        needs = " and ".join(
            f"{fault.name} shows in the role {'/'.join(fault.roles)}" + (f" with {fault.claim}" if fault.claim else "")
            for fault in faults
        )
        has = ", ".join(f"{profile.name} is {'/'.join(profile.device.roles)}" for profile in able)
        raise SetupError(f"no device of this run can show {'+'.join(given)}: {needs}", has)
    return chosen


def _shows(fault: Fault, profile: Profile) -> bool:
    return not set(fault.roles).isdisjoint(profile.device.roles) and holds(fault.claim, profile.pics)


def _fault(name: str) -> Fault:
    """The fault called ``name``; SetupError, naming the nearest, if there is none."""
    known = {fault.name: fault for fault in FAULTS}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3) or list(known)[:3]
        raise SetupError(
            f"no fault is called {name!r}; the nearest: {', '.join(near)}", "sipverdict list faults shows all"
        )
    return known[name]


def _check_addresses(specs: dict[str, DeviceSpec]) -> None:
    """SetupError for two devices at one fixed address: each would be blamed for the other."""
    at: dict[str, str] = {}
    for name, spec in specs.items():
        lab = spec.profile.lab
        # Whoever registers is told apart by where it does.
        address = lab.exchange or "" if lab.address == REGISTERED else lab.address
        if address != "{lease}" and at.setdefault(address, name) != name:
            raise SetupError(
                f"{at[address]} and {name} are both at {address}",
                "a run tests all variants of a device: choose one (NAME:VARIANT), or give each its own lab.address",
            )
