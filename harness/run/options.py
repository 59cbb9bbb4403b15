"""What a run is asked for on pytest's command line, checked before anything is started."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import pytest

from harness.device import Profile, builtin_profiles, load_profiles
from harness.device.profile.variants import BASE, named, split, title
from harness.device.spec import DeviceSpec
from harness.devices.reference.faults import FAULTS, Fault
from harness.errors import SetupError
from harness.model.printable import short
from harness.model.windows import QUICK, WINDOWS, Window
from harness.policy.gate import Gate
from harness.policy.waivers import Waiver
from harness.policy.waivers import load as load_waivers
from harness.requirements.catalogue import Catalogue
from harness.requirements.ruling import Mode, Ruling
from harness.run.rerun import Again

OUT = Path("reports") / "out"
"""Where runs are stored, below the current folder."""
RULINGS: tuple[Mode, ...] = get_args(Mode)
MOST_REPEATS = 20


def add_options(parser: pytest.Parser) -> None:
    """The options of the suite, in a group of their own."""
    group = parser.getgroup("sipverdict", "conformance of SIP devices to 302 and 603")
    group.addoption(
        "--device",
        action="append",
        metavar="NAME",
        help="device under test with all its variants: a built-in name or the path of a profile; NAME:VARIANT or "
        "NAME:base for one of them; may be repeated (default: reference)",
    )
    group.addoption("--window", choices=sorted(WINDOWS), help="how long silence is watched (default: quick)")
    group.addoption(
        "--fault",
        action="append",
        metavar="NAME",
        help="give the reference device this fault; may be repeated: a device for each (a+b: one device with both)",
    )
    group.addoption(
        "--ruling",
        choices=RULINGS,
        help="how contested requirements are read (default: certification)",
    )
    # --strict is pytest's own option (strict markers and configuration); here it also makes a violated SHOULD a fail.
    group.addoption("--out", type=Path, default=OUT, metavar="FOLDER", help="where runs are stored")
    group.addoption("--no-smoke", action="store_true", help="test a device that cannot even make a plain call")
    group.addoption(
        "--expected",
        action="store_true",
        help="end with 0 if the only non-passes are those of the expected.toml beside the profile (for CI)",
    )
    group.addoption("--gate", default="", metavar="GATE", help="what is asked of the run: must, should, profile:NAME")
    group.addoption("--waivers", type=Path, metavar="FILE", help="findings that are let through, until a date")
    group.addoption(
        "--repeat", type=int, default=1, metavar="K", help="drive every case so often; what differs is flaky"
    )
    group.addoption("--again", type=Path, metavar="RUN", help="only what did not pass in that run, its devices as well")
    group.addoption(
        "--contract-exit",
        action="store_true",
        help="end with sipverdict's exit status (0 conforming, 1 not, 2 inconclusive, 3 set-up) instead of pytest's",
    )


@dataclass(frozen=True)
class Settings:
    """The options, resolved."""

    specs: dict[str, DeviceSpec]
    window: Window
    ruling: Ruling
    out: Path
    smoke: bool = True
    """Whether a plain call is made first, and a device in which none can be made is not tested."""
    expected: bool = False
    """Whether known non-passes as expected leave the exit status 0."""
    gate: Gate = field(default_factory=Gate)
    waivers: tuple[Waiver, ...] = ()
    repeat: int = 1
    again: Again | None = None

    @property
    def title(self) -> str:
        """The devices in short: what the run is called by."""
        return title(tuple(self.specs))

    @classmethod
    def of(cls, config: pytest.Config) -> Settings:
        """The settings of this run; SetupError for a device, profile or fault that does not exist."""
        option = config.option
        if not 1 <= option.repeat <= MOST_REPEATS:
            raise SetupError(f"--repeat {option.repeat}: expected 1 to {MOST_REPEATS}", "3 tells steady from flaky")
        if option.expected and (option.gate or option.waivers):
            there = "--gate" if option.gate else "--waivers"
            raise SetupError(
                f"--expected goes with neither --gate nor --waivers, and {there} is there",
                "a gate says itself what it lets through: leave one of them out",
            )
        again = Again.of(option.again) if option.again else None
        told = again.header if again else None
        catalogue, devices = Catalogue.load(), option.device or ["reference"]
        return cls(
            specs=again_specs(again) if again and not option.device else device_specs(devices, option.fault or []),
            window=WINDOWS[option.window or (told.window if told else QUICK.name)],
            ruling=Ruling(
                option.ruling or (told.ruling if told else RULINGS[0]),
                bool(config.getini("strict")) or bool(told and told.strict),
            ),
            out=option.out.resolve(),
            smoke=not option.no_smoke,
            expected=option.expected,
            gate=Gate.of(option.gate, catalogue),
            waivers=_waivers(option.waivers, catalogue) if option.waivers else (),
            repeat=option.repeat,
            again=again,
        )


def _waivers(path: Path, catalogue: Catalogue) -> tuple[Waiver, ...]:
    from harness.purposes.discovery import all_purposes  # which asks us where the suite is

    return load_waivers(path, catalogue, all_purposes())


def again_specs(again: Again) -> dict[str, DeviceSpec]:
    """The devices of the cases that are to be run again; SetupError for one whose profile has to be named.

    Only built-in ones are looked up by what the run calls them: a profile runs commands, and the run may be anybody's.
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


def device_specs(devices: list[str], faults: list[str]) -> dict[str, DeviceSpec]:
    """The devices of a run by the name their verdicts bear, variants included; each fault gives a device of its own.

    A fault is given to those in which it can show; SetupError if there is none.
    """
    specs: dict[str, DeviceSpec] = {}
    for device in devices:
        profiles = load_profiles(device)
        for fault in faults or [""]:
            given = tuple(name for name in fault.split("+") if name)
            for profile in _which_show(device, profiles, given):
                name = "+".join((profile.name, *given))
                if name in specs:
                    raise SetupError(f"the device {name} was asked for twice", "name each device once")
                specs[name] = DeviceSpec(name, profile, given)
    _check_addresses(specs)
    return specs


def _which_show(device: str, profiles: tuple[Profile, ...], given: tuple[str, ...]) -> list[Profile]:
    """Those of ``profiles`` in which all the faults of ``given`` can be seen; SetupError if there are none."""
    if not given:
        return list(profiles)
    faults = [_fault(name) for name in given]
    able = [profile for profile in profiles if profile.process and profile.process.fault_argv]
    if not able:
        raise SetupError(f"{device} cannot be given faults", "faults are for the reference device: DEVICE=reference")
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
    return not set(fault.roles).isdisjoint(profile.device.roles) and (not fault.claim or profile.claims(fault.claim))


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
    """SetupError for two devices at one fixed address: each would be blamed for what the other does."""
    at: dict[str, str] = {}
    for name, spec in specs.items():
        address = spec.profile.lab.address
        if address != "{lease}" and at.setdefault(address, name) != name:
            raise SetupError(
                f"{at[address]} and {name} are both at {address}",
                "a run tests all variants of a device: name one of them (NAME:VARIANT), or give each its lab.address",
            )
