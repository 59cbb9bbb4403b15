"""What a run is asked for on pytest's command line, checked before anything is started."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.device import Profile, load_profiles
from harness.device.variants import title
from harness.devices.reference.faults import FAULTS, Fault
from harness.drive.station import DeviceSpec
from harness.errors import SetupError
from harness.judge.ruling import Ruling
from harness.windows import QUICK, WINDOWS, Window

ROOT = Path(__file__).resolve().parent.parent
SUITES = ROOT / "suites"
OUT = ROOT / "reports" / "out"
RULINGS = ("certification", "letter")


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
    group.addoption("--window", choices=sorted(WINDOWS), default=QUICK.name, help="how long silence is watched")
    group.addoption(
        "--fault",
        action="append",
        metavar="NAME",
        help="give the reference device this fault; may be repeated: a device for each (a+b: one device with both)",
    )
    group.addoption(
        "--ruling",
        choices=RULINGS,
        default="certification",
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

    @property
    def title(self) -> str:
        """The devices in short: what the run is called by."""
        return title(tuple(self.specs))

    @classmethod
    def of(cls, config: pytest.Config) -> Settings:
        """The settings of this run; SetupError for a device, profile or fault that does not exist."""
        option = config.option
        return cls(
            specs=device_specs(option.device or ["reference"], option.fault or []),
            window=WINDOWS[option.window],
            ruling=Ruling(option.ruling, bool(config.getini("strict"))),
            out=option.out.resolve(),
            smoke=not option.no_smoke,
            expected=option.expected,
        )


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
